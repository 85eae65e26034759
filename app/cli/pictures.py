"""`gloed capture` and `gloed render`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.cli.base import counted, err, now, out, say, told, with_store
from app.cli.contrasts import read_filters, render_contrast
from app.drawing.orders import explain, ground, options, paint
from app.drawing.overlays import picture_under
from app.mapping.filters import MAP_KINDS, MapQuery
from app.mapping.maps import page_map
from app.mapping.page_map import PageMap
from app.pages.reading.legends import legend_of
from app.picturing.capture import (
    ALIKE_PX,
    Captured,
    CaptureError,
    Elsewhere,
    compare_engines,
    store_captures,
    upload_captures,
)
from app.picturing.capture import capture as capture_page
from app.picturing.headless import ENGINES, Browsers, Engine
from app.shops import ShopError, find_page, find_site
from app.store import Store
from collector.sites import Page, Site, Zone
from heatmap.drawing import Drawing

CAPTURE_EXAMPLES = """
[bold]Examples[/bold]\n
  gloed capture shipping.html --site gs_… --page shipping\n
  gloed capture https://shop.example/verzending --site gs_… --page shipping --width 390,1280\n
  gloed capture shipping.html --site gs_… --page shipping --url https://stats.example --key gld_…
"""
RENDER_EXAMPLES = """
[bold]Examples[/bold]\n
  gloed render --site gs_… --page shipping --kind stall -o shipping.png\n
  gloed render --site gs_… --page shipping --filter device=phone --filter picture=page -o x.png\n
  gloed render --site gs_… --page shipping --kind stall --against completed -o stalls.png
