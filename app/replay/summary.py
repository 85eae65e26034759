"""What a replay has come to so far; told after every batch, and at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.replay.account import Answered, Fate
from app.replay.batches import Batch
from collector.wire import Reason


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of batches, except `views` (sent to their end), `points`, `events` and `tries`."""

    views: int
    batches: int
    points: int
    """Of the acknowledged batches, as are `events`."""
    events: int
    acked: int
    repeated: int
    """Acknowledged as stored before; counted in `acked` too."""
    dropped: Mapping[str, int]
    """Not stored on purpose, by reason."""
    refused: int
    """Not stored, and every further try was refused too."""
    unanswered: int
    """No try was answered, and no answer says whether the batch is stored."""
    tries: int
    skipped: int
    """Not sent: an earlier run with the same ledger brought them home."""


@dataclass(slots=True)
class Tally:
    """Counts while the replay runs."""

    views: int = 0
    batches: int = 0
    points: int = 0
    events: int = 0
    repeated: int = 0
    tries: int = 0
    skipped: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def settle(self, batch: Batch, last: Answered, fate: Fate) -> None:
        self.batches += 1
        self.fates[fate] += 1
        if fate is Fate.ACKED:
            self.points += batch.points
            self.events += batch.events
            self.repeated += last.drop == Reason.REPEAT
        elif fate is Fate.DROPPED:
            self.dropped[last.drop or ""] += 1

    def summary(self) -> Summary:
        return Summary(
            views=self.views,
            batches=self.batches,
            points=self.points,
            events=self.events,
            acked=self.fates[Fate.ACKED],
            repeated=self.repeated,
            dropped=MappingProxyType(dict(self.dropped)),
            refused=self.fates[Fate.REFUSED],
            unanswered=self.fates[Fate.UNANSWERED],
            tries=self.tries,
            skipped=self.skipped,
        )
