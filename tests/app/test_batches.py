"""Batches come out of the store as they went in, however many and in whatever order."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from app.folding.batches import COLUMNS, Batches, _Reader, read_batches
from app.store import Store
from collector.errors import PackingError
from collector.sites import Site
from tests.app.build import AT, as_read, batch, put_rows
from tests.build import make_shop

DAY = timedelta(days=1)
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def told(seed: int = 1) -> list[dict[str, Any]]:
    """Views of two days, as long and as short as they come, mixed."""
    drawn = random.Random(seed)
    rows = []
    for view_id in (LOWEST, -7, 0, 1, 2**40, HIGHEST):
        opened_at = AT + drawn.choice((0, 1)) * DAY
        for seq in range(drawn.randint(1, 4)):
            points = [(drawn.randint(0, 900), n, 100 * n) for n in range(drawn.randint(0, 300))]
            clicks = [{"x": 5, "y": n, "t": n} for n in range(drawn.randint(0, 3))]
            more: dict[str, Any] = {
                "visitor": drawn.choice((LOWEST, 5)),
                "visitor_before": drawn.choice((None, -6)),
                "path_id": drawn.choice((None, HIGHEST)),
                "ref_hash": drawn.choice((None, b"r" * 15 + b"\0")),
            }
            rows.append(batch(view_id, seq, opened_at, points=points, clicks=clicks, **more))
    drawn.shuffle(rows)
    return rows


def as_told(batches: Batches) -> list[Any]:
    return [
        (
            key,
            batches.rows[its].tolist(),
            batches.points.of_rows(its.start, its.stop).tolist(),
            batches.events.of_rows(its.start, its.stop).tolist(),
        )
        for key, its in batches.views
    ]


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, AT)


async def test_what_was_put_in_comes_out(store: Store, shop: Site) -> None:
    rows = told()
    await put_rows(store, shop, "batch", rows)
    await put_rows(store, await make_shop(store, AT, "Boekhandel"), "batch", [batch(1, 9)])
    days = {row["day"] for row in rows}
    ids = {row["view_id"] for row in rows}
    async with store.connection() as connection:
        found = await read_batches(connection, shop.site_id, {day: ids for day in days})
        none = await read_batches(connection, shop.site_id, {AT.date(): [12]})
    assert as_told(found) == as_told(as_read(rows))
    assert {key for key, _ in found.views} == {(row["day"], row["view_id"]) for row in rows}
    assert (none.views, len(none.rows)) == ([], 0)


async def test_only_some_views_are_those_views(store: Store, shop: Site) -> None:
    whole = as_read(told())
    wanted = [key for key, _ in whole.views][1::2]
    kept = [one for one in as_told(whole) if one[0] in wanted]
    assert as_told(whole.only(wanted)) == kept


async def test_a_damaged_batch_is_refused_with_its_neighbours(store: Store, shop: Site) -> None:
    rows = told()
    await put_rows(store, shop, "batch", [{**row, "trail": row["trail"][:-1]} for row in rows])
    by_day = {row["day"]: [row["view_id"] for row in rows] for row in rows}
    async with store.connection() as connection:
        with pytest.raises(PackingError):
            await read_batches(connection, shop.site_id, by_day)


COPIED = ", ".join(COLUMNS).replace("ref_hash", r"'\x00000000000000000000000000000000'::bytea")


@pytest.mark.parametrize("sizes", [(1,), (7, 3), (64,), (100_000,)])
async def test_a_stream_may_be_cut_anywhere(
    store: Store, shop: Site, sizes: tuple[int, ...]
) -> None:
    rows = [{**row, "visitor_before": 1, "path_id": 1} for row in told(2)]
    await put_rows(store, shop, "batch", rows)
    stream = b""

    async def take(data: bytes) -> None:
        nonlocal stream
        stream += data

    query = f"SELECT {COPIED}, trail, ev FROM batch".replace(
        "visitor_before", "visitor_before::bigint"
    )
    async with store.connection() as connection:
        await connection.copy_from_query(query, output=take, format="binary")
    at, reader, turn = 0, _Reader(), 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        await reader.take(stream[at : at + size])
        at, turn = at + size, turn + 1
    expected = as_read([{**row, "ref_hash": None} for row in rows])
    assert as_told(reader.batches()) == as_told(expected)


@pytest.mark.parametrize("null", ["trail", "ev", "visitor"])
async def test_a_null_is_an_error_and_no_other_row(store: Store, shop: Site, null: str) -> None:
    await put_rows(store, shop, "batch", [{**batch(1), "visitor_before": 1, "path_id": 1}])
    columns = f"{COPIED}, trail, ev".replace("visitor_before", "visitor_before::bigint")
    told_null = columns.replace(f" {null},", f" nullif({null}, {null}),").replace(
        ", ev", f", {'nullif(ev, ev)' if null == 'ev' else 'ev'}"
    )
    reader = _Reader()
    async with store.connection() as connection:
        await connection.copy_from_query(
            f"SELECT {told_null} FROM batch", output=reader.take, format="binary"
        )
    with pytest.raises(ValueError, match="null"):
        reader.batches()
