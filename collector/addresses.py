"""Whose address a request bears: forwarded ones are believed from trusted proxies alone.

The address lives for one hash (`visitor.visitor_of`) and is stored nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
IPV6_HOST_PREFIX = 64
"""One household holds a /64 and its devices change addresses within it."""


@dataclass(frozen=True, slots=True)
class Sender:
    address: str
    unbelieved: bool
    """A proxy that is not trusted forwarded this: every visitor will look like one."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text.strip(), strict=False) for text in texts if text.strip())


def sender_of(peer: str, headers: Mapping[bytes, bytes], trusted: tuple[Network, ...]) -> Sender:
    """The visitor's address: walk the forwarded chain from its end while the hop is trusted."""
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    if not forwarded:
        return Sender(_canonical(peer), unbelieved=False)
    if not _trusted(peer, trusted):
        return Sender(_canonical(peer), unbelieved=True)
    address = peer
    for hop in reversed([part.strip() for part in forwarded.split(",")]):
        if _parse(hop) is None:
            break
        address = hop
        if not _trusted(hop, trusted):
            break
    return Sender(_canonical(address), unbelieved=False)


@lru_cache(maxsize=1024)
def _trusted(text: str, trusted: tuple[Network, ...]) -> bool:
    if text in ("", "unix"):  # a unix socket's peer is whoever may open the file
        return bool(trusted)
    address = _parse(text)
    return address is not None and any(
        address.version == network.version and address in network for network in trusted
    )


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _canonical(text: str) -> str:
    address = _parse(text)
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(ip_network(f"{address}/{IPV6_HOST_PREFIX}", strict=False))
    return str(address)
