"""`gloed replay`: recorded sessions through the HTTP endpoint, and the proof that all was kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from app.cli.base import FAILED, err, interactive, out, say, told
from app.config import read_settings
from app.links import own_url
from app.replay import Summary, Verdict, verify
from app.replay import replay as send
from app.store import open_store

EXAMPLES = """
[bold]Examples[/bold]\n
  gloed replay sessions.jsonl.gz --site gs_… --page shipping --ledger ledger.jsonl\n
  gloed replay sessions.jsonl --site gs_… --page shipping --ledger ledger.jsonl --speed 0 --verify
"""
EVERY = 500
"""Batches between two plain lines where there is no terminal."""


def replay(
    recording: Annotated[Path, typer.Argument(help="Lines as docs/recordings.md says.")],
    site: Annotated[str, typer.Option(help="Key of the shop.")],
    page: Annotated[str, typer.Option(help="Name of the page.")],
    ledger: Annotated[Path, typer.Option(help="File that says what was sent and answered.")],
    url: Annotated[str | None, typer.Option(help="Where Gloed answers; default: here.")] = None,
    speed: Annotated[float, typer.Option(help="1 as recorded, 10 faster, 0 flat out.")] = 1.0,
    clients: Annotated[int, typer.Option(help="Views sent at the same time.")] = 8,
    verified: Annotated[
        bool, typer.Option("--verify", help="Then compare the store with what was acknowledged.")
    ] = False,
) -> None:
    """Send recorded page views to a collector, as if they were opened now."""
    with told():
        settings = read_settings()
        target = url or own_url(settings)
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            console=err,
            disable=not interactive(),
        ) as bar:
            task = bar.add_task("sending")

            def shown(so_far: Summary) -> None:
                line = f"{so_far.batches} batches, {so_far.points} points, {so_far.acked} kept"
                bar.update(task, description=line)
                if not interactive() and so_far.batches % EVERY == 0:
                    say(line)

            summary = asyncio.run(
                send(
                    recording,
                    url=target,
                    site_key=site,
                    page=page,
                    ledger_path=ledger,
                    speed=speed,
                    clients=clients,
                    prefix=settings.prefix,
                    progress=shown,
                )
            )
        _tell(summary)
        if verified:
            with open_store(settings, say) as store_url:
                _judge(asyncio.run(verify(store_url, site, ledger)))


def _tell(summary: Summary) -> None:
    out.print(
        f"{summary.views} views, {summary.points + summary.events} events in {summary.batches} "
        f"batches: {summary.acked} acknowledged ({summary.repeated} of them again), "
        f"{sum(summary.dropped.values())} dropped on purpose, {summary.refused} refused, "
        f"{summary.unanswered} without an answer.",
        markup=False,
    )
    for reason, n in sorted(summary.dropped.items()):
        out.print(f"  dropped as {reason}: {n}", markup=False)


def _judge(verdict: Verdict) -> None:
    out.print(
        f"In the store: {verdict.stored}; lost: {verdict.lost}; twice: {verdict.twice}; refused "
        f"but stored: {verdict.refused_but_stored}; different: {verdict.differing}.",
        markup=False,
    )
    if not verdict.exact:
        raise typer.Exit(FAILED)
