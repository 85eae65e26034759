"""Refusals of what lies below the pages, in the reader's language.

Below they are English, for commands and programs show them too. What no message here is like stays
so, and is marked as English for whoever hears it read out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.pages.faults import Fault
from app.pages.words import N_, Words

SAID: tuple[str, ...] = (
    # Pages and zones
    N_("a page's name may hold a-z, 0-9 and '-', at most 64 characters: %(name)s"),
    N_("there is no zone %(n)s on this page any more"),
    N_("a zone is called %(name)s already; names keep zones apart"),
    N_("a page may have had %(n)s zones in its life, not more"),
    N_("say what changed, in 1 to %(n)s printable signs"),
    N_("this lies in the future: write a change down when it was made"),
    # Collecting
    N_("a pattern is plain text with at most %(n)s stars"),
    N_("this pattern means yes for every visitor: name what says yes"),
    N_("write a network as 192.0.2.0/24 or 2001:db8::/48"),
    N_("IPv6 senders are known by their %(prefix)s: write that"),
    N_("mode exempt counts everybody: leave out consent, or the mode"),
    N_("mode exempt needs a way to refuse: leave honour_opt_out on"),
    N_("mode exempt keeps %(n)s days at the most, in tile_days"),
    N_("raw_days must be at least %(least)s with a window of %(hours)s h, got %(days)s"),
    N_("raw_days, view_days and tile_days must not fall, got %(raw)s, %(views)s and %(tiles)s"),
    N_("write a whole number, such as 30"),
    N_("%(name)s is live already; its data stays"),
    # People
    N_("an account is called by 1 to 64 of a-z 0-9 . _ @ + -, and not %(owner)s, got %(name)s"),
    N_("%(owner)s sees every shop; roles are for other accounts"),
    N_("%(name)s is no member of this shop"),
    # Pictures
    N_("the picture cannot be read: give a whole PNG, JPEG or WebP image"),
    N_("the picture moves: give a single image"),
    N_("the picture has %(size)s MB, at most %(most)s MB are taken: save it smaller, or as WebP"),
    N_(
        "the picture takes %(size)s MB even in %(colours)s colours, at most %(most)s MB are kept: "
        "give a smaller or shorter one"
    ),
    N_("the picture is %(size)s px, at most %(n)s million pixels are taken: give a smaller one"),
    N_(
        "the picture is %(size)s px and does not show a page of %(page)s px: give a screenshot of "
        "the whole page at that width"
    ),
    N_("the picture takes longer than %(n)s s to read: give a smaller one"),
    N_(
        "the picture takes more memory or time to read than there is for it: give a smaller one, "
        "saved anew as PNG"
    ),
    N_(
        "a layout may be 1 to %(width)s px wide and 1 to %(height)s px high, got %(size)s: give "
        "the part of the page within that"
    ),
    N_("zone %(n)s has two boxes: give the visible one"),
)
"""As they are said below, a value's place by its name."""

_PLACE = re.compile(r"%\((\w+)\)s")


def _pattern(message: str) -> re.Pattern[str]:
    """Whatever the message says with any values in its places."""
    words = _PLACE.split(message)
    parts = (f"(?P<{part}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(words))
    return re.compile("".join(parts), re.DOTALL)


PATTERNS: Mapping[str, re.Pattern[str]] = {message: _pattern(message) for message in SAID}


def own_words(fault: Fault, words: Words) -> Fault:
    """The fault in the reader's language, where it is one that can be told in it."""
    if fault.lang in (None, words.language):
        return fault
    for message, pattern in PATTERNS.items():
        if (found := pattern.fullmatch(fault.text)) is not None:
            return Fault(words.catalogue.gettext(message) % found.groupdict())
    return fault
