"""Shop systems whose checkouts are known, with pages and zones called in the reader's language."""

from __future__ import annotations

from collections.abc import Container, Mapping

from msgspec.structs import replace

from app.pages.labels import PHASES
from app.pages.words import N_, Words
from snippets.plan import Plan, PlannedPage, preset

SYSTEMS: Mapping[str, str] = {
    "woocommerce": N_("WooCommerce, classic checkout"),
    "woocommerce-blocks": N_("WooCommerce, checkout of blocks"),
    "magento-luma": "Magento (Luma)",
    "prestashop": "PrestaShop",
    "shopware": "Shopware",
}
"""Whose checkouts are known, element by element."""

NAMES = frozenset(
    {
        N_("Address"),
        N_("Banner"),
        N_("Check and pay"),
        N_("Coupon"),
        N_("E-mail"),
        N_("Next"),
        N_("Pay"),
        N_("Payment method"),
        N_("Phone"),
        N_("Postcode"),
        N_("Shipping"),
        N_("Shipping and payment"),
        N_("Shipping cost"),
        N_("Street"),
        N_("Terms"),
        N_("To checkout"),
        N_("Total"),
    }
)
"""What presets call pages and zones."""


def plan_of(system: str, known: Container[str], words: Words) -> Plan:
    """The preset in the reader's words.

    known  names of the shop's pages: what people call these stays
    """
    plan = preset(system)
    return replace(
        plan, page=[_worded(page, words, new=page.slug not in known) for page in plan.page]
    )


def _worded(page: PlannedPage, words: Words, *, new: bool) -> PlannedPage:
    said = words.catalogue.gettext
    phase = said(PHASES[page.stands_at])
    title = said(page.title) if page.title else phase[:1].upper() + phase[1:]
    zones = [replace(zone, name=said(zone.name)) for zone in page.zone]
    return replace(page, title=title if new else "", zone=zones)
