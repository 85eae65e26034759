"""Rows packed for COPY are the rows that an INSERT of the same values makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import Store
from collector.copying import FORMS, day_number, whole
from collector.groups import COLUMNS, Row
from collector.partitions import make_partitions
from tests.collector.build import DAY, a_batch, a_beacon, a_goal

MOMENTS = (
    datetime(2026, 11, 18, 12, 0, 0, 1, UTC),
    datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
)
ROWS = [
    *(a_beacon("1.h", view_id, at=at) for view_id, at in enumerate(MOMENTS)),
    a_beacon("y700", -(2**63), visitor_check=-(2**15)),
    a_beacon("open", 2**63 - 1, visitor=-1, page_id=2**31 - 1, device=3, ref_hash=b"\0" * 16),
    a_beacon("é€", 7, visitor=None, path_id=None),
    a_batch(1, 32767, trail=bytes(range(256)), ev=b"\xff" * 4096, visitor_before="-5"),
    a_batch(2, 0, path_id=-(2**63), ref_hash=b"\xff" * 16),
    a_goal(1, 1, visitor=9),
    a_goal(2, 3, ref_hash=b"\xff" * 16),
]


async def copied(store: Store, rows: list[Row]) -> dict[str, list[Any]]:
    async with store.connection() as connection:
        await make_partitions(connection, [DAY])
        for table, form in FORMS.items():
            packed = whole(form.row(row.values) for row in rows if row.table == table)
            await connection.copy_to_table(
                table, source=memoryview(packed), columns=form.columns, format="binary"
            )
    return {
        name: await store.fetch(f"SELECT {', '.join(columns)} FROM {name}")
        for name, columns in COLUMNS.items()
    }


@pytest.mark.anyio
async def test_every_value_arrives_as_it_was(store: Store) -> None:
    found = await copied(store, ROWS)
    for table, rows in found.items():
        told = sorted(map(tuple, rows), key=repr)
        assert told == sorted((row.record for row in ROWS if row.table == table), key=repr)


@pytest.mark.anyio
async def test_no_rows_are_a_copy_of_nothing(store: Store) -> None:
    assert await copied(store, []) == {"beacon": [], "batch": [], "goal": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {"view_id": 2**63},
        {"site_id": -(2**31) - 1},
        {"visitor_check": 2**15},
        {"visitor_check": "5"},
        {"visitor_check": 0.5},
        {"at": datetime(2026, 11, 18, 12, 0)},
        {"at": "2026-11-18"},
        {"day": "2026-11-18"},
        {"name": "\ud800"},
        {"ref_hash": "text"},
    ],
)
def test_what_no_column_could_hold_is_an_error_that_blames_the_row(wrong: dict[str, Any]) -> None:
    values = {**a_beacon().values, **wrong}
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        FORMS["beacon"].row(values)


@given(st.permutations(list(a_batch().values.items())))
def test_it_does_not_matter_in_which_order_a_row_names_its_columns(
    items: list[tuple[str, Any]],
) -> None:
    form = FORMS["batch"]
    assert form.row(dict(items)) == form.row(a_batch().values)


def test_a_name_that_is_not_there_and_none_are_both_null() -> None:
    form = FORMS["beacon"]
    values = a_beacon().values
    assert form.row(values) == form.row({**dict.fromkeys(COLUMNS["beacon"]), **values})


def test_every_column_is_copied_once() -> None:
    for table, form in FORMS.items():
        assert sorted(form.columns) == sorted(COLUMNS[table])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.table} {row.key[3]}")
def test_pieces_joined_are_the_row(row: Row) -> None:
    form, at = FORMS[row.table], row.values["at"]
    for cut in range(1, len(form.columns) - 1):
        pieces = [
            form.piece(form.columns[1], form.columns[cut], row.values),
            form.piece(form.columns[cut + 1], form.columns[-1], row.values),
        ]
        assert form.head_at(at) + b"".join(pieces) == form.row(row.values)


def test_a_line_of_numbers_is_the_piece_that_they_make() -> None:
    form = FORMS["beacon"]
    line = form.line("view_id", "page_id", "view_id", "day", "site_id")
    values = {"view_id": -5, "day": DAY, "site_id": 7}
    assert line(-5, day_number(DAY), 7) == form.piece("view_id", "page_id", values)
