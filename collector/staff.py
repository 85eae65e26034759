"""Who is no visitor: the shop's own people by their network, and what its admin shows them.

The address is compared and forgotten, as is the referrer; neither is stored or counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from collector.addresses import Network, is_trusted, networks
from collector.channels import host_of

PREVIEWS = (
    "preview",  # WordPress, with preview_id; Shopware and others use the same word
    "preview_id",
    "preview_nonce",
    "customize_changeset_uuid",  # WordPress's customiser
    "elementor-preview",
    "et_fb",  # Divi's builder
    "preview_theme_id",  # Shopify
    "live_configurator_token",  # PrestaShop
    "adtoken",  # PrestaShop's page before it is published
)
"""Parameters by which shop systems show a page to its makers."""

_PREVIEW = re.compile(rf"[?&](?:{'|'.join(map(re.escape, PREVIEWS))})=", re.ASCII)

MOST_NETWORKS = 64
MOST_ORIGINS = 64
"""Compared one after another on the way of every opening."""


def is_preview(address: str) -> bool:
    """Whether the address of a page says that its maker looks at it."""
    return "?" in address and _PREVIEW.search(address) is not None


def excluded(config_value: object) -> tuple[Network, ...]:
    """Networks of a shop's configuration; what cannot be read there excludes nobody."""
    try:
        return networks(_texts(config_value))
    except ValueError:
        return ()


def is_excluded(address: str, own: tuple[Network, ...]) -> bool:
    """Whether a sender is of one of the shop's networks; IPv6 is known by its /64."""
    return bool(own) and is_trusted(address.partition("/")[0], own)


def origins(config_value: object) -> frozenset[str]:
    """Hosts in small letters."""
    return frozenset(text.strip().lower().rstrip(".") for text in _texts(config_value))


def is_of(referrer: str, hosts: frozenset[str]) -> bool:
    """Whether the referrer's host, or one above it, is in the list."""
    host = host_of(referrer)
    while host:
        if host in hosts:
            return True
        host = host.partition(".")[2]
    return False


def _texts(value: object) -> Iterable[str]:
    return (part for part in value if isinstance(part, str)) if isinstance(value, list) else ()
