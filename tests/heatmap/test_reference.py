"""The core against reference values from direct float64 sums, on synthetic and real visits."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest

from heatmap import density
from heatmap.bandwidth import effective_count, scott_bandwidth
from heatmap.fixations import find_stalls
from heatmap.page import FloatArray
from heatmap.smoothing import Edge
from tests.shared import needs_shared, shared_file

pytestmark = needs_shared

PAIRS = ["pair_synth_desktop", "pair_synth_tall_edges", "pair_real_users"]


def read(case: str, name: str) -> dict[str, FloatArray]:
    """Columns of a compressed table of numbers."""
    with gzip.open(shared_file("reference", case, f"{name}.csv.gz"), "rt") as lines:
        head, *body = csv.reader(lines)
    values = np.array(body, dtype=np.float64)
    return {name: values[:, column] for column, name in enumerate(head)}


def read_meta(case: str) -> dict[str, float]:
    meta: dict[str, float] = json.loads(shared_file("reference", case, "meta.json").read_text())
    return meta


def first_group(case: str) -> tuple[FloatArray, FloatArray]:
    table = read(case, "points")
    chosen = table["group"] == 1
    return np.column_stack((table["x"][chosen], table["y"][chosen])), table["w"][chosen]


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("edge", ["none", "uniform", "diggle"])
def test_a_density_agrees_with_direct_sums(case: str, edge: Edge) -> None:
    meta = read_meta(case)
    points, weights = first_group(case)
    cell_px = meta["W"] / meta["nx"]
    assert cell_px == meta["H"] / meta["ny"]
    got = density(
        points,
        weights / weights.sum(),
        width_px=int(meta["W"]),
        height_px=int(meta["H"]),
        bandwidth_px=meta["h"],
        cell_px=cell_px,
        edge=edge,
    )
    want = read(case, "expected_kde")[f"kde1_{edge}"].reshape(int(meta["ny"]), int(meta["nx"]))
    assert np.abs(got - want).max() <= want.max() / 2000


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize(("axis", "column"), [("x", 0), ("y", 1)])
@pytest.mark.parametrize("weighting", ["weighted", "unweighted"])
def test_rules_for_a_bandwidth_agree(case: str, axis: str, column: int, weighting: str) -> None:
    with shared_file("reference", case, "expected_scalars.csv").open() as lines:
        want = {(row["name"], row["axis"]): float(row["value"]) for row in csv.DictReader(lines)}
    points, weights = first_group(case)
    chosen = weights if weighting == "weighted" else np.ones(len(weights))
    assert effective_count(chosen) == pytest.approx(want[f"neff_{weighting}", axis], rel=1e-12)
    assert scott_bandwidth(points[:, column], chosen) == pytest.approx(
        want[f"scott2d_{weighting}", axis], rel=1e-12
    )


def test_stalls_of_real_visits_agree() -> None:
    meta = read_meta("stalls_real")
    trails, want = read("stalls_real", "trails"), read("stalls_real", "expected_stalls")
    count = 0
    for visit in np.unique(trails["visit"]):
        trail = trails["visit"] == visit
        found = find_stalls(
            trails["t_ms"][trail],
            trails["x"][trail],
            trails["y"][trail],
            tail_ms=meta["tail"],
            cap_ms=meta["cap"],
            dispersion_px=meta["dmax"],
            shortest_ms=meta["tmin"],
        )
        rows = want["visit"] == visit
        np.testing.assert_array_equal(found.first, want["first"][rows])
        np.testing.assert_array_equal(found.last, want["last"][rows])
        np.testing.assert_array_equal(found.t_ms, want["t_ms"][rows])
        np.testing.assert_allclose(found.duration_ms, want["dur_ms"][rows], rtol=1e-12)
        np.testing.assert_allclose(found.x_px, want["cx"][rows], rtol=1e-12)
        np.testing.assert_allclose(found.y_px, want["cy"][rows], rtol=1e-12)
        count += len(found)
    assert count == meta["n_stalls"]
