"""Recordings as batches: bounded, in order, and nothing lost on the way to the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.replay import Event, Recording, ReplayError
from app.replay.batches import (
    BATCH_MS,
    BATCH_POINTS,
    Opening,
    address_of,
    batches_of,
    view_id_of,
)
from app.replay.content import EVENT_FIELDS, Content
from app.replay.pace import Pace, check_speed
from collector.decode import decode_batch, view_id_text
from collector.packing import ENC, unpack_events, unpack_trails
from collector.wire import MAX_BODY_BYTES, MAX_EVENTS, MAX_SEQ, MAX_X_PX, MAX_Y_PX, Kind
from tests.replay.test_recordings import recordings

OPENING = Opening("f123456789abcdef", 29_800_000, "checkout")


def a_recording(events: list[Event]) -> Recording:
    return Recording(view="a", viewport=(1280, 720), page=(1280, 2400), events=tuple(events))


@given(recordings)
def test_the_collector_decodes_exactly_what_was_recorded(recording: Recording) -> None:
    sent = list(batches_of(recording, OPENING))
    decoded = [decode_batch(batch.body) for batch in sent]
    assert [batch.seq for batch in decoded] == list(range(len(sent)))
    encs = [ENC] * len(decoded)
    points = unpack_trails([batch.trail for batch in decoded], encs).records.tolist()
    events = unpack_events([batch.events for batch in decoded], encs).records
    assert points == [(e.x_px, e.y_px, e.t_ms) for e in recording.events if e.kind == "move"]
    assert events[["t", "kind", "x", "y"]].tolist() == [
        (e.t_ms, Kind[e.kind.upper()], e.x_px, e.y_px) for e in recording.events if e.kind != "move"
    ]
    for told in decoded:
        assert told.view_id is not None
        assert view_id_text(told.view_id) == OPENING.view_id
        assert (told.opened_min, told.slug) == (OPENING.opened_min, OPENING.slug)
        assert (told.viewport, told.page) == (recording.viewport, recording.page)


@given(recordings)
def test_the_digest_is_that_of_what_the_collector_decodes(recording: Recording) -> None:
    for batch in batches_of(recording, OPENING):
        told = decode_batch(batch.body)
        content = Content(
            OPENING.slug,
            OPENING.opened_min,
            told.viewport,
            told.page,
            unpack_trails([told.trail], [ENC]).records.tolist(),
            unpack_events([told.events], [ENC]).records[list(EVENT_FIELDS)].tolist(),
        )
        assert content.digest() == batch.digest


@given(recordings)
def test_a_batch_spans_less_than_its_longest_time_and_is_due_at_its_end(
    recording: Recording,
) -> None:
    times = [event.t_ms for event in recording.events]
    for batch in batches_of(recording, OPENING):
        held, times = times[: batch.points + batch.events], times[batch.points + batch.events :]
        assert held
        assert held[-1] - held[0] < BATCH_MS
        assert batch.due_ms == held[-1]
    assert not times


def test_a_crowded_moment_is_split_by_numbers_of_points_and_of_events() -> None:
    points = [Event(0, "move", 1, 1)] * (2 * BATCH_POINTS + 1)
    clicks = [Event(0, "click", 1, 1)] * (MAX_EVENTS + 1)
    batches = list(batches_of(a_recording(points + clicks), OPENING))
    assert [(batch.points, batch.events) for batch in batches] == [
        (BATCH_POINTS, 0),
        (BATCH_POINTS, 0),
        (1, MAX_EVENTS),
        (0, 1),
    ]


def test_the_largest_batch_fits_into_one_body() -> None:
    """Every number as long as it can be, in an order that keeps all of them in one batch."""
    late = 86_400_000 - BATCH_MS + 1
    far = [(0, 0), (MAX_X_PX, MAX_Y_PX)]
    points = [Event(late, "move", *far[n % 2]) for n in range(BATCH_POINTS // 2)]
    points += [Event(late + BATCH_MS - 1, "move", *far[n % 2]) for n in range(BATCH_POINTS // 2)]
    clicks = [Event(late + BATCH_MS - 1, "deadclick", *far[1])] * (MAX_EVENTS - 1)
    points[-1:] = [*clicks, points[-1]]
    (batch,) = batches_of(a_recording(points), OPENING)
    assert (batch.points, batch.events) == (BATCH_POINTS, MAX_EVENTS - 1)
    assert MAX_BODY_BYTES / 2 < len(batch.body) <= MAX_BODY_BYTES


def test_a_view_of_more_batches_than_can_be_numbered_is_refused() -> None:
    """One event per batch; so late a time would be refused on reading, numbering looks at gaps."""
    lonely = [Event(BATCH_MS * n, "move", 1, 1) for n in range(MAX_SEQ + 2)]
    assert sum(1 for _ in batches_of(a_recording(lonely[:-1]), OPENING)) == MAX_SEQ + 1
    with pytest.raises(ReplayError, match="'a' needs more than 32768 batches: split it"):
        list(batches_of(a_recording(lonely), OPENING))


@given(st.text(), st.text(), st.text())
def test_ids_and_addresses_follow_from_seed_and_name_alone(
    seed: str, name: str, other: str
) -> None:
    assert view_id_of(seed, name) == view_id_of(seed, name)
    assert address_of(seed, name).startswith("2001:db8:")
    if name != other:
        assert view_id_of(seed, name) != view_id_of(seed, other)


@pytest.mark.parametrize(
    ("speed", "now_s", "wait_s"),
    [(1, 100.0, 6.0), (1, 104.0, 2.0), (1, 107.0, 0.0), (10, 100.0, 0.6), (0.5, 100.0, 12.0)],
)
def test_a_batch_waits_until_its_moment_at_the_chosen_speed(
    speed: float, now_s: float, wait_s: float
) -> None:
    pace = Pace(speed, first_ms=3000, begun_s=100.0)
    assert pace.wait_s(9000, now_s) == pytest.approx(wait_s)


@given(st.integers(0, 10**9), st.floats(0, 1e9))
def test_speed_0_waits_for_nothing(due_ms: int, now_s: float) -> None:
    assert Pace(0, 0, 0.0).wait_s(due_ms, now_s) == 0


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ReplayError, match=f"got {speed!r}"):
        check_speed(speed)
