"""Small numbers that stand for what a request says of itself; stored, so they never change.

Width bands are constants and not configuration: old tiles would lose their meaning.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate

from collector.wire import Capture


class Device(IntEnum):
    UNKNOWN = 0
    DESKTOP = 1
    PHONE = 2
    TABLET = 3


class Browser(IntEnum):
    OTHER = 0
    CHROME = 1
    SAFARI = 2
    FIREFOX = 3
    EDGE = 4
    SAMSUNG = 5
    OPERA = 6


class System(IntEnum):
    OTHER = 0
    WINDOWS = 1
    MACOS = 2
    LINUX = 3
    ANDROID = 4
    IOS = 5
    CHROMEOS = 6


class Channel(IntEnum):
    """Where the view came from, by the host of its referrer and nothing more."""

    UNKNOWN = 0
    INTERNAL = 1
    SEARCH = 2
    SOCIAL = 3
    REFERRAL = 4


class Language(IntEnum):
    """The class of the first language a browser asks for; nothing finer is kept."""

    OTHER = 0
    DUTCH = 1
    ENGLISH = 2
    GERMAN = 3
    FRENCH = 4


class Outcome(IntEnum):
    """How a visit ended. BROWSED never reached a checkout phase; the rest is the design's list."""

    BROWSED = 0
    COMPLETED = 1
    ABANDONED = 2
    HANDED_OVER = 3
    OPEN = 4


class OutcomeSource(IntEnum):
    """Who said so; the larger one wins and is stored."""

    NONE = 0
    PAGE = 1
    IMAGE = 2
    SERVER = 3


class Phase(IntEnum):
    """Where a page stands in the journey. Reaching CHECKOUT makes leaving an abandonment."""

    BROWSE = 0
    PRODUCT = 1
    CART = 2
    CHECKOUT = 3
    PAYMENT = 4
    DONE = 5


BAND_EDGES_PX = (0, 480, 768, 1024, 1440)
"""Lower edges of the width bands: phone, large phone, tablet, laptop, wide. Band 0 is unknown."""


def width_band(width_px: int | None) -> int:
    """Band 1..5 of a viewport width; 0 where the width is unknown."""
    return 0 if not width_px or width_px < 0 else bisect_right(BAND_EDGES_PX, width_px)


@dataclass(frozen=True, slots=True)
class Codes:
    """What filters ask for; repeated on each batch so that the open day needs no join."""

    device: int = Device.UNKNOWN
    band: int = 0
    browser: int = Browser.OTHER
    os: int = System.OTHER
    channel: int = Channel.UNKNOWN
    variant: int = 0
    capture: int = 0
    language: int = Language.OTHER


CODE_BITS = {
    "device": 3,
    "band": 3,
    "browser": 4,
    "os": 4,
    "channel": 3,
    "variant": 8,
    "capture": 3,
    "language": 4,
}
"""Where a batch keeps its codes: all of them in one integer, the first one lowest. No room is
left beside them, so that a code which outgrows its bits takes another column."""

_SPANS = tuple(
    (name, shift, 2**bits - 1)
    for (name, bits), shift in zip(
        CODE_BITS.items(), accumulate(CODE_BITS.values(), initial=0), strict=False
    )
)
_INTEGERS = 2**32

assert tuple(CODE_BITS) == Codes.__slots__
assert sum(CODE_BITS.values()) == 32
for _name, _most in {
    "device": max(Device),
    "band": len(BAND_EDGES_PX),
    "browser": max(Browser),
    "os": max(System),
    "channel": max(Channel),
    "capture": max(Capture),
    "language": max(Language),
}.items():
    assert _most < 2 ** CODE_BITS[_name] - 1, f"{_name} has no room to grow"


def pack_codes(codes: Codes) -> int:
    """As the store's signed integer of 32 bits. Raises ValueError for a code beyond its bits."""
    packed = 0
    for name, shift, most in _SPANS:
        code = getattr(codes, name)
        if not 0 <= code <= most:
            raise ValueError(f"{name} is {code}, a batch has room for 0 to {most}")
        packed |= code << shift
    return packed - _INTEGERS if packed >= _INTEGERS // 2 else packed


@lru_cache(maxsize=4096)
def unpack_codes(packed: int) -> Codes:
    """What was packed. Few of all combinations occur, and rows share them."""
    return Codes(*(packed >> shift & most for _, shift, most in _SPANS))
