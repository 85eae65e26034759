"""Where a view came from: the class of its referrer's host. The host itself is not kept."""

from __future__ import annotations

from urllib.parse import urlsplit

from collector.codes import Channel

_SEARCH = frozenset(("google", "bing", "duckduckgo", "ecosia", "startpage", "yahoo", "qwant"))
_SOCIAL = frozenset(("facebook", "instagram", "pinterest", "linkedin", "tiktok", "reddit"))
_SHORT_LINKS = frozenset(("t.co",))
"""Hosts whose own name is too short to be told from a part of another."""


def channel_of(referrer: str) -> Channel:
    """By host alone; what a beacon calls its referrer is mostly the shop's own page."""
    host = _host(referrer)
    if host is None:
        return Channel.UNKNOWN
    labels = frozenset(host.split(".")[:-1])
    if labels & _SEARCH:
        return Channel.SEARCH
    if labels & _SOCIAL or host in _SHORT_LINKS:
        return Channel.SOCIAL
    return Channel.INTERNAL


def _host(referrer: str) -> str | None:
    if "://" not in referrer:
        return None
    try:
        return urlsplit(referrer).hostname
    except ValueError:  # brackets around what is no address
        return None
