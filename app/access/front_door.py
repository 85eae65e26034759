"""`GLOED_SIGN_IN=none`: the owner's own proxy signs people in, and Gloed asks nobody.

Safe only where nobody can go round that proxy. So the setting is refused where anybody could reach
the port, and each request must come from this machine or a trusted proxy, under a name that is
ours: a page from elsewhere can make a browser ask 127.0.0.1, but under its own name (DNS
rebinding).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request

from app.config import Settings
from app.links import own_url
from collector.addresses import UNIX, is_trusted, networks

SAFE = frozenset({"GET", "HEAD"})
ELSEWHERE = frozenset({"cross-site", "same-site"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def let_in_by_proxy(request: Request, settings: Settings) -> bool:
    if settings.sign_in != "none":
        return False
    peer = request.client.host if request.client else UNIX
    if request.method not in SAFE and request.headers.get("sec-fetch-site") in ELSEWHERE:
        return False  # there is no cookie here that a foreign page would lack
    near = _is_loopback(peer) or is_trusted(peer, networks(settings.trusted_proxies))
    return near and is_our_name(request.headers.get("host", ""), settings)


def _is_loopback(peer: str) -> bool:
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


def is_our_name(host: str, settings: Settings) -> bool:
    if host == urlsplit(own_url(settings)).netloc:
        return True
    name, colon, port = host.rpartition(":")
    alone = name if colon and port.isdigit() else host
    return alone in LOOPBACK_NAMES
