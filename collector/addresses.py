"""Whose address a request bears: forwarded ones are believed from trusted proxies alone.

The address lives for one hash (`visitor.visitor_of`) and is stored nowhere, in no cache either: of
headers that come again a keyed digest is known for two minutes (`collector/senders.py`).
Addresses are bytes here, 4 or 16, as the system's own reader makes them: that costs a fifteenth
of what `ipaddress` does, which reads them twice for every request.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_network

from msgspec import Struct

IPV6_PREFIX_BYTES = 8
"""One household holds a /64 and its devices change addresses within it."""

MAX_HOPS = 16
"""Hops of a chain that are looked at, from its end: more proxies than that stand in no row."""

UNIX = "unix"
"""Stands for the peer of a unix socket, which has no address: whoever may open the file."""

UNKNOWN = "unknown"

_MAPPED = b"\0" * 10 + b"\xff\xff"
"""Before an IPv4 address within an IPv6 one."""


class Network(Struct, frozen=True):
    """Addresses of `length` bytes that are `first` where `mask` has ones."""

    length: int
    mask: int
    first: int


class Peer(Struct, frozen=True):
    """The other end of a connection: a proxy, or the visitor. Read once for each connection."""

    address: bytes | None
    believed: bool
    """Whether what it says of the visitor counts; a socket's owner is believed, where any is."""


class Sender(Struct, frozen=True):
    address: str
    unbelieved: bool
    """A proxy that is not trusted forwarded this: every visitor will look like one."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(_network(text.strip()) for text in texts if text.strip())


def _network(text: str) -> Network:
    read = ip_network(text, strict=False)
    return Network(read.max_prefixlen // 8, int(read.netmask), int(read.network_address))


def peer_of(text: str, trusted: tuple[Network, ...]) -> Peer:
    address = _parse(text)
    believed = _among(address, trusted) if address else text == UNIX and bool(trusted)
    return Peer(address, believed)


def sender_of(peer: Peer, forwarded: str, trusted: tuple[Network, ...]) -> Sender:
    """The visitor's address: walk the X-Forwarded-For chain from its end while hops are trusted."""
    address = peer.address
    if not forwarded.strip():
        return Sender(_told(address), False)
    if not peer.believed:
        return Sender(_told(address), True)
    for hop in reversed(forwarded.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        before = _parse(hop)
        if before is None:
            break
        address = before
        if not _among(address, trusted):
            break
    return Sender(_told(address), False)


def is_trusted(peer: str, trusted: tuple[Network, ...]) -> bool:
    """Whether what this peer says of the visitor is believed; a socket's owner is, where any is."""
    return peer_of(peer, trusted).believed


def _among(address: bytes, trusted: tuple[Network, ...]) -> bool:
    number, length = int.from_bytes(address, "big"), len(address)
    for network in trusted:
        if length == network.length and number & network.mask == network.first:
            return True
    return False


def _parse(text: str) -> bytes | None:
    """An address as proxies write it: some add the port, and brackets around IPv6."""
    text = text.strip()
    if ":" in text:
        text = _without_port(text)
    try:
        if ":" not in text:
            return socket.inet_pton(socket.AF_INET, text)
        # What follows the sign names a network card of one machine.
        address = socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return None
    return address[len(_MAPPED) :] if address.startswith(_MAPPED) else address


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _told(address: bytes | None) -> str:
    if address is None:
        return UNKNOWN
    if len(address) == 4:
        return socket.inet_ntop(socket.AF_INET, address)
    household = address[:IPV6_PREFIX_BYTES] + bytes(16 - IPV6_PREFIX_BYTES)
    return f"{socket.inet_ntop(socket.AF_INET6, household)}/{8 * IPV6_PREFIX_BYTES}"
