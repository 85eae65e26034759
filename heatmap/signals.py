"""The signals of hesitation, by number: one definition each, whichever capture tells of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """What is counted under one name.

    number   never changes, and is never given to another
    name     the field's name for it
    meaning  the definition, thresholds included
    source   where definition and thresholds come from
    """

    number: int
    name: str
    meaning: str
    source: str


SIGNALS = (
    Signal(
        1,
        "stall",
        "the longest run of samples with (max x - min x) + (max y - min y) <= 40 px whose holds,"
        " each cut at 30 s, sum to 1 s or more; script-free the hover clock of a zone from 1 s on",
        "Salvucci & Goldberg 2000, ETRA, 71-78 (I-DT)",
    ),
    Signal(
        2,
        "field stall",
        "on touch, the focus clock of a zone from 1 s on; of what takes no focus, the hover that"
        " stays with what was tapped last",
        "ours: a finger leaves no trail",
    ),
    Signal(
        3,
        "reading stall",
        "on touch, seconds that a band of the page rested in view beyond what zones explain, a"
        " second shared by the bands in view",
        "Huang, White & Dumais 2011, CHI, 1225-1234 (dwell in view as attention)",
    ),
    Signal(
        4,
        "hesitation",
        "a stall of 1 to 10 s on a control, or within 24 px of it, that ends without a click or a"
        " key there",
        "Mueller & Lockerd 2001, CHI; Arroyo, Selker & Wei 2006, CHI (cursor pauses)",
    ),
    Signal(
        5,
        "idle",
        "a pause beyond 30 s: its hold counts 30 s; hidden time counts nothing at once",
        "ours; power of the contrast suffers from cuts below 10 s",
    ),
    Signal(
        6,
        "field focus time",
        "time from a field's focus to its blur, less the time the page was hidden",
        "Jarrett & Gaffney 2008, Forms that Work (time per field)",
    ),
    Signal(7, "field return", "each focus of a field after its first", "ours"),
    Signal(
        8,
        "time to first input",
        "time from a field's first focus to the first input in it, less hidden time",
        "ours",
    ),
    Signal(
        9,
        "rage click",
        "3 clicks or more, each at most 1000 ms and 30 px after the one before",
        "PostHog's published source",
    ),
    Signal(
        10,
        "dead click",
        "a click with no navigation or change of the page within 2500 ms, and no scroll or"
        " selection within 100 ms",
        "PostHog's published source",
    ),
    Signal(
        11,
        "quick back",
        "a page from which the visit is back on the page before in less than 10 s",
        "Clarity names it without a threshold; 10 s is ours",
    ),
)
"""All of them, by number."""
