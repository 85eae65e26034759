"""Columns by binary COPY: what the store answers, and what cannot be read this way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from app.folding.columns import FIRST_DAY, moment, read_columns
from app.store import Store

AT = datetime(2026, 11, 18, 12, 0, 0, 123457, tzinfo=UTC)


async def test_numbers_times_days_and_hashes_arrive_as_they_are(store: Store) -> None:
    query = "SELECT $1::bigint, $2::timestamptz, $3::date, '\\x00ff'::bytea"
    columns = {"number": "i8", "at": "i8", "day": "i4", "hash": "S2"}
    async with store.connection() as connection:
        (row,) = await read_columns(connection, query, (-(2**63), AT, AT.date()), columns)
    assert (row["number"], moment(int(row["at"])), row["hash"]) == (-(2**63), AT, b"\0\xff")
    assert FIRST_DAY + timedelta(days=int(row["day"])) == date(2026, 11, 18)


@pytest.mark.parametrize("n", [0, 1, 100_000])
async def test_however_many_rows_there_are_each_is_read_once(store: Store, n: int) -> None:
    query = "SELECT n, -n FROM generate_series(1, $1::bigint) AS n"
    async with store.connection() as connection:
        rows = await read_columns(connection, query, (n,), {"n": "i8", "less": "i8"})
    assert np.array_equal(rows["n"], np.arange(1, n + 1))
    assert np.array_equal(rows["less"], -rows["n"])


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("SELECT NULL::bigint", "i8"),
        ("SELECT '\\x0102'::bytea", "S3"),
        ("SELECT 1::bigint UNION ALL SELECT NULL", "i8"),
        ("SELECT 1::int", "i8"),
    ],
)
async def test_a_column_of_another_width_is_refused(store: Store, query: str, kind: str) -> None:
    async with store.connection() as connection:
        with pytest.raises(ValueError, match=r"never null|or is null"):
            await read_columns(connection, query, (), {"told": kind})
        assert await connection.fetchval("SELECT 1") == 1, "the connection stays good"


async def test_numbers_are_asked_for_in_lists_and_nothing_else_is_written_out(store: Store) -> None:
    async with store.connection() as connection:
        query = "SELECT n::int FROM generate_series(-2, 2) AS n WHERE n = ANY($1) ORDER BY n"
        rows = await read_columns(connection, query, ([-2, 0, 1],), {"n": "i4"})
        assert rows["n"].tolist() == [-2, 0, 1]
        for value in ("1); DROP TABLE site; --", b"\0", 1.5, ["1"], None):
            with pytest.raises(TypeError, match="only numbers and times"):
                await read_columns(connection, "SELECT $1::int", (value,), {"n": "i4"})
