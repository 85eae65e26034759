"""A hundred thousand recorded events to a running collector, and back out of the store."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.clock import SteppedClock
from app.replay import Summary, read_recordings, write_recordings
from collector.packing import unpack_events, unpack_trails
from collector.wire import Kind
from heatmap import density
from heatmap.drawing import draw
from heatmap.marks import gather
from tests.conftest import NOON, own_database
from tests.replay.balabit import read_balabit
from tests.replay.exact import Floats, direct_sum, highest
from tests.replay.shop import ask, judge, open_shop, send
from tests.serving import Running, serving
from tests.shared import needs_shared

pytestmark = needs_shared

VISITS = {"short": ("2", "5", "9", "12", "14"), "long": ("1630", "1631", "1632")}
"""Short ones on three screens; long ones of one screen, one of them of two views."""

LEAST_EVENTS = 100_000
SEED = "first"
PAGE_PX = (1440, 2700)
"""The screen of the long visits, three times its height."""

SENT_AGAIN = 4
"""Views that are sent a second time."""

BANDWIDTH_PX = 24.0
PEAKS = 12


@dataclass(frozen=True, slots=True)
class Replayed:
    gloed: Running
    site_key: str
    path: Path
    ledger: Path
    summary: Summary


@pytest.fixture(scope="module")
def replayed(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replayed]:
    """One replay for all tests of this module, which only look at what it left."""
    folder = tmp_path_factory.mktemp("replay")
    path, ledger = folder / "views.jsonl.gz", folder / "ledger.jsonl"
    views = (read_balabit(part, visits) for part, visits in VISITS.items())
    write_recordings(path, chain.from_iterable(views))
    with (
        own_database(server_url, template) as url,
        serving(url, SteppedClock(NOON), trusted_proxies=("127.0.0.1",)) as gloed,
    ):
        site_key = open_shop(gloed)
        summary = send(gloed, path, site_key, ledger, seed=SEED, clients=16)
        yield Replayed(gloed, site_key, path, ledger, summary)


def test_every_event_of_the_file_is_acknowledged(replayed: Replayed) -> None:
    kinds = [event[1] for view in _lines(replayed.path) for event in view["events"]]
    points = kinds.count("move")
    assert len(kinds) >= LEAST_EVENTS
    assert (replayed.summary.points, replayed.summary.events) == (points, len(kinds) - points)
    assert replayed.summary.views == len(list(_lines(replayed.path)))
    assert replayed.summary.acked == replayed.summary.batches
    assert not replayed.summary.dropped


def test_what_was_acknowledged_is_stored_once_and_as_it_was_sent(replayed: Replayed) -> None:
    verdict = judge(replayed.gloed, replayed.site_key, replayed.ledger)
    assert verdict.acked == verdict.stored == replayed.summary.batches
    assert (verdict.lost, verdict.twice, verdict.differing) == (0, 0, 0)
    assert verdict.exact


def test_the_store_holds_the_points_of_the_file_and_no_others(replayed: Replayed) -> None:
    """Once more without ledger and digests: file and store as two heaps of points."""
    recorded = sorted(
        (x, y, t)
        for view in _lines(replayed.path)
        for t, kind, x, y in view["events"]
        if kind == "move"
    )
    rows = ask(replayed.gloed, "SELECT trail, enc, n FROM batch")
    assert sum(row["n"] for row in rows) == len(recorded)
    points = unpack_trails([row["trail"] for row in rows], [row["enc"] for row in rows]).records
    assert sorted(points.tolist()) == recorded


def test_every_visit_is_a_visitor_of_its_own(replayed: Replayed) -> None:
    visits = [view["visit"] for view in _lines(replayed.path)]
    (row,) = ask(
        replayed.gloed,
        "SELECT count(DISTINCT visitor) AS visitors, count(DISTINCT view_id) AS views FROM batch",
    )
    assert (row["visitors"], row["views"]) == (len(set(visits)), len(visits))
    assert row["visitors"] < row["views"]


def test_the_same_seed_again_stores_nothing_twice(replayed: Replayed, tmp_path: Path) -> None:
    path, ledger = tmp_path / "some.jsonl", tmp_path / "ledger.jsonl"
    write_recordings(path, islice(read_recordings(replayed.path), SENT_AGAIN))
    before = _stored(replayed.gloed)
    again = send(replayed.gloed, path, replayed.site_key, ledger, seed=SEED)
    assert again.views == SENT_AGAIN
    assert again.repeated == again.acked == again.batches > SENT_AGAIN
    assert _stored(replayed.gloed) == before
    assert judge(replayed.gloed, replayed.site_key, ledger).exact


def test_a_finished_ledger_has_nothing_left_to_send(replayed: Replayed) -> None:
    again = send(replayed.gloed, replayed.path, replayed.site_key, replayed.ledger)
    assert (again.skipped, again.tries) == (replayed.summary.batches, 0)


def test_the_click_map_peaks_where_and_as_high_as_the_file_says(replayed: Replayed) -> None:
    """The drawn surface from Postgres against the direct sum over the file's own lines."""
    recorded, stored = _recorded_clicks(replayed.path), _stored_clicks(replayed.gloed)
    # Pixels are evaluated at their centres, so that is where peaks are looked for.
    places = np.unique(np.floor(recorded), axis=0) + 0.5
    heights = direct_sum(recorded, places, PAGE_PX, BANDWIDTH_PX)
    peaks = highest(places, heights, 3 * BANDWIDTH_PX, PEAKS)
    assert len(peaks) == PEAKS
    width_px, height_px = PAGE_PX
    size: dict[str, Any] = {"width_px": width_px, "height_px": height_px}
    surface = density(stored, **size, bandwidth_px=BANDWIDTH_PX, cell_px=1)
    columns, rows = np.floor(places[peaks]).astype(int).T
    within = heights.max() / 256
    np.testing.assert_allclose(surface[rows, columns], heights[peaks], rtol=0, atol=within)

    drawn = draw(gather(stored, None, None, None), **size, bandwidth_px=BANDWIDTH_PX)
    assert drawn.mass == len(recorded)
    assert drawn.peak_x_px is not None
    assert drawn.peak_y_px is not None
    top = np.array([[drawn.peak_x_px, drawn.peak_y_px]])
    (exact,) = direct_sum(recorded, top, PAGE_PX, BANDWIDTH_PX)
    assert drawn.peak == pytest.approx(exact, rel=1 / 256)
    assert drawn.peak >= heights.max() - within


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The file by the standard library alone."""
    with gzip.open(path) as lines:
        yield from map(json.loads, lines)


def _recorded_clicks(path: Path) -> Floats:
    clicks = [
        (x, y)
        for view in _lines(path)
        if tuple(view["page"]) == PAGE_PX
        for _, kind, x, y in view["events"]
        if kind == "click"
    ]
    return np.array(clicks, dtype=np.float64)


def _stored_clicks(gloed: Running) -> Floats:
    rows = ask(
        gloed,
        "SELECT ev, enc FROM batch WHERE (page_width_px, page_height_px) = ($1, $2)",
        *PAGE_PX,
    )
    events = unpack_events([row["ev"] for row in rows], [row["enc"] for row in rows]).records
    clicks = events[events["kind"] == Kind.CLICK]
    return np.stack((clicks["x"], clicks["y"]), axis=1).astype(np.float64)


def _stored(gloed: Running) -> tuple[int, int, int]:
    (row,) = ask(gloed, "SELECT count(*), sum(n), sum(length(trail) + length(ev)) FROM batch")
    return tuple(row)
