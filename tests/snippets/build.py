"""Pages for tests of the snippet."""

from collector.codes import Phase
from collector.sites import Page, Zone

SITE_KEY = "gs_0123456789abcdef"
FIVE = (
    Zone(1, "E-mail", '#checkout input[name="checkout[email]"]', "field"),
    Zone(2, "Name", "#customer-name", "field"),
    Zone(3, "Terms", "form.terms > label", "text"),
    Zone(4, "Payment frame", "#payment-element", "frame", sensitive=True),
    Zone(5, "Pay", 'button[type="submit"]', "pay"),
)


def page_of(*zones: Zone, slug: str = "checkout") -> Page:
    return Page(1, slug, "Checkout", Phase.CHECKOUT, False, None, zones)
