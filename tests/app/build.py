"""Rows as they lie in a store, put into one or straight into the fold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from app.folding.batches import COLUMNS, NO_PATH, Batches
from app.folding.columns import EPOCH, FIRST_DAY
from app.folding.people import NO_REF
from app.folding.seen import CODE_NAMES, Seen
from app.folding.seen import fold as fold_read
from app.picturing.layouts import Box, Layout
from app.store import Store
from collector.codes import Codes, Phase, pack_codes, width_band
from collector.packing import ENC, Told, pack_events, pack_trail
from collector.partitions import make_partitions
from collector.sites import Page, Site, Zone
from collector.tables import metadata
from collector.visitor import visitor_check
from collector.wire import Capture, Kind
from tests.collector.build import SITE, beacon_row, open_row

T = TypeVar("T")
AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)

CART = Page(1, "cart", "Cart", Phase.CART, goal=False, bandwidth_px=None)
SHIPPING = Page(
    2,
    "shipping",
    "Shipping",
    Phase.CHECKOUT,
    goal=False,
    bandwidth_px=None,
    zones=(
        Zone(1, "postcode", "#postcode", "field"),
        Zone(2, "verzendkosten", "#shipping-cost", "text"),
        Zone(3, "verder", "#next", "button"),
    ),
)
PAYMENT = Page(
    3,
    "payment",
    "Payment",
    Phase.PAYMENT,
    goal=False,
    bandwidth_px=None,
    zones=(Zone(1, "bank", "#bank", "field"), Zone(2, "betalen", "#pay", "pay")),
)
THANKS = Page(4, "thanks", "Thanks", Phase.DONE, goal=True, bandwidth_px=None)
SHOP = replace(SITE, pages={page.slug: page for page in (CART, SHIPPING, PAYMENT, THANKS)})


def seen_view(
    number: int, codes: Codes, day: date, width_px: int | None, captures: int = 1 << Capture.SCRIPT
) -> Seen:
    """A folded view of SHIPPING, of a visitor of its own."""
    return Seen(
        view_id=number,
        day=day,
        page_id=SHIPPING.page_id,
        path_id=None,
        opened_at=AT,
        visitor=number,
        visitor_before=None,
        ref_hash=None,
        codes=codes,
        captures=captures,
        last_at=AT,
        width_px=width_px,
    )


def day_of(at: datetime, site: Site = SHOP) -> date:
    return site.day_of(at)


def opened(view_id: int, at: datetime = AT, page_id: int = 2, **more: Any) -> dict[str, Any]:
    visitor = more.pop("visitor", 5)
    told = {"day": day_of(at), "at": at, "page_id": page_id, "visitor": visitor}
    return open_row(view_id, **{**told, "visitor_check": visitor_check(visitor), **more})


def heard(
    name: str, view_id: int, at: datetime = AT, *, day: date | None = None, visitor: int = 5
) -> dict[str, Any]:
    check = visitor_check(visitor)
    return beacon_row(name, view_id, at=at, day=day or day_of(at), visitor_check=check)


def batch(
    view_id: int,
    seq: int = 0,
    opened_at: datetime = AT,
    *,
    points: Iterable[tuple[int, int, int]] = (),
    clicks: Iterable[Mapping[str, int]] = (),
    events: Iterable[Told] = (),
    **more: Any,
) -> dict[str, Any]:
    trail = list(points)
    packed = pack_events([*events, *(click(**told) for told in clicks)])
    width = more.pop("width_px", 1280)
    told = {name: more.pop(name) for name in CODE_NAMES if name in more}
    codes = {"band": width_band(width), "capture": Capture.SCRIPT, **told}
    return {
        "view_id": view_id,
        "day": day_of(opened_at),
        "seq": seq,
        "at": opened_at + timedelta(minutes=1),
        "opened_min": int(opened_at.timestamp()) // 60,
        "page_id": 2,
        "path_id": None,
        "visitor": 5,
        "visitor_before": None,
        "ref_hash": None,
        "page_width_px": width,
        "page_height_px": 2000,
        "viewport_width_px": width,
        "viewport_height_px": 720,
        "enc": ENC,
        "trail": pack_trail(trail),
        "ev": packed,
        "n": len(trail),
        "codes": pack_codes(Codes(**codes)),
        **more,
    }


def fold(
    opens: Iterable[Mapping[str, Any]],
    beacons: Iterable[Mapping[str, Any]],
    batches: Iterable[Mapping[str, Any]],
) -> list[Seen]:
    """Views of rows as they lie in the store."""
    return fold_read(opens, beacons, as_read(batches))


def as_read(batches: Iterable[Mapping[str, Any]]) -> Batches:
    """As `app.folding.batches` reads them."""
    told = list(batches)
    rows = np.zeros(len(told), list(COLUMNS.items()))
    for n, row in enumerate(told):
        before, path_id = row["visitor_before"], row["path_id"]
        rows[n] = tuple(
            {
                **row,
                "day": (row["day"] - FIRST_DAY).days,
                "at": (row["at"] - EPOCH) // timedelta(microseconds=1),
                "visitor_before": row["visitor"] if before is None else before,
                "path_id": NO_PATH if path_id is None else path_id,
                "ref_hash": row["ref_hash"] or NO_REF,
            }[name]
            for name in COLUMNS
        )
    return Batches.of(rows, [row["trail"] for row in told], [row["ev"] for row in told])


def click(x: int = 0, y: int = 0, t: int = 0, zone: int = 0, u: int = 0, v: int = 0) -> Told:
    return (Kind.CLICK, t, x, y, zone, u, v, 0, 0)


def scrolled(y: int, t: int = 0) -> Told:
    return (Kind.SCROLL, t, 0, y, 0, 0, 0, 0, 0)


def one_view(*names: str, at: datetime = AT, batches: Sequence[Any] = (), **more: Any) -> Seen:
    """A script-free view that sent these beacons."""
    (view,) = fold([opened(1, at, **more)], [heard(name, 1, at) for name in names], batches)
    return view


def timed_view(moments_ms: Mapping[str, int], at: datetime = AT, **more: Any) -> Seen:
    """A script-free view whose beacons arrived so long after its opening."""
    came = [(name, at + timedelta(milliseconds=ms)) for name, ms in moments_ms.items()]
    beacons = [heard(name, 1, moment, day=day_of(at)) for name, moment in came]
    (view,) = fold([opened(1, at, **more)], beacons, [])
    return view


def layout(
    width_px: int = 1280, height_px: int = 2000, *boxes: Box, pointer: str = "fine"
) -> Layout:
    return Layout(
        layout_id=7,
        page_id=2,
        width_px=width_px,
        height_px=height_px,
        band=width_band(width_px),
        language=0,
        variant=0,
        pointer=pointer,
        valid_from=AT,
        source="capture",
        picture_hash=None,
        boxes=boxes,
    )


async def put_rows(store: Store, site: Site, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Straight into the store, as the writer would."""
    columns = [column.name for column in metadata.tables[table].columns]
    told = [{**row, "site_id": site.site_id} for row in rows]
    async with store.transaction() as connection:
        await make_partitions(connection, {row["day"] for row in told})
        records = [tuple(_stored(table, row).get(name) for name in columns) for row in told]
        await connection.copy_records_to_table(table, records=records, columns=columns)


def _stored(table: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A batch has nothing empty that is null."""
    if table != "batch":
        return row
    before = row.get("visitor_before")
    told = {"visitor_before": "" if before is None else str(before)}
    return {**row, **told, "ref_hash": row.get("ref_hash") or b""}


async def put_views(store: Store, site: Site, *rows: Mapping[str, Any]) -> None:
    """Openings (which bear no name yet) and beacons."""
    await put_rows(store, site, "beacon", ({"name": "open", **row} for row in rows))


def goal(
    goal_id: int = 1,
    at: datetime = AT,
    *,
    visitor: int | None = None,
    ref_hash: bytes | None = None,
    source: int = 2,
    result: int = 1,
) -> dict[str, Any]:
    return {
        "goal_id": goal_id,
        "at": at,
        "day": day_of(at),
        "visitor": visitor,
        "ref_hash": ref_hash,
        "source": source,
        "result": result,
    }


def in_store(url: str, does: Callable[[Store], Awaitable[T]]) -> T:
    """What `does` answers, on a store that is open for it alone."""

    async def within() -> T:
        store = Store(url)
        await store.open()
        try:
            return await does(store)
        finally:
            await store.close()

    return asyncio.run(within())
