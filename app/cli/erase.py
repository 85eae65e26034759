"""`gloed erase`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from app.cli.base import now, out, told, with_store
from app.cli.sites import SITE
from app.config import Settings, read_settings
from app.erasing import (
    Erased,
    empty_spool,
    erase_days,
    erase_page,
    erase_ref,
    erase_site,
    erase_visit,
    erase_visitor,
)
from app.secret import fleet_secret
from app.shops import ShopError, find_page, find_site
from app.spooling import spool_folder
from app.store import Store
from collector.decode import read_view_id
from collector.sites import Site
from collector.wire import REF

EXAMPLES = (
    "[bold]Examples[/bold]\n\n  gloed erase gs_… --from 2026-11-01 --to 2026-11-03\n\n"
    "  gloed erase gs_… --ref order-7\n\n  gloed erase gs_… --visitor\n\n"
    "  gloed erase gs_… --visit 00f3a1…\n\n  gloed erase gs_… --page shipping\n\n"
    "  gloed erase gs_… --all"
)
DAY = ["%Y-%m-%d"]
ONE_OF = "give --from with --to, or --ref, --visitor, --visit, --page, or --all"


def erase(
    site: Annotated[str, SITE],
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="Day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Day.")] = None,
    ref: Annotated[str, typer.Option(help="Who bore this reference of your own.")] = "",
    visitor: Annotated[
        bool,
        typer.Option("--visitor", help="Who asks: by address and browser, of two days; asked for."),
    ] = False,
    visit: Annotated[str, typer.Option(help="Number of one visit.")] = "",
    page: Annotated[str, typer.Option(help="All that was recorded on a page.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The shop itself.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what was recorded, for good: of a person, days, a visit, a page, or the whole shop."""
    days = first is not None and last is not None
    if [days, bool(ref), visitor, bool(visit), bool(page), everything].count(True) != 1:
        raise typer.BadParameter(ONE_OF)
    # Asked for, so that they stand in no list of commands and of processes.
    address = typer.prompt("Address") if visitor else ""
    agent = typer.prompt("User agent") if visitor else ""
    with told():
        settings = read_settings()
        name = with_store(lambda store: find_site(store, site), settings).name
    if not yes:
        what = _meant(first, last, ref, visit, page, visitor=visitor)
        typer.confirm(f"{name}: {what}. It cannot be brought back. Delete it?", abort=True)

    async def work(store: Store) -> Erased:
        found = await find_site(store, site)
        await empty_spool(spool_folder(settings), store.url, now)
        if everything:
            return await erase_site(store, found, now())
        if page:
            return await erase_page(store, found, find_page(found, page), now())
        if visit:
            return await erase_visit(store, found, _visit(visit), now())
        if visitor:
            return await erase_visitor(store, found, address, agent, now())
        if ref:
            return await _by_ref(store, found, settings, ref)
        return await erase_days(store, found, _day(first), _day(last), now())

    done = with_store(work, settings)
    kept = f" Tiles of {done.final_days} days keep its sums." * (done.final_days > 0)
    out.print(f"{done.rows} rows are deleted.{kept}", markup=False)


def _meant(
    first: datetime | None,
    last: datetime | None,
    ref: str,
    visit: str,
    page: str,
    *,
    visitor: bool,
) -> str:
    """What is about to go, for whoever is asked."""
    if first is not None and last is not None:
        return f"all that was recorded from {first.date()} to {last.date()}"
    if visitor:
        return "all of whoever sends from that address with that browser"
    if ref:
        return f"all of whoever bore the reference {ref}"
    if visit:
        return f"the visit {visit}"
    return f"all that was recorded on the page {page}" if page else "the shop with everything"


async def _by_ref(store: Store, site: Site, settings: Settings, ref: str) -> Erased:
    if not REF.match(ref):
        raise ShopError("a reference has 4 to 128 of A-Z, a-z, 0-9 and . _ ~ -")
    return await erase_ref(store, site, fleet_secret(settings), ref, now())


def _day(moment: datetime | None) -> date:
    assert moment is not None
    return moment.date()


def _visit(text: str) -> int:
    try:
        return read_view_id(text)
    except ValueError as problem:
        raise ShopError("a visit's number has 16 of 0-9 and a-f") from problem