"""
"""Both commands read the same store that `serve` uses."""


def capture(
    target: Annotated[str, typer.Argument(help="Address, or a saved .html file.")],
    site: Annotated[str, typer.Option(help="Key (or, on this machine, name) of the shop.")],
    page: Annotated[str, typer.Option(help="Name of the page.")],
    width: Annotated[str, typer.Option(help="Viewport widths, comma separated.")] = "390,1280",
    storage_state: Annotated[
        Path | None, typer.Option(help="Playwright state file: logged in, cart filled.")
    ] = None,
    engines: Annotated[
        str,
        typer.Option(
            help="chromium, firefox, webkit: the first makes the layout, and of the others it is "
            "said where they put a zone elsewhere."
        ),
    ] = "chromium",
    url: Annotated[str | None, typer.Option(help="A Gloed elsewhere, with --key.")] = None,
    key: Annotated[str | None, typer.Option(help="Key with scope write.")] = None,
) -> None:
    """Take the page's picture and its zones' boxes at these widths, in a browser on this machine.

    The server never fetches your pages. Without --url the result goes straight into the store.
    """
    with told():
        widths = _widths(width)
        first, *others = _engines(engines)
        if (url is None) != (key is None):
            raise CaptureError("--url and --key go together; without both the local store is used")
        if url is not None and key is not None:
            zones = _remote_zones(url, key, site, page)
            taken = _taken(target, zones, widths, storage_state, first)
            upload_captures(url, key, site, page, taken)
        else:
            found, of_page = with_store(lambda store: _find(store, site, page))
            zones = of_page.zones
            taken = _taken(target, zones, widths, storage_state, first)
            with_store(lambda store: store_captures(store, found, of_page, taken, now()))
        for one in taken:
            out.print(_line(one), markup=False)
        there = compare_engines(
            target, zones, taken, others, widths=widths, storage_state=storage_state
        )
        for other in there:
            out.print(_other_line(other), markup=False)
        if others and not there:
            out.print(f"{', '.join(others)}: every zone within {ALIKE_PX:g} px of it", markup=False)


def _taken(
    target: str,
    zones: Sequence[Zone],
    widths: Sequence[int],
    storage_state: Path | None,
    engine: Engine,
) -> list[Captured]:
    with Browsers(engine) as browsers:
        return capture_page(
            target, zones, widths=widths, storage_state=storage_state, browsers=browsers
        )


def _engines(text: str) -> list[Engine]:
    named = [part.strip() for part in text.split(",")]
    known = [engine for name in named for engine in ENGINES if engine == name]
    if len(known) < len(named) or len(set(known)) < len(known):
        raise CaptureError(f"--engines takes {', '.join(ENGINES)}, each once, got {text!r}")
    return known


async def _find(store: Store, site: str, page: str) -> tuple[Site, Page]:
    found = await find_site(store, site)
    return found, find_page(found, page)


def _widths(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise CaptureError(f"--width takes whole numbers such as 390,1280, got {text!r}")
    return [int(part) for part in parts]


def _remote_zones(url: str, key: str, site: str, page: str) -> Sequence[Zone]:
    address = f"{url.rstrip('/')}/api/v1/sites/{site}/pages/{page}"
    try:
        answer = httpx.get(address, headers={"authorization": f"Bearer {key}"})
    except httpx.HTTPError as problem:
        raise CaptureError(f"{url} cannot be reached: {problem}") from problem
    if answer.status_code != httpx.codes.OK:
        raise CaptureError(f"{url} answers {answer.status_code}: check the key, --site and --page")
    return [
        Zone(zone["number"], zone["name"], zone["selector"], zone["role"])
        for zone in answer.json()["zones"]
    ]


def _line(one: Captured) -> str:
    lacking = f"; not on the page: {', '.join(one.missing)}" if one.missing else ""
    several = "".join(f"; {name}: one box around {n} elements" for name, n in one.several)
    return f"{one.width_px} x {one.height_px} px, {len(one.boxes)} zones{several}{lacking}"


def _other_line(other: Elsewhere) -> str:
    told = (
        f"{name} {'seen in one of them alone' if px is None else f'{px:.0f} px off'}"
        for name, px in other.off_px.items()
    )
    return f"{other.engine} at {other.width_px} px: {', '.join(told)}"


def render(
    site: Annotated[str, typer.Option(help="Key or name of the shop.")],
    page: Annotated[str, typer.Option(help="Name of the page.")],
    kind: Annotated[str, typer.Option(help=f"{', '.join(MAP_KINDS)}.")] = "stall",
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path(
        "heatmap.overlay.png"
    ),
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="name=value, as the API's parameters; may be repeated."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Draw where those who abandoned stall and these do not: completed, or a cohort "
            "such as outcome:completed,device:phone."
        ),
    ] = None,
) -> None:
    """Draw one map into a file, straight from the store."""
    with told():
        _check_output(output)
    if against is not None:
        with told():
            say(render_contrast(kind, site, page, against, filters or (), output))
        out.print(str(output), markup=False)
        return
    with told():
        query = _query(kind, filters or ())

    async def work(store: Store) -> tuple[PageMap, bytes | None]:
        found, of_page = await _find(store, site, page)
        drawn = await page_map(store, found, of_page, query, now())
        return drawn, await picture_under(store, drawn, query)

    with told():
        found, under = with_store(work)
        with err.status("drawing"):
            drawing = ground(paint(options(found, found.of_shop)), under, query.picture)
            if query.legend != "none":
                legend = legend_of(found, found.of_shop, drawing, query.legend)
                drawing = explain(drawing, legend, query.dpr)
        output.write_bytes(drawing.png)
    if not found.views:
        say("No page view in this period: `gloed check` says what was opened, and what dropped.")
    say(
        f"{counted(found.visits, 'visit')}, {counted(found.views, 'page view')}, "
        f"{_amounts(found, drawing)}"
    )
    out.print(str(output), markup=False)


def _check_output(output: Path) -> None:
    """Raises ShopError where no file can be: told before anything is drawn."""
    if output.is_dir():
        raise ShopError(f"{output} is a folder: give --output the name of a file in it")
    if not output.parent.is_dir():
        raise ShopError(f"there is no folder {output.parent}: make it, or give another --output")


def _amounts(found: PageMap, drawing: Drawing) -> str:
    """What the colours stand for; of dots how many there are, and of which classes."""
    by = found.query.colour_by
    if found.query.style == "confetti":
        told = [f"{one.name(by or '') or 'the rest'} {n}" for one, n in found.class_dots]
        return counted(len(found.dots), "dot") + (f": {', '.join(told)}" if told else "")
    return (
        f"bandwidth {found.bandwidth_px:g} px, "
        f"full colour at {drawing.scale_max:.3g} {found.scale_unit}"
    )


def _query(kind: str, filters: Sequence[str]) -> MapQuery:
    return read_filters(MapQuery, filters, kind=kind)
