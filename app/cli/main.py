"""The tree of commands."""

from __future__ import annotations

import typer

from app.cli import checks, demo, keys, pictures, recordings, serve, sites, snippet

cli = typer.Typer(
    name="gloed",
    help="Self-hosted tracking for webshops, script-free first: where checkout visitors stall.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
cli.command("serve", epilog=serve.EXAMPLES)(serve.serve)
cli.command("demo", epilog=demo.EXAMPLES)(demo.demo)
cli.command("migrate", epilog=serve.MIGRATE_EXAMPLES)(serve.migrate)
cli.add_typer(sites.cli, name="site", help="Add, list and switch live the shops.")
cli.add_typer(keys.cli, name="key", help="Keys for the API.")
cli.command("zones", epilog=snippet.ZONES_EXAMPLES)(snippet.zones)
cli.command("snippet", epilog=snippet.EXAMPLES)(snippet.snippet)
cli.command("capture", epilog=pictures.CAPTURE_EXAMPLES)(pictures.capture)
cli.command("render", epilog=pictures.RENDER_EXAMPLES)(pictures.render)
cli.command("replay", epilog=recordings.EXAMPLES)(recordings.replay)
cli.command("jobs", epilog=checks.JOBS_EXAMPLES)(checks.jobs)
cli.command("check", epilog=checks.CHECK_EXAMPLES)(checks.check)


def main() -> None:
    cli()
