"""What a page looks like: its picture and the boxes of its zones, kept in versions.

A layout belongs to a width band, pointer class, language and variant of its page. What changes is
a new version with its own `valid_from`; what stayed the same is none. Each picture is kept at one
pixel per CSS pixel, exactly as large as its layout, so that an overlay lies on it without scaling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any

from app.drawing.pictures import clean_picture
from app.joint import Part
from app.picturing.boxes import Box as Box
from app.picturing.boxes import LayoutError as LayoutError
from app.picturing.boxes import Placement, check_size, kept_boxes
from app.picturing.layout_body import MAX_LANGUAGE, MAX_VARIANT, POINTERS
from app.picturing.layout_body import LayoutBody as LayoutBody
from app.shops import take_turn, touch
from app.store import Store
from collector.codes import width_band
from collector.sites import Page, Site

SOURCES = ("capture", "upload", "api", "script")
TICK = timedelta(microseconds=1)
"""The store's finest step in time."""


@dataclass(frozen=True, slots=True)
class Layout:
    layout_id: int
    page_id: int
    width_px: int
    height_px: int
    band: int
    language: int
    variant: int
    pointer: str
    valid_from: datetime
    source: str
    picture_hash: bytes | None
    boxes: tuple[Box, ...] = ()

    @property
    def name(self) -> str:
        """As the API and addresses call it."""
        return layout_name(self.layout_id)


COLUMNS = tuple(name for name in Layout.__slots__ if name != "boxes")


def layout_name(layout_id: int) -> str:
    return f"{layout_id & (2**64 - 1):016x}"


def layout_number(name: str) -> int:
    """What the store calls it; ValueError for what is no name."""
    number = int(name, 16)
    return number - 2**64 if number >= 2**63 else number


async def put_layout(
    store: Store,
    site: Site,
    page: Page,
    *,
    width_px: int,
    height_px: int | None,
    pointer: str,
    boxes: Iterable[Box],
    picture: bytes | None,
    source: str,
    now: datetime,
    language: int = 0,
    variant: int = 0,
) -> int:
    """What the page looks like from now on; the layout's number, or the present one's if equal.

    Boxes are cut to the page, and those that lie beside it are left out. The picture is cleaned
    and scaled to the layout's size; without `height_px` its own shape says how high the page is.
    Raises LayoutError or PictureError, and then keeps nothing.
    """
    check_size(width_px, 1 if height_px is None else height_px)
    _check_member("pointer", pointer, POINTERS)
    _check_member("source", source, SOURCES)
    _check_code("language", language, MAX_LANGUAGE)
    _check_code("variant", variant, MAX_VARIANT)
    png, height_px = await _cleaned(picture, width_px, height_px)
    check_size(width_px, height_px)
    kept = kept_boxes(boxes, width_px, height_px)
    wanted = Layout(
        layout_id=0,
        page_id=page.page_id,
        width_px=width_px,
        height_px=height_px,
        band=width_band(width_px),
        language=language,
        variant=variant,
        pointer=pointer,
        valid_from=now,
        source=source,
        picture_hash=None if png is None else sha256(png).digest(),
        boxes=kept,
    )
    async with store.transaction() as connection:
        await take_turn(connection, site)
        await check_zones(connection, site, page, kept)
        present = await _present(connection, site, wanted)
        if present is not None and _same(present, wanted):
            return present.layout_id
        version = _following(wanted, present)
        await _insert(connection, site.site_id, version, png)
        await touch(connection, site.site_id)
    return version.layout_id


_OF_PAGE = "SELECT * FROM layout WHERE site_id = $1 AND page_id = $2"
_BOX_COLUMNS = tuple(Box.__slots__)


async def layouts_of(store: Store, site: Site, page_id: int) -> tuple[Layout, ...]:
    """Every version; by band, pointer, language and variant, and the newest of each first."""
    return await _read(store, _OF_PAGE, site.site_id, page_id)


async def layout_of(store: Store, site: Site, page_id: int, layout_id: int) -> Layout | None:
    """That very version of this page."""
    found = await _read(store, f"{_OF_PAGE} AND layout_id = $3", site.site_id, page_id, layout_id)
    return next(iter(found), None)


