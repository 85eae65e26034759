"""A recorded page view as the batches that a script on the page would have sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from app.replay.content import Content, Point, WireEvent
from app.replay.errors import ReplayError
from app.replay.recordings import Event, Recording
from collector.wire import BATCH_VERSION, MAX_EVENTS, MAX_SEQ, Kind

BATCH_MS = 5000
"""A batch spans at most this much of the view."""

BATCH_POINTS = 1024
"""Of at most 20 characters each: beside MAX_EVENTS events of 44 they fit into one body."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What all batches of one view have in common, equal in every repeat."""

    view_id: str
    opened_min: int
    slug: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One body, ready to send any number of times."""

    view_id: str
    seq: int
    body: bytes
    digest: str
    points: int
    events: int
    due_ms: int
    """When its last event happened: as recorded, it is sent then."""


def view_id_of(seed: str, view: str) -> str:
    """64 bits in 16 hexadecimal digits; nothing of the recording's names is sent."""
    return _hashed("view", seed, view).hex()


def address_of(seed: str, visit: str) -> str:
    """An address of the network kept for documentation (RFC 3849), another /64 for each visit."""
    network = _hashed("visit", seed, visit)
    return f"2001:db8:{network[:2].hex()}:{network[2:4].hex()}::1"


def batches_of(recording: Recording, opening: Opening) -> Iterator[Batch]:
    for seq, events in enumerate(_windows(recording.events)):
        if seq > MAX_SEQ:
            raise ReplayError(
                f"the view {recording.view!r} needs more than {MAX_SEQ + 1} batches: split it"
            )
        yield _batch(recording, opening, seq, events)


def _windows(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Runs of events that one batch may hold; an idle stretch sends nothing."""
    start = points = 0
    for index, event in enumerate(events):
        others = index - start - points
        if index > start and (
            event.t_ms - events[start].t_ms >= BATCH_MS
            or points == BATCH_POINTS
            or others == MAX_EVENTS
        ):
            yield events[start:index]
            start, points = index, 0
        points += event.kind == "move"
    if events:
        yield events[start:]


def _batch(recording: Recording, opening: Opening, seq: int, events: Sequence[Event]) -> Batch:
    content = Content(
        opening.slug,
        opening.opened_min,
        recording.viewport,
        recording.page,
        [(event.x_px, event.y_px, event.t_ms) for event in events if event.kind == "move"],
        [_wire_event(event) for event in events if event.kind != "move"],
    )
    return Batch(
        view_id=opening.view_id,
        seq=seq,
        body=_body(content, opening.view_id, seq),
        digest=content.digest(),
        points=len(content.points),
        events=len(content.events),
        due_ms=events[-1].t_ms,
    )


def _body(content: Content, view_id: str, seq: int) -> bytes:
    return msgspec.json.encode(
        {
            "v": BATCH_VERSION,
            "id": view_id,
            "m": content.opened_min,
            "p": content.slug,
            "s": seq,
            "vp": content.viewport,
            "pg": content.page,
            "r": _differences(content.points),
            "e": content.events,
        }
    )


def _differences(points: Sequence[Point]) -> list[int]:
    """The first point as it is, each other one by its distance from the point before."""
    flat: list[int] = []
    before = (0, 0, 0)
    for point in points:
        flat += (now - then for now, then in zip(point, before, strict=True))
        before = point
    return flat


def _wire_event(event: Event) -> WireEvent:
    # Zones belong to a page's configuration and not to a recording: none is claimed.
    return (Kind[event.kind.upper()].value, event.t_ms, event.x_px, event.y_px, 0, 0, 0, 0, 0)


def _hashed(kind: str, seed: str, name: str) -> bytes:
    return blake2b("\0".join((kind, seed, name)).encode(), digest_size=8).digest()
