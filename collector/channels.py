"""Where a view came from: the class of its referrer's host. The host itself is not kept."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from collector.codes import Channel

_SEARCH = frozenset(("google", "bing", "duckduckgo", "ecosia", "startpage", "yahoo", "qwant"))
_SOCIAL = frozenset(("facebook", "instagram", "pinterest", "linkedin", "tiktok", "reddit"))
_SHORT_LINKS = frozenset(("t.co",))
"""Hosts whose own name is too short to be told from a part of another."""


_PLACE = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)*([^/?#@]*)", re.I)
"""Of a URL, the host and its port; whoever signs in by it is left out."""

REMEMBERED = 1024
LONGEST_PLACE = 262
"""Characters of a host's longest name and a port."""


def channel_of(referrer: str) -> Channel:
    """By host alone; what a beacon calls its referrer is mostly the shop's own page."""
    place = _PLACE.match(referrer)
    if place is None or len(place[1]) > LONGEST_PLACE:
        return Channel.UNKNOWN
    return _channel_of_place(place[1])


def host_of(referrer: str) -> str | None:
    """In small letters; None where there is none that could be read."""
    place = _PLACE.match(referrer)
    if place is None or len(place[1]) > LONGEST_PLACE:
        return None
    return (_host(place[1]) or "").rstrip(".") or None


@lru_cache(maxsize=REMEMBERED)
def _channel_of_place(place: str) -> Channel:
    host = _host(place)
    if host is None:
        return Channel.UNKNOWN
    labels = frozenset(host.split(".")[:-1])
    if labels & _SEARCH:
        return Channel.SEARCH
    if labels & _SOCIAL or host in _SHORT_LINKS:
        return Channel.SOCIAL
    return Channel.INTERNAL


def _host(place: str) -> str | None:
    try:
        return urlsplit(f"//{place}").hostname
    except ValueError:  # brackets around what is no address
        return None