async def find_layout(
    store: Store,
    site: Site,
    page_id: int,
    *,
    band: int | None = None,
    pointer: str | None = None,
    layout_id: int | None = None,
    language: int = 0,
    variant: int = 0,
) -> Layout | None:
    """The layout to draw on, None where the page has none that fits.

    With `layout_id` that very version of this page, otherwise the one that fits best.
    """
    if layout_id is not None:
        return await layout_of(store, site, page_id, layout_id)
    layouts = await layouts_of(store, site, page_id)
    return fitting(layouts, band=band, pointer=pointer, language=language, variant=variant)


def fitting(
    layouts: Iterable[Layout],
    *,
    band: int | None = None,
    pointer: str | None = None,
    language: int = 0,
    variant: int = 0,
) -> Layout | None:
    """Of a page's layouts, as `layouts_of` tells them, the one to draw on.

    Only present versions count, and of these only the pointer class asked for, if one is: fingers
    and mice meet different pages. Then in this order: the band asked for, or the nearest to it, the
    narrower of two as near; the variant asked for; the language asked for; the newest. Band 0
    (unknown) asks for none.
    """
    present: dict[tuple[int, str, int, int], Layout] = {}
    for one in layouts:
        if pointer in (None, one.pointer):
            present.setdefault((one.band, one.pointer, one.language, one.variant), one)

    def misfit(one: Layout) -> tuple[float, ...]:
        """How badly it fits what was asked for, the weightiest first; the least is the best."""
        return (
            abs(one.band - band) if band else 0,
            one.band if band else 0,
            one.variant != variant,
            one.language != language,
            -one.valid_from.timestamp(),
        )

    return min(present.values(), key=misfit, default=None)


async def picture(store: Store, site_id: int, picture_hash: bytes) -> bytes | None:
    """The PNG under a layout."""
    png: bytes | None = await store.fetchval(
        "SELECT png FROM picture WHERE site_id = $1 AND hash = $2", site_id, picture_hash
    )
    return png


