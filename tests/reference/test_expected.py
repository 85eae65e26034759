"""The core against expected values from direct float64 sums, on synthetic and on real visits."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from heatmap.page import FloatArray
from heatmap.relabelling import Labellings
from heatmap.smoothing import Edge
from tests.reference import adapter
from tests.reference.tables import PAIRS, facts, first_group, scalars, table
from tests.shared import needs_shared, shared_file

pytestmark = needs_shared

EXACT = 1e-9
BINNED = 1 / 2000
"""Of the peak; four times finer than what is promised of maps that rest on cells."""


def page_of(case: str) -> dict[str, int]:
    told = facts(case)
    names = {"width": "W", "height": "H", "nx": "nx", "ny": "ny"}
    return {name: int(told[key]) for name, key in names.items()}


def expected(case: str, column: str) -> FloatArray:
    told = facts(case)
    return table(case, "expected_kde")[column].reshape(int(told["ny"]), int(told["nx"]))


def off_by(got: FloatArray, want: FloatArray) -> float:
    """Largest difference, of the largest value."""
    assert got.shape == want.shape
    return float(np.abs(got - want).max() / want.max())


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("edge", ["none", "uniform", "diggle"])
def test_a_density_agrees_with_direct_sums(case: str, edge: Edge) -> None:
    points = first_group(case)
    x, y, w = points["x"], points["y"], points["w"]
    want, h, page = expected(case, f"kde1_{edge}"), facts(case)["h"], page_of(case)
    assert off_by(adapter.kde(x, y, w, h, edge=edge, **page), want) <= EXACT
    assert off_by(adapter.kde_binned(x, y, w, h, edge=edge, **page), want) <= BINNED


@pytest.mark.parametrize("case", PAIRS)
def test_the_mass_inside_the_page_agrees(case: str) -> None:
    got = adapter.edge_mass(facts(case)["h"], **page_of(case))
    assert off_by(got, expected(case, "q")) <= EXACT


@pytest.mark.parametrize("case", PAIRS)
def test_linear_binning_agrees(case: str) -> None:
    points = first_group(case)
    x, y, w = points["x"], points["y"], points["w"]
    got = adapter.kde_linbin(x, y, w, facts(case)["h"], **page_of(case))
    assert off_by(got, expected(case, "kde1_linbin")) <= EXACT


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("weighting", ["weighted", "unweighted"])
def test_rules_for_a_bandwidth_agree(case: str, axis: str, weighting: str) -> None:
    points, want = first_group(case), scalars(case)
    v = points[axis]
    w = points["w"] if weighting == "weighted" else np.ones(v.size)
    kdepy = "isj_kdepy_weighted" if weighting == "weighted" else "isj_kdepy"
    found = {
        f"neff_{weighting}": adapter.neff(w),
        f"scott2d_{weighting}": adapter.scott(v, w),
        f"silverman1d_{weighting}": adapter.silverman(v, w),
        kdepy: adapter.isj(v, w),
    }
    for name, value in found.items():
        assert value == pytest.approx(want[name, axis], rel=EXACT), name


@pytest.mark.parametrize("case", PAIRS)
def test_cross_validation_agrees(case: str) -> None:
    points, want = first_group(case), scalars(case)
    x, y, w, visit = (points[name] for name in ("x", "y", "w", "visit"))
    variants = {
        "point_unweighted": (np.ones(w.size), None),
        "point_weighted": (w, None),
        "visit_weighted": (w, visit),
    }
    h = facts(case)["h"]
    for name, (weights, group) in variants.items():
        score = adapter.lscv(x, y, weights, h, group)
        assert score == pytest.approx(want[f"lscv_{name}(h={h:g})", "xy"], rel=EXACT), name


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("weighting", ["weighted", "unweighted"])
def test_relative_risks_agree(case: str, weighting: str) -> None:
    told, points = facts(case), table(case, "points")
    groups: dict[str, FloatArray] = {}
    for number in (1, 2):
        chosen = points["group"] == number
        groups |= {f"{name}{number}": points[name][chosen] for name in "xyw"}
        if weighting == "unweighted":
            groups[f"w{number}"] = np.ones(int(chosen.sum()))
    want = table(case, "expected_rr" if weighting == "weighted" else "expected_rr_unweighted")
    known = (want["f1"] > 0.05 * want["f1"].max()) & (want["f2"] > 0.05 * want["f2"].max())
    page = {"width": int(told["W"]), "height": int(told["H"])}
    grid = {"nx": int(told["nrr"]), "ny": int(told["nrr"])}
    for name, column in (("log_rr", "logrr"), ("tolerance_p", "p_upper")):
        got = getattr(adapter, name)(**groups, h=told["h"], **page, **grid).ravel()
        np.testing.assert_allclose(got[known], want[column][known], rtol=0, atol=EXACT)
    distance = adapter.global_ise(**groups, h=told["h"])
    assert distance == pytest.approx(scalars(case)[f"t_ise_{weighting}", "xy"], rel=EXACT)


RELABELLED = ("perm_exhaustive_6v6", "perm_real_20v20")


def relabelled(case: str) -> dict[str, FloatArray | float]:
    told, points = facts(case), table(case, "points")
    labels = table(case, "labels")
    width, height, nx, ny = (int(told[name]) for name in ("W", "H", "nx", "ny"))
    return adapter.visit_test(
        points["x"],
        points["y"],
        points["w"],
        points["visit"],
        np.array([int(column[1:]) for column in labels]),
        np.column_stack(list(labels.values())),
        told["h"],
        width,
        height,
        nx,
        ny,
        told["kmin"],
        told["s0q"],
    )


@pytest.mark.parametrize("case", RELABELLED)
def test_relabelled_visits_agree(case: str) -> None:
    got, want = relabelled(case), table(case, "expected_perm")
    mask = want["mask"] == 1
    for name, values in got.items():
        if name in want:
            inside = np.asarray(values).ravel()[mask]
            if name.startswith("p_"):
                np.testing.assert_array_equal(inside, want[name][mask], err_msg=name)
            else:
                scale = np.abs(want[name][mask]).max()
                np.testing.assert_allclose(
                    inside, want[name][mask], rtol=0, atol=EXACT * scale, err_msg=name
                )
    assert {name for name in want if name not in ("x", "y", "mask")} <= got.keys()
    for name, value in perm_scalars(case).items():
        if name in got:
            assert got[name] == pytest.approx(value, rel=EXACT), name


def perm_scalars(case: str) -> dict[str, float]:
    """Of these cases scalars have no axis."""
    with shared_file("reference", case, "expected_scalars.csv").open() as lines:
        return {row["name"]: float(row["value"]) for row in csv.DictReader(lines)}


def test_all_labellings_there_are_give_the_same_p() -> None:
    """What the product enumerates by itself is what the reference enumerated."""
    case = "perm_exhaustive_6v6"
    labels = np.column_stack(list(table(case, "labels").values())) == 1
    first = labels[0]
    every = Labellings(first, np.zeros(first.size, dtype=np.intp)).among(
        np.ones_like(first), np.float64
    )
    assert len(every) == len(labels)
    np.testing.assert_array_equal(every[0] == 1, first)
    np.testing.assert_array_equal(np.unique(every == 1, axis=0), np.unique(labels, axis=0))


def test_stalls_of_real_visits_agree() -> None:
    told = facts("stalls_real")
    trails, want = table("stalls_real", "trails"), table("stalls_real", "expected_stalls")
    columns = ("first", "last", "t_ms", "dur_ms", "cx", "cy")
    count = 0
    for visit in np.unique(trails["visit"]):
        t, x, y = (trails[name][trails["visit"] == visit] for name in ("t_ms", "x", "y"))
        limits = {name: told[name] for name in ("dmax", "tmin", "cap")}
        found = adapter.stalls(t, x, y, t_end=t[-1] + told["tail"], **limits)
        rows = want["visit"] == visit
        expected = np.column_stack([want[name][rows] for name in columns])
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        np.testing.assert_array_equal(np.array(found)[:, :3], expected[:, :3])
        count += len(found)
    assert count == told["n_stalls"]
