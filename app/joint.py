"""Several questions to the store asked as one: each is a part of it and answers with a JSON value.

For what is small, and wanted at the same time by one who waits. None of the parts depends on
another, so that a store that is spread over several machines can answer them too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

_NUMBER = re.compile(r"\$(\d+)")


class Answers(Protocol):
    """The store, or one connection of it."""

    async def fetch(self, statement: str, *values: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A statement whose values are numbered from 1, as anywhere else; it answers with one value."""

    statement: str
    values: tuple[Any, ...]

    @classmethod
    def rows(cls, statement: str, *values: Any) -> Part:
        """A list of what the statement answers, each row by its names; None where there is none."""
        return cls(f"SELECT json_agg(told) FROM ({statement}) AS told", values)


NO_PARTS: Mapping[str, Part] = {}
"""Where nothing is asked beside something else."""


def joint(parts: Mapping[str, Part], known: int = 0) -> tuple[str, list[Any]]:
    """An expression with the answers of all parts by their names, and the values it wants.

    known  how many values the statement has that it stands in
    """
    told: list[str] = []
    values: list[Any] = []
    for name, part in parts.items():
        told.append(f"'{name}', ({renumbered(part.statement, known + len(values))})")
        values += part.values
    return f"json_build_object({', '.join(told)})", values


async def told_of(store: Answers, parts: Mapping[str, Part]) -> Mapping[str, Any]:
    """The answers of all parts, by their names; nothing is asked where there is none."""
    if not parts:
        return {}
    expression, values = joint(parts)
    (row,) = await store.fetch(f"SELECT {expression} AS told", *values)
    told: Mapping[str, Any] = json.loads(row["told"])
    return told


def renumbered(statement: str, known: int) -> str:
    """With its values numbered after so many that stand before them."""
    return _NUMBER.sub(lambda number: f"${int(number[1]) + known}", statement)


def dated(rows: Iterable[dict[str, Any]] | None, *names: str) -> list[dict[str, Any]]:
    """Rows of a part, with these of their columns as days again."""
    return [
        {
            **row,
            **{name: date.fromisoformat(row[name]) for name in names if row[name] is not None},
        }
        for row in rows or ()
    ]