def _check_member(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise LayoutError(f"{what} must be one of {', '.join(known)}, got {given!r}")


def _check_code(what: str, given: int, top: int) -> None:
    if not 0 <= given <= top:
        raise LayoutError(f"{what} must be 0 to {top}, got {given}")


async def _cleaned(
    raw: bytes | None, width_px: int, height_px: int | None
) -> tuple[bytes | None, int]:
    """The picture and how high the page is."""
    if raw is None:
        if height_px is None:
            raise LayoutError("without a picture the page's height is needed: give height_px")
        return None, height_px
    # Waiting for the process that draws it would hold up everybody else on the loop.
    png, _, drawn_px = await asyncio.to_thread(clean_picture, raw, (width_px, height_px or 0))
    return png, drawn_px


async def check_zones(connection: Any, site: Site, page: Page, boxes: tuple[Box, ...]) -> None:
    """Zones that ended are fine: a layout may have been measured before they did."""
    rows = await connection.fetch(
        "SELECT DISTINCT number FROM zone WHERE site_id = $1 AND page_id = $2 ORDER BY number",
        site.site_id,
        page.page_id,
    )
    known = [row["number"] for row in rows]
    for box in boxes:
        if box.number not in known:
            raise LayoutError(
                f"page {page.slug!r} has no zone {box.number}; its zones: "
                f"{', '.join(map(str, known)) or 'none yet'}"
            )


async def _present(connection: Any, site: Site, wanted: Layout) -> Layout | None:
    which = (
        f"{_OF_PAGE} AND band = $3 AND pointer = $4 AND language = $5 AND variant = $6 "
        "ORDER BY valid_from DESC LIMIT 1"
    )
    alike = wanted.band, wanted.pointer, wanted.language, wanted.variant
    found = await _read(connection, which, site.site_id, wanted.page_id, *alike)
    return next(iter(found), None)


def _same(present: Layout, wanted: Layout) -> bool:
    """Whether they look alike, whoever measured it."""
    return wanted == replace(
        present, layout_id=0, valid_from=wanted.valid_from, source=wanted.source
    )


def _following(wanted: Layout, present: Layout | None) -> Layout:
    """With its own moment and number; a clock that stands still or is set back hides no version."""
    valid_from = wanted.valid_from
    if present is not None:
        valid_from = max(valid_from, present.valid_from + TICK)
    told = (
        wanted.page_id,
        wanted.band,
        wanted.language,
        wanted.variant,
        wanted.pointer,
        valid_from.astimezone(UTC).isoformat(),
    )
    digest = blake2b("\0".join(map(str, told)).encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big", signed=True)
    return replace(wanted, layout_id=number, valid_from=valid_from)


async def _insert(connection: Any, site_id: int, layout: Layout, png: bytes | None) -> None:
    if png is not None:
        await connection.execute(
            "INSERT INTO picture (site_id, hash, width_px, height_px, png) "
            "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            site_id,
            layout.picture_hash,
            layout.width_px,
            layout.height_px,
            png,
        )
    places = ", ".join(f"${n}" for n in range(1, len(COLUMNS) + 2))
    await connection.execute(
        f"INSERT INTO layout (site_id, {', '.join(COLUMNS)}) VALUES ({places})",
        site_id,
        *(getattr(layout, name) for name in COLUMNS),
    )
    await insert_boxes(connection, site_id, layout.layout_id, layout.boxes)


async def insert_boxes(connection: Any, site_id: int, layout_id: int, boxes: Iterable[Box]) -> None:
    await connection.executemany(
        "INSERT INTO zone_box (site_id, layout_id, number, x0_px, y0_px, x1_px, y1_px, placement) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(site_id, layout_id, box.number, *box.edges_px, box.placement) for box in boxes],
    )


_EDGES = ", ".join(f"{name}::float8" for name in _BOX_COLUMNS[1:5])
_OWN_COLUMNS = ", ".join(f"layout.{name}" for name in COLUMNS)
_TOLD = f"""
    SELECT json_agg(layout ORDER BY band, pointer, language, variant, valid_from DESC) FROM (
        SELECT site_id, {_OWN_COLUMNS}, encode(layout.picture_hash, 'hex') AS picture,
               json_agg(json_build_array(number, {_EDGES}, placement) ORDER BY number)
               FILTER (WHERE number IS NOT NULL) AS boxes
        FROM unnest($1::int[], $2::int[]) AS own(site_id, page_id)
        JOIN layout USING (site_id, page_id) LEFT JOIN zone_box USING (site_id, layout_id)
        GROUP BY site_id, {_OWN_COLUMNS}
    ) AS layout
"""
"""Coordinates are widened: JSON would have the shortest digits of the narrow numbers."""


def layouts_asked(pages: Sequence[tuple[int, int]]) -> Part:
    """What tells of the layouts of pages, each by shop and number."""
    return Part(_TOLD, ([site_id for site_id, _ in pages], [page_id for _, page_id in pages]))


def layouts_in(
    told: Iterable[Mapping[str, Any]] | None,
) -> dict[tuple[int, int], tuple[Layout, ...]]:
    """By shop and page, from the answer to `layouts_asked`, as `layouts_of` tells those of one."""
    found: dict[tuple[int, int], list[Layout]] = {}
    for row in told or ():
        given = {name: row[name] for name in COLUMNS}
        given["valid_from"] = datetime.fromisoformat(row["valid_from"])
        if row["picture"] is not None:
            given["picture_hash"] = bytes.fromhex(row["picture"])
        boxes = tuple(_box(*box) for box in row["boxes"] or ())
        key = row["site_id"], row["page_id"]
        found.setdefault(key, []).append(Layout(**given, boxes=boxes))
    return {key: tuple(layouts) for key, layouts in found.items()}


def _box(
    number: int, x0_px: float, y0_px: float, x1_px: float, y1_px: float, placement: Placement
) -> Box:
    """JSON has whole numbers without a point."""
    return Box(number, float(x0_px), float(y0_px), float(x1_px), float(y1_px), placement)


async def _read(asked: Any, which: str, *values: Any) -> tuple[Layout, ...]:
    """The layouts that `which` selects, each with its boxes; of a store or a connection."""
    columns = ", ".join((*COLUMNS, *_BOX_COLUMNS))
    rows = await asked.fetch(
        f"SELECT {columns} FROM ({which}) AS layout LEFT JOIN zone_box USING (site_id, layout_id) "
        "ORDER BY band, pointer, language, variant, valid_from DESC, number",
        *values,
    )
    boxes: dict[int, list[Box]] = {}
    for row in rows:
        own = boxes.setdefault(row["layout_id"], [])
        if row["number"] is not None:
            own.append(Box(*(row[name] for name in _BOX_COLUMNS)))
    by_id = {row["layout_id"]: row for row in rows}
    return tuple(_layout(row, tuple(boxes[layout_id])) for layout_id, row in by_id.items())


def _layout(row: Any, boxes: tuple[Box, ...]) -> Layout:
    return Layout(**{name: row[name] for name in COLUMNS}, boxes=boxes)
