"""The pages of the demo's checkout as Gloed knows them: names, phases and zones."""

from __future__ import annotations

from dataclasses import dataclass

from collector.codes import Phase
from collector.sites import Zone

SHOP_NAME = "Brandt & Boon"
SHIPPING_PAGE = "verzending"
STALL_ZONE = "Verzendkosten"
"""Where the visitors who abandon lose their time: what the demo is there to show."""


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    slug: str
    """Also the last part of the page's path in the shop."""
    title: str
    phase: Phase
    zones: tuple[Zone, ...]
    goal: bool = False

    def zone(self, name: str) -> Zone:
        return next(zone for zone in self.zones if zone.name == name)


def _zones(*told: tuple[str, str, str]) -> tuple[Zone, ...]:
    """Numbered as the store numbers the zones of a new page: from 1, in this order."""
    return tuple(
        Zone(number, name, selector, role)
        for number, (name, selector, role) in enumerate(told, start=1)
    )


CHECKOUT = (
    CheckoutPage(
        "winkelwagen",
        "Winkelwagen",
        Phase.CART,
        _zones(
            ("Artikelen", "#artikelen", "text"),
            ("Overzicht", "#overzicht", "text"),
            ("Naar afrekenen", "#naar-gegevens", "button"),
        ),
    ),
    CheckoutPage(
        "gegevens",
        "Gegevens",
        Phase.CHECKOUT,
        _zones(
            ("Naam", "#naam", "field"),
            ("E-mailadres", "#email", "field"),
            ("Postcode", "#postcode", "field"),
            ("Huisnummer", "#huisnummer", "field"),
            ("Telefoon", "#telefoon", "field"),
            ("Naar verzending", "#naar-verzending", "button"),
        ),
    ),
    CheckoutPage(
        SHIPPING_PAGE,
        "Verzending",
        Phase.CHECKOUT,
        _zones(
            ("Bezorgwijze", "#bezorgwijze", "field"),
            (STALL_ZONE, "#verzendkosten", "text"),
            ("Totaal", "#totaal", "text"),
            ("Naar betalen", "#naar-betalen", "button"),
        ),
    ),
    CheckoutPage(
        "betalen",
        "Betaling",
        Phase.PAYMENT,
        _zones(
            ("Betaalwijze", "#betaalwijze", "field"),
            ("Voorwaarden", "#voorwaarden", "field"),
            ("Totaal", "#totaal", "text"),
            ("Betalen", "#betaal", "pay"),
        ),
    ),
    CheckoutPage(
        "bedankt",
        "Bedankt",
        Phase.DONE,
        _zones(("Bestelnummer", "#bestelnummer", "text")),
        goal=True,
    ),
)


def checkout_page(slug: str) -> CheckoutPage:
    return next(page for page in CHECKOUT if page.slug == slug)
