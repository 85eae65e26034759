"""`gloed doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import asyncpg
import typer

from app.checking.checks import Finding
from app.checking.doctor import disk_findings, is_well, settings_findings, store_findings
from app.cli.base import FAILED, now, out, say, told
from app.config import Settings, read_settings
from app.postgres import PostgresError
from app.secret import fleet_secret
from app.store import Store, StoreProblem, at_head, open_store

EXAMPLES = """
[bold]Examples[/bold]\n
  gloed doctor\n
  gloed doctor || mail --subject 'Gloed is unwell' you@shop.example
"""


def doctor() -> None:
    """Look at settings, disk, spool, store, clock, partitions and jobs; 1 if anything is wrong."""
    with told():
        settings = read_settings()
        fleet_secret(settings)  # refuses one that is weak or cannot be read
    findings = [*settings_findings(settings), *disk_findings(settings, now())]
    findings += _of_store(settings)
    _print(findings)
    if not is_well(findings):
        say("Something is to be done; see the lines that begin with FAIL.")
        raise typer.Exit(FAILED)


def _of_store(settings: Settings) -> list[Finding]:
    """A store that cannot be looked at is a finding like others, not the end of the list."""
    try:
        with open_store(settings, say) as url:
            return asyncio.run(_look(url, settings.embedded))
    except (PostgresError, StoreProblem) as problem:
        return [Finding(False, f"store: {problem}")]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        kind = type(problem).__name__
        remedy = "is it running, and is GLOED_DATABASE_URL right?"
        return [Finding(False, f"store: it cannot be reached ({kind}): {remedy}")]


async def _look(url: str, owned: bool) -> list[Finding]:
    await at_head(url, owned=owned)
    store = Store(url)
    await store.open()
    try:
        return await store_findings(store, now())
    finally:
        await store.close()


def _print(findings: Iterable[Finding]) -> None:
    for finding in findings:
        out.print(f"{'ok  ' if finding.good else 'FAIL'} {finding.told}", markup=False)
