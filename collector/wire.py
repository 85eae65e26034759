"""Field names, codes and limits of the wire: the one list that snippets, decoder and jobs share.

Nothing here does anything: what a beacon may be called, what a batch may hold, and how large
either may become. `docs/wire.md` describes the same for whoever writes a client.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum

TOKEN_VERSION = 1
BATCH_VERSION = 1

TOKEN_GOOD_FOR_MIN = 24 * 60
"""A page left open overnight still reports; later beacons are dropped as `expired`."""

BATCH_CLOCK_TOLERANCE_H = 48
"""How far a browser's clock may be off before its batch is dropped as `clock`."""

MAX_BODY_BYTES = 64 * 1024
"""What browsers let one page have in flight by sendBeacon."""

MAX_PATH_BYTES = 2048
MAX_POINTS = 4096
MAX_EVENTS = 512
MAX_SEQ = 2**15 - 1
MAX_X_PX = 10_000
MAX_Y_PX = 200_000
"""Beyond these a coordinate is malformed, not merely outside the page."""

MAX_T_MS = 24 * 3600 * 1000

HELD_MAX_S = 30
"""A hold is capped here: longer means idle (research: caps below 10 s hide real stalls)."""

DWELL_STEPS_S = (1, 2, 5, 10, 20, HELD_MAX_S)
"""When a dwell clock of the script-free form speaks, seconds in sum."""

ALIVE_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
"""When the page clock speaks: the last one bounds the end of the view."""

PRESSES = 4
"""Levels of the press ratchet: a browser asks for one URL once, so each press needs its own."""

BAND_PX = 400
"""Height of one attention band of the script-free form."""

BANDS = 12

CELL_PX = 40
"""Height of a pointer cell: a button's."""

CELL_COLUMNS = 32
"""Cells share the page's width, so that they are 40 px wide on a usual desktop."""

CELL_ROWS = 45
"""Cells beyond this many make the browser's style work felt at each move of the mouse."""

DEPTH_STEP_PX = 400
"""Depth in engines without scroll timelines: each mark is an element of ours."""

SCROLL_STEP_PX = 100
WIDTH_STEP_PX = 40
HEIGHT_STEP_PX = 80
WIDTHS_PX = range(240, 2600, WIDTH_STEP_PX)
HEIGHTS_PX = range(240, 1600, HEIGHT_STEP_PX)
MAX_ZONE = 999

LACKS = ("has", "validity", "timeline", "depth")
"""What an engine may not know, and then says so: `:has()`, so nothing of zones; `:user-invalid`;
scroll timelines, so no bands; and any way to tell how far down somebody scrolled."""

OPEN = "open"
"""Name of the row that is the view's opening."""

LEAVE = "leave"
"""Name of the row that is the end of the view's held image; from outside it is no beacon's name."""


class Kind(IntEnum):
    """Event kinds; the numbers are stored and never change."""

    CLICK = 1
    RAGECLICK = 2
    DEADCLICK = 3
    MOVE = 4
    SCROLL = 5
    HOVER = 6
    FOCUS = 7
    PRESS = 8
    INVALID = 9
    VALID = 10
    CHECKED = 11
    ATTENTION = 12
    ALIVE = 13
    LEAVE = 14
    VIEWPORT = 15
    STALL = 16  # derived: what a heatmap of kind `stall` shows


class Capture(IntEnum):
    """How a view was seen; a view may have several (bits 1 << value in `view.captures`)."""

    CSS = 1
    SCRIPT = 2
    SERVER = 3
    IMPORT = 4


class Reason(StrEnum):
    """Why a request was dropped on purpose: metric label, X-Gloed-Drop, line of `gloed check`."""

    UNKNOWN_SITE = "unknown_site"
    UNKNOWN_PAGE = "unknown_page"
    OPT_OUT = "opt_out"
    NO_CONSENT = "no_consent"
    BOT = "bot"
    PREFETCH = "prefetch"
    BAD_TOKEN = "bad_token"
    BAD_NAME = "bad_name"
    BAD_REF = "bad_ref"
    EXPIRED = "expired"
    CLOCK = "clock"
    REPEAT = "repeat"
    OUTSIDE_PAGE = "outside_page"
    TWIN = "twin"
    COPIED = "copied"
    OFF = "off"
    STAFF = "staff"
    ORIGIN = "origin"
    FLOOD = "flood"
    TEST_ORDER = "test_order"
    QUARANTINED = "quarantined"
    UNTRUSTED_PROXY = "untrusted_proxy"  # noticed, not dropped: see collector/addresses.py


RESERVED = frozenset({"hold", "done", "x"})
"""First path segments that can never be a site's key."""

SLUG = re.compile(r"[a-z0-9-]{1,64}\Z")
SITE_KEY = re.compile(r"gs_[a-z0-9]{16}\Z")
REF = re.compile(r"[A-Za-z0-9._~-]{4,128}\Z")

_STEPS = "|".join(map(str, DWELL_STEPS_S))
_ALIVE = "|".join(map(str, ALIVE_STEPS_S))
_LACKS = "|".join(LACKS)
BEACON_NAME = re.compile(
    rf"""(?:
      (?P<zone>[1-9]\d{{0,2}})\.(?:
        (?P<hover>h)(?P<hover_s>{_STEPS})?
      | (?P<focus>f)(?P<focus_s>{_STEPS})?
      | p(?P<press>[1-{PRESSES}])
      | (?P<state>[ivoceub])
      )
    | y(?P<scroll_px>\d{{1,6}})
    | z(?P<depth_px>\d{{1,6}})
    | b(?P<band>\d{{1,3}})\.(?P<band_s>{_STEPS})
    | t(?P<alive_s>{_ALIVE})
    | w(?P<width_px>\d{{3,4}})
    | g(?P<height_px>\d{{3,4}})
    | (?P<fact>coarse|dark|hidpi)
    | no-(?P<lack>{_LACKS})
    | c(?P<row>\d{{1,3}})\.(?P<column>\d{{1,2}})
    )\Z""",
    re.VERBOSE | re.ASCII,
)
"""Every name a beacon may bear.

`7.h` hovered, `7.h5` hovered for 5 s in sum, `7.f5` likewise focused, `7.p2` second press,
`7.i|v|o|c|e|u|b` invalid, valid, autofilled, checked, and the shop's own states error, open (u)
and busy; `y700` scrolled to 700 px, `z1600` row 1600 seen (engines without scroll timelines),
`b3.5` band 3 in view for 5 s in sum, `t60` page alive for 60 s, `w1280` and `g720` viewport
buckets, `coarse` pointer, `dark`, `hidpi`, `no-has` what the engine lacks, `c12.3` pointer cell
row 12 column 3.
"""

GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
"""The 43 bytes that every beacon is answered with: one transparent pixel."""

assert len(GIF) == 43
