"""What was deleted while rows of it waited on the disk of some machine: they never reach the store.

A deletion takes what the store has. What a collector acknowledged while the store was away lies in
the spool of its machine, and would come back after it. So a deletion leaves a mark for as long as a
spool may hold rows, and whoever replays one looks at the marks first, under a lock that a deletion
takes too: a row is either seen by the deletion, or sees its mark.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from collector.groups import Row

_LOCK = "hashtext('what is deleted')"

_NOTED = """
    SELECT erasure_id, at, site_id, first_day, last_day, page_id, views, visitors, refs
    FROM erasure WHERE site_id = ANY($1) AND at >= $2 ORDER BY erasure_id
"""
_NOTE = """
    INSERT INTO erasure (at, site_id, first_day, last_day, page_id, views, visitors, refs)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FORGET = "DELETE FROM erasure WHERE at < $1"
_FORGET_REFS = "UPDATE erasure SET refs = '{}' WHERE site_id = $1 AND at < $2 AND refs <> '{}'"
_ADD_VIEWS = "UPDATE erasure SET views = views || $2::bigint[] WHERE erasure_id = $1"


@dataclass(slots=True)
class Erasure:
    """Rows of a shop that had arrived by `at`.

    days   both included; None for every day
    views  None for every row of these days; else the rows of these views, of the page, and of whom
           a keyed hash or a reference names
    """

    at: datetime
    site_id: int
    days: tuple[date, date] | None = None
    views: set[int] | None = None
    page_id: int | None = None
    visitors: Collection[int] = frozenset()
    refs: Collection[bytes] = frozenset()

    def takes(self, row: Row) -> bool:
        told = row.values
        if told["site_id"] != self.site_id or told["at"] > self.at:
            return False
        if self.days is not None and not self.days[0] <= told["day"] <= self.days[1]:
            return False
        return self.views is None or (
            told.get("view_id") in self.views
            or told.get("visitor") in self.visitors
            or _number(told.get("visitor_before")) in self.visitors
            or told.get("ref_hash") in self.refs
            or (self.page_id is not None and told.get("page_id") == self.page_id)
        )


def _number(told: int | str | None) -> int | None:
    """Of a hash that an opening bears as a number, and a batch in digits or not at all."""
    return None if told is None or told == "" else int(told)


async def hold(connection: Any) -> None:
    """Nothing is replayed until the transaction ends, which deletes what there is and notes it."""
    await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")


async def note(connection: Any, erasure: Erasure) -> None:
    """Leave the mark, in the transaction that deletes."""
    first, last = erasure.days or (None, None)
    await connection.execute(
        _NOTE,
        erasure.at,
        erasure.site_id,
        first,
        last,
        erasure.page_id,
        None if erasure.views is None else list(erasure.views),
        list(erasure.visitors),
        list(erasure.refs),
    )


async def forget(store: Any, before: datetime, refs_before: Mapping[int, datetime]) -> None:
    """Let go of marks that are older than any row in a spool, and of references by shop."""
    await store.execute(_FORGET, before)
    for site_id, moment in refs_before.items():
        await store.execute(_FORGET_REFS, site_id, moment)


@asynccontextmanager
async def not_erased(connection: Any, rows: Sequence[Row]) -> AsyncIterator[list[Row]]:
    """Those of `rows` that nobody has deleted; nobody does until the context ends."""
    await connection.execute(f"SELECT pg_advisory_lock_shared({_LOCK})")
    yield await _left_of(connection, rows) if rows else []
    await connection.execute(f"SELECT pg_advisory_unlock_shared({_LOCK})")


async def _left_of(connection: Any, rows: Sequence[Row]) -> list[Row]:
    sites = {row.values["site_id"] for row in rows}
    since = min(row.values["at"] for row in rows)
    left = list(rows)
    for told in await connection.fetch(_NOTED, sites, since):
        left, found = _without(left, _read(told))
        if found:
            # What else the view sent may lie in the next record, and names nobody.
            await connection.execute(_ADD_VIEWS, told["erasure_id"], sorted(found))
    return left


def _without(rows: Sequence[Row], erasure: Erasure) -> tuple[list[Row], set[int]]:
    """What is left, and views that are meant as well."""
    left: list[Row] = []
    found: set[int] = set()
    for row in rows:
        view_id = row.values.get("view_id")
        if not erasure.takes(row):
            left.append(row)
        elif erasure.views is not None and view_id is not None and view_id not in erasure.views:
            erasure.views.add(view_id)
            found.add(view_id)
    return left, found


def _read(told: Any) -> Erasure:
    first, last = told["first_day"], told["last_day"]
    return Erasure(
        told["at"],
        told["site_id"],
        None if first is None else (first, last),
        None if told["views"] is None else set(told["views"]),
        told["page_id"],
        frozenset(told["visitors"]),
        frozenset(told["refs"]),
    )
