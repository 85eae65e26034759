"""`gloed jobs` and `gloed check`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from app.checking.checks import Finding, check_page, check_store
from app.checking.sheet_check import check_sheet
from app.cli.base import FAILED, now, out, say, show, told, with_store
from app.config import read_settings
from app.jobs import job_rows
from app.secret import fleet_secret
from app.spooling import spool_row
from app.store import Store

JOBS_EXAMPLES = "[bold]Example[/bold]\n\n  gloed jobs"
CHECK_EXAMPLES = """
[bold]Examples[/bold]\n
  gloed check\n
  gloed check https://shop.example/verzending\n
  gloed check css https://shop.example/g/gs_…/verzending
"""


def jobs() -> None:
    """What runs later: which job, on what, when it last ran, and how far it lags."""

    async def work(store: Store) -> list[tuple[str, ...]]:
        return await job_rows(store, now())

    with told():
        settings = read_settings()
    columns = ("job", "shop", "day", "state", "last run, UTC", "took", "lag", "why it failed")
    show(columns, [*with_store(work, settings), spool_row(settings, now())])


def check(
    page: Annotated[
        str | None, typer.Argument(help="A page of the shop with the snippet in it; or `css`.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Argument(help="After `css`: file or address of a stylesheet to audit.")
    ] = None,
) -> None:
    """Say what is wrong with this installation, and what to do about it."""
    if page == "css":
        with told():
            _print(check_sheet(sheet))
        return
    if sheet is not None:
        raise typer.BadParameter(f"{sheet!r}: one page at a time, or `css` and a stylesheet")
    with told():
        settings = read_settings()

    async def work(store: Store) -> list[Finding]:
        fleet_secret(settings)  # a fleet without one, or with a weak one, is the first thing wrong
        return await check_store(store, settings, now())

    findings = with_store(work, settings)
    if page is not None:
        findings += check_page(page)
    _print(findings)


def _print(findings: Iterable[Finding]) -> None:
    findings = list(findings)
    for finding in findings:
        mark = "ok  " if finding.good else "FAIL"
        out.print(f"{mark} {finding.told}", markup=False)
    if not all(finding.good for finding in findings):
        say("Something is to be done; see the lines that begin with FAIL.")
        raise typer.Exit(FAILED)
