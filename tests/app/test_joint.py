"""Several questions as one: each keeps its own values, and its own answer."""

from __future__ import annotations

import json
from datetime import date

import pytest

from app.joint import Part, dated, joint
from app.store import Store


async def test_each_part_is_answered_by_its_own_values(store: Store) -> None:
    days = "SELECT day, $2::int AS n FROM unnest($1::date[]) AS asked(day)"
    parts = {
        "sum": Part("SELECT $1::int + $2::int", (2, 3)),
        "days": Part.rows(days, [date(2026, 11, 1), date(2026, 11, 30)], 7),
        "none": Part.rows(f"{days} WHERE $2 > 7", [date(2026, 11, 1)], 7),
        "list": Part("SELECT $1::int[]", (list(range(12)),)),
    }
    expression, values = joint(parts, known=1)
    row = await store.fetchrow(f"SELECT $1::text AS own, {expression} AS told", "mine", *values)
    told = json.loads(row["told"])
    assert row["own"] == "mine"
    assert (told["sum"], told["none"], told["list"]) == (5, None, list(range(12)))
    assert dated(told["days"], "day") == [
        {"day": date(2026, 11, 1), "n": 7},
        {"day": date(2026, 11, 30), "n": 7},
    ]
    assert dated(told["none"], "day") == []


async def test_nothing_beside_is_an_empty_answer(store: Store) -> None:
    expression, values = joint({})
    assert json.loads(await store.fetchval(f"SELECT {expression}", *values)) == {}


@pytest.mark.parametrize("known", [0, 9, 30])
def test_numbers_of_two_digits_are_told_from_those_of_one(known: int) -> None:
    part = Part(", ".join(f"${n}" for n in range(1, 13)), tuple(range(12)))
    expression, _ = joint({"all": part}, known)
    assert expression.count("$") == 12
    assert all(f"${n + known}" in expression for n in range(1, 13))
