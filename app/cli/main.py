"""The tree of commands, each imported when it is asked for.

What draws and serves takes two seconds to import; whoever adds a key need not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a command lives: the module below this package, the function, its examples.

    Without a function the module's own `cli` holds several, and `help` says what for.
    """

    module: str
    function: str = ""
    examples: str = "EXAMPLES"
    help: str = ""

    def load(self, name: str) -> Any:
        module = import_module(f"app.cli.{self.module}")
        made = typer.Typer(rich_markup_mode="rich", add_completion=False)
        if self.function:
            epilog = getattr(module, self.examples)
            made.command(name, epilog=epilog)(getattr(module, self.function))
        else:
            made.add_typer(module.cli, name=name, help=self.help)
        return typer.main.get_group(made).commands[name]


_PLACES: Mapping[str, _Place] = {
    "serve": _Place("serve", "serve"),
    "demo": _Place("demo", "demo"),
    "migrate": _Place("serve", "migrate", "MIGRATE_EXAMPLES"),
    "site": _Place("sites", help="Add, list and switch live the shops."),
    "configure": _Place("configuration", "configuration"),
    "privacy": _Place("privacy", "privacy"),
    "key": _Place("keys", help="Keys for the API."),
    "account": _Place("accounts", help="Who may sign in, by password or link, and see what."),
    "share": _Place("shares", help="Links that show one page's map, or its picture alone."),
    "quarantine": _Place("quarantine", help="Take visits out of every answer, and back."),
    "erase": _Place("erase", "erase"),
    "zones": _Place("snippet", "zones", "ZONES_EXAMPLES"),
    "snippet": _Place("snippet", "snippet"),
    "capture": _Place("pictures", "capture", "CAPTURE_EXAMPLES"),
    "render": _Place("pictures", "render", "RENDER_EXAMPLES"),
    "replay": _Place("recordings", "replay"),
    "jobs": _Place("checks", "jobs", "JOBS_EXAMPLES"),
    "check": _Place("checks", "check", "CHECK_EXAMPLES"),
    "doctor": _Place("doctor", "doctor"),
}


class _Late(TyperGroup):
    """Lists every command, and imports the one that is run (all of them for the help)."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in _PLACES and cmd_name not in self.commands:
            self.add_command(_PLACES[cmd_name].load(cmd_name))
        return super().get_command(ctx, cmd_name)


cli = typer.Typer(
    name="gloed",
    cls=_Late,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@cli.callback()
def gloed() -> None:
    """Self-hosted tracking for webshops, script-free first: where checkout visitors stall."""


def main() -> None:
    cli()
