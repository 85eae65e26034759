"""What a batch says, in one canonical form: made from what is sent and from what is stored.

Client and store come to it by different ways (recorded numbers; unpacked rows), so that equal
digests show the whole way between them to be lossless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

Point = tuple[int, int, int]
"""x_px, y_px, t_ms."""

WireEvent = tuple[int, int, int, int, int, int, int, int, int]
"""In the order of the batch body, whose names follow."""

EVENT_FIELDS = ("kind", "t", "x", "y", "zone", "u", "v", "value", "placement")


@dataclass(frozen=True, slots=True)
class Content:
    slug: str
    opened_min: int
    viewport: tuple[int, int]
    page: tuple[int, int]
    points: Sequence[Point]
    events: Sequence[WireEvent]

    def digest(self) -> str:
        told = (self.slug, self.opened_min, self.viewport, self.page, self.points, self.events)
        return sha256(msgspec.json.encode(told)).hexdigest()
