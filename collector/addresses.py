"""Whose address a request bears: forwarded ones are believed from trusted proxies alone.

The address lives for one hash (`visitor.visitor_of`) and is stored nowhere, in no cache either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
IPV6_HOST_PREFIX = 64
"""One household holds a /64 and its devices change addresses within it."""

MAX_HOPS = 16
"""Hops of a chain that are looked at, from its end: more proxies than that stand in no row."""

UNIX = "unix"
"""Stands for the peer of a unix socket, which has no address: whoever may open the file."""

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sender:
    address: str
    unbelieved: bool
    """A proxy that is not trusted forwarded this: every visitor will look like one."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text.strip(), strict=False) for text in texts if text.strip())


def sender_of(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> Sender:
    """The visitor's address: walk the X-Forwarded-For chain from its end while hops are trusted."""
    address = _parse(peer)
    if not forwarded.strip():
        return Sender(_told(address), unbelieved=False)
    if not (_among(address, trusted) if address else peer == UNIX and bool(trusted)):
        return Sender(_told(address), unbelieved=True)
    for hop in reversed(forwarded.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        before = _parse(hop)
        if before is None:
            break
        address = before
        if not _among(address, trusted):
            break
    return Sender(_told(address), unbelieved=False)


def _among(address: Address, trusted: tuple[Network, ...]) -> bool:
    # Membership is false, and no error, where the versions differ.
    return any(address in network for network in trusted)


def _parse(text: str) -> Address | None:
    """An address as proxies write it: some add the port, and brackets around IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _told(address: Address | None) -> str:
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), IPV6_HOST_PREFIX), strict=False))
    return str(address)
