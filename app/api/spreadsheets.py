"""Rows as CSV that a spreadsheet opens, and that cannot make one compute anything."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence

from heatmap.intervals import Interval

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula: a name of the shop's may begin so."""

Cell = str | int | float | bool | None
Table = tuple[Sequence[str], Iterator[Sequence[Cell]]]
"""Head and rows."""


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """RFC 4180: commas, a line for each row, an empty cell for what is not known."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return written.getvalue()


def edges(told: Interval) -> tuple[float, float, float]:
    """An estimate and its interval, as three cells."""
    return told.value, told.low, told.high


def _cell(value: Cell) -> str | int | float:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
