"""`gloed configure`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app.cli.base import out, show, with_store
from app.cli.sites import SITE
from app.configuration import Configuration, configure
from app.shops import ShopError, find_site
from app.store import Store
from collector.sites import Site

EXAMPLES = (
    "[bold]Examples[/bold]\n\n  gloed configure gs_…\n\n"
    "  gloed configure gs_… exclude_networks 192.0.2.0/24 2001:db8::/48\n\n"
    "  gloed configure gs_… origins shop.nl\n\n  gloed configure gs_… mode exempt\n\n"
    "  gloed configure gs_… least_visits --unset"
)

LISTS = ("exclude_networks", "origins")
WORDS = ("mode",)
NUMBERS = ("least_visits", "window_h", "raw_days", "view_days", "tile_days")
SWITCHES = {"honour_opt_out": {"on": True, "off": False}}
NAMES = (*WORDS, *LISTS, *SWITCHES, *NUMBERS)
"""What has no command of its own."""


def configuration(
    site: Annotated[str, SITE],
    name: Annotated[str, typer.Argument(help=", ".join(NAMES), show_default=False)] = "",
    values: Annotated[list[str] | None, typer.Argument(help="What it is to be.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Back to what it is by itself.")] = False,
) -> None:
    """Show how a shop is configured, or change one part of it."""
    if name and bool(values) == unset:
        raise typer.BadParameter("give what it is to be, or --unset")

    async def work(store: Store) -> Site:
        found = await find_site(store, site)
        if name:
            config = {key: value for key, value in found.config.items() if key != name}
            told = {} if unset else {_known(name): _read(name, values or ())}
            await configure(store, found, {**config, **told})
        return await find_site(store, found.public_key)

    found = with_store(work)
    fields = Configuration.model_fields
    rows = [(key, _told(found.config.get(key, fields[key].default))) for key in NAMES]
    show(("part", "value"), rows)
    out.print("Own commands: site consent, quarantine, zones.", markup=False)


def _known(name: str) -> str:
    if name not in NAMES:
        raise ShopError(f"there is no part of that name; there are {', '.join(NAMES)}")
    return name


def _read(name: str, values: Sequence[str]) -> Any:
    if name in LISTS:
        return list(values)
    if len(values) != 1:
        raise ShopError(f"{name} takes one value, got {len(values)}")
    (value,) = values
    if name in SWITCHES:
        return SWITCHES[name].get(value, value)
    return int(value) if name in NUMBERS and value.isascii() and value.isdigit() else value


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "–"
    return value if isinstance(value, str) else json.dumps(value)
