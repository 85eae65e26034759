"""The reference values as they lie on disk: compressed tables of numbers and one page's facts."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np

from heatmap.page import FloatArray
from tests.shared import shared_file

FOLDER = "reference"

PAIRS = ("pair_synth_desktop", "pair_synth_tall_edges", "pair_real_users")
"""Pages with two groups of visits each: even, tall and heavy at its edges, and real."""


def table(case: str, name: str) -> dict[str, FloatArray]:
    """Columns of one table, by name; NaN where a cell is empty."""
    with gzip.open(shared_file(FOLDER, case, f"{name}.csv.gz"), "rt") as lines:
        head, *body = csv.reader(lines)
    values = np.array([[cell or "nan" for cell in row] for row in body], dtype=np.float64)
    return {column: values[:, place] for place, column in enumerate(head)}


def scalars(case: str) -> dict[tuple[str, str], float]:
    """Single values by their name and axis."""
    with shared_file(FOLDER, case, "expected_scalars.csv").open() as lines:
        return {(row["name"], row["axis"]): float(row["value"]) for row in csv.DictReader(lines)}


def facts(case: str) -> dict[str, float]:
    """Size of the page, of its grid, the bandwidth and the like."""
    told: dict[str, float] = json.loads(shared_file(FOLDER, case, "meta.json").read_text())
    return told


def first_group(case: str) -> dict[str, FloatArray]:
    """Columns visit, x, y and w of the first group's points."""
    points = table(case, "points")
    chosen = points["group"] == 1
    return {name: points[name][chosen] for name in ("visit", "x", "y", "w")}
