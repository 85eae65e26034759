"""`gloed quarantine …`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.base import out, show, with_store
from app.cli.sites import SITE
from app.closing.shut_out import rules_of
from app.quarantine import (
    Applied,
    let_back,
    read_moment,
    shut_out_origin,
    shut_out_period,
    shut_out_visit,
)
from app.shops import ShopError, find_site
from app.store import Store
from collector.decode import read_view_id
from collector.sites import Site

cli = typer.Typer(no_args_is_help=True)


@cli.command(
    "add",
    epilog="[bold]Examples[/bold]\n\n"
    "  gloed quarantine add gs_… --from 2026-11-22T14:00:00+01:00 --to 2026-11-22T15:00:00+01:00"
    "\n\n  gloed quarantine add gs_… --visit 00f3a1…\n\n"
    "  gloed quarantine add gs_… --origin copy.example",
)
def add(
    site: Annotated[str, SITE],
    begins: Annotated[str, typer.Option("--from", help="First moment of a period.")] = "",
    ends: Annotated[str, typer.Option("--to", help="Its end.")] = "",
    visit: Annotated[str, typer.Option(help="Number of one visit.")] = "",
    origin: Annotated[str, typer.Option(help="Host whose pages are not the shop's.")] = "",
) -> None:
    """Take a period, a visit or an origin out of every answer; it stays stored, and is counted."""
    if [bool(begins and ends), bool(visit), bool(origin)].count(True) != 1:
        raise typer.BadParameter("give --from with --to, or --visit, or --origin")

    async def work(store: Store) -> Applied:
        found = await find_site(store, site)
        if visit:
            return await shut_out_visit(store, found, _visit(visit))
        if origin:
            return await shut_out_origin(store, found, origin)
        return await shut_out_period(store, found, read_moment(begins), read_moment(ends))

    done = with_store(work)
    kept = f" Maps of {done.final_days} days stay: their raw rows are gone." * (done.final_days > 0)
    out.print(f"{done.rule_id}: {done.visits} visits are left out.{kept}", markup=False)


def _visit(text: str) -> int:
    try:
        return read_view_id(text)
    except ValueError as problem:
        raise ShopError("a visit's number has 16 of 0-9 and a-f") from problem


@cli.command("list")
def listed(site: Annotated[str, SITE]) -> None:
    """What is left out of this shop."""

    async def work(store: Store) -> Site:
        return await find_site(store, site)

    found = with_store(work)
    rows = [
        (told["id"], told.get("visit", "every visit"), told["from"], told["to"])
        for told in (rule.told for rule in rules_of(found))
    ]
    rows += [(host, "every visit", "its adding", "–") for host in sorted(found.shut_out)]
    show(("rule", "leaves out", "from", "to"), rows)


@cli.command("lift", epilog="[bold]Example[/bold]\n\n  gloed quarantine lift gs_… q1a2b3c4d")
def lift(
    site: Annotated[str, SITE],
    rule: Annotated[str, typer.Argument(help="From `gloed quarantine list`.", show_default=False)],
) -> None:
    """Let it back into the answers."""

    async def work(store: Store) -> None:
        await let_back(store, await find_site(store, site), rule)

    with_store(work)
    out.print(f"{rule} is lifted.", markup=False)
