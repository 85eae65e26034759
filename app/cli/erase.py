"""`gloed erase`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from app.cli.base import out, told, with_store
from app.cli.sites import SITE
from app.config import read_settings
from app.erasing import Erased, check_spool, erase_days, erase_page, erase_site, erase_visit
from app.shops import ShopError, find_page, find_site
from app.spooling import spool_folder
from app.store import Store
from collector.decode import read_view_id

EXAMPLES = (
    "[bold]Examples[/bold]\n\n  gloed erase gs_… --from 2026-11-01 --to 2026-11-03\n\n"
    "  gloed erase gs_… --visit 00f3a1…\n\n  gloed erase gs_… --page shipping\n\n"
    "  gloed erase gs_… --all"
)
DAY = ["%Y-%m-%d"]


def erase(
    site: Annotated[str, SITE],
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="Day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Day.")] = None,
    visit: Annotated[str, typer.Option(help="Number of one visit.")] = "",
    page: Annotated[str, typer.Option(help="All that was recorded on a page.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="The shop itself.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what was recorded, for good: days, a visit, a page's records, or the whole shop."""
    if [first is not None and last is not None, bool(visit), bool(page), everything].count(
        True
    ) != 1:
        raise typer.BadParameter("give --from with --to, or --visit, or --page, or --all")
    if not yes:
        typer.confirm("It cannot be brought back. Delete it?", abort=True)
    with told():
        settings = read_settings()
        check_spool(spool_folder(settings))

    async def work(store: Store) -> Erased:
        found = await find_site(store, site)
        if everything:
            return await erase_site(store, found)
        if page:
            return await erase_page(store, found, find_page(found, page))
        if visit:
            return await erase_visit(store, found, _visit(visit))
        return await erase_days(store, found, _day(first), _day(last))

    done = with_store(work, settings)
    kept = f" Tiles of {done.final_days} days keep its sums." * (done.final_days > 0)
    out.print(f"{done.rows} rows are deleted.{kept}", markup=False)


def _day(moment: datetime | None) -> date:
    assert moment is not None
    return moment.date()


def _visit(text: str) -> int:
    try:
        return read_view_id(text)
    except ValueError as problem:
        raise ShopError("a visit's number has 16 of 0-9 and a-f") from problem
