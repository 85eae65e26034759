"""What the reader calls the values of the API: codes → messages, translated where shown."""

from __future__ import annotations

from collections.abc import Mapping

from app.pages.words import N_
from collector.codes import Phase
from collector.wire import Reason

AREA_PX2 = 10_000
"""Intensities are told per 100 x 100 px, about a thumb's reach: per px² they are all 0.000…"""

PHASES: Mapping[Phase, str] = {
    Phase.BROWSE: N_("browsing"),
    Phase.PRODUCT: N_("product"),
    Phase.CART: N_("shopping cart"),
    Phase.CHECKOUT: N_("checkout"),
    Phase.PAYMENT: N_("payment"),
    Phase.DONE: N_("thank you"),
}

ROLES: Mapping[str, str] = {
    "field": N_("field"),
    "button": N_("button"),
    "pay": N_("pay button"),
    "text": N_("text"),
    "frame": N_("payment frame"),
    "banner": N_("banner over the page"),
}

PLACEMENTS: Mapping[str, str] = {
    "flow": N_("scrolls with the page"),
    "fixed": N_("stays while the page scrolls"),
    "inner": N_("in a part that scrolls by itself"),
}

KINDS: Mapping[str, str] = {
    "stall": N_("Stalls"),
    "click": N_("Clicks"),
    "move": N_("Movement"),
    "scroll": N_("Scroll depth"),
    "attention": N_("Attention"),
    "rageclick": N_("Rage clicks"),
    "deadclick": N_("Dead clicks"),
}

VIEWS: Mapping[str, str] = {
    "form": N_("Form report"),
    "stalls": N_("Abandoners"),
    **KINDS,
    "zones": N_("Zone map"),
    "confetti": N_("Dots"),
    "compare": N_("Side by side"),
}
"""Everything that a page is looked at by, in the order of its tabs."""

CHOICES: Mapping[str, Mapping[str, str]] = {
    "device": {
        "phone": N_("phones"),
        "tablet": N_("tablets"),
        "desktop": N_("computers"),
    },
    "outcome": {
        "abandoned": N_("abandoned"),
        "completed": N_("completed"),
        "handed_over": N_("on the way to payment"),
        "open": N_("not decided yet"),
        "browsed": N_("never reached checkout"),
    },
    "browser": {
        "chrome": "Chrome",
        "safari": "Safari",
        "firefox": "Firefox",
        "edge": "Edge",
        "samsung": "Samsung Internet",
        "opera": "Opera",
        "other": N_("other browsers"),
    },
    "os": {
        "android": "Android",
        "ios": "iOS",
        "windows": "Windows",
        "macos": "macOS",
        "linux": "Linux",
        "chromeos": "ChromeOS",
        "other": N_("other systems"),
    },
    "language": {
        "dutch": N_("Dutch"),
        "english": N_("English"),
        "german": N_("German"),
        "french": N_("French"),
        "other": N_("other languages"),
    },
    "channel": {
        "search": N_("search engines"),
        "social": N_("social networks"),
        "referral": N_("other sites"),
        "internal": N_("this shop"),
        "unknown": N_("not told"),
    },
    "capture": {
        "css": N_("without script"),
        "script": N_("by script"),
    },
    "aggregation": {
        "total_count": N_("every time"),
        "unique_visits": N_("once per visit"),
    },
    "per": {
        "visit": N_("per visit"),
        "period": N_("the whole period"),
    },
    "style": {
        "heat": N_("heat"),
        "confetti": N_("dots"),
        "zones": N_("filled zones"),
    },
    "colour_by": {
        "device": N_("device"),
        "outcome": N_("how the visit ended"),
        "channel": N_("where they came from"),
        "variant": N_("variant"),
        "browser": N_("browser"),
        "os": N_("system"),
        "language": N_("the browser’s language"),
    },
    "marks": {
        "contours": N_("lines of heat"),
        "folds": N_("where windows end"),
        "zones": N_("zones with numbers"),
    },
    "scale": {
        "linear": N_("linear"),
        "sqrt": N_("square root"),
        "log": N_("logarithmic"),
    },
}

FIELDS: Mapping[str, str] = {
    "kind": N_("Kind of map"),
    "device": N_("Device"),
    "date_from": N_("From"),
    "date_to": N_("Up to and including"),
    "outcome": N_("How the visit ended"),
    "layout": N_("Drawn on"),
    "browser": N_("Browser"),
    "os": N_("System"),
    "language": N_("Browser’s language"),
    "channel": N_("Came from"),
    "variant": N_("Variant, a number"),
    "capture": N_("Measured"),
    "viewport_width_min": N_("Window from, px wide"),
    "viewport_width_max": N_("Window up to, px wide"),
    "aggregation": N_("Counted"),
    "per": N_("Amounts for"),
    "style": N_("Drawn as"),
    "colour_by": N_("Dots coloured by"),
    "marks": N_("Drawn over it"),
    "palette": N_("Colours"),
    "scale": N_("Colour scale"),
    "full_colour": N_("Full colour at, per 100 × 100 px"),
    "bandwidth": N_("Bandwidth, px"),
}
"""Every parameter that the map page takes, in the order of its form."""

DROPS: Mapping[str, str] = {
    Reason.BOT: N_("robots, test browsers without a window among them"),
    Reason.PREFETCH: N_("pages fetched ahead and not seen"),
    Reason.OPT_OUT: N_("visitors who ask not to be counted"),
    Reason.NO_CONSENT: N_("no consent by cookie"),
    Reason.UNKNOWN_PAGE: N_("a page that this shop does not have"),
    Reason.BAD_TOKEN: N_("addresses that nobody was given"),
    Reason.BAD_NAME: N_("signals that an old fragment sends"),
    Reason.BAD_REF: N_("a reference that cannot be read"),
    Reason.EXPIRED: N_("pages left open for more than a day"),
    Reason.CLOCK: N_("browsers whose clock is days off"),
    Reason.REPEAT: N_("sent again, and kept once"),
    Reason.OUTSIDE_PAGE: N_("places outside the page"),
    Reason.TWIN: N_("opened twice by one page load"),
    Reason.COPIED: N_("one view, copied to several visitors"),
    Reason.OFF: N_("counting is switched off"),
    Reason.STAFF: N_("the shop’s own people"),
    Reason.ORIGIN: N_("pages elsewhere with this shop’s key"),
    Reason.FLOOD: N_("more than one visitor can send"),
    Reason.TEST_ORDER: N_("test orders"),
    Reason.QUARANTINED: N_("excluded by hand"),
}
"""Why something that arrived is in no map. An unknown site has no page to say it on, and an
untrusted proxy drops nothing."""
