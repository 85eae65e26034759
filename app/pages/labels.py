"""What the reader calls the values of the API: codes → messages, translated where shown."""

from __future__ import annotations

from collections.abc import Mapping

from app.pages.words import N_
from collector.codes import Phase

PHASES: Mapping[Phase, str] = {
    Phase.BROWSE: N_("browsing"),
    Phase.PRODUCT: N_("product"),
    Phase.CART: N_("shopping cart"),
    Phase.CHECKOUT: N_("checkout"),
    Phase.PAYMENT: N_("payment"),
    Phase.DONE: N_("thank you"),
}

KINDS: Mapping[str, str] = {
    "stall": N_("Stalls"),
    "click": N_("Clicks"),
    "move": N_("Movement"),
    "scroll": N_("Scroll depth"),
}

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
    "capture": {
        "css": N_("without script"),
        "script": N_("by script"),
    },
    "aggregation": {
        "total_count": N_("every time"),
        "unique_visits": N_("once per visit"),
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
    "outcome": N_("How the visit ended"),
    "date_from": N_("From"),
    "date_to": N_("Up to and including"),
    "layout": N_("Drawn on"),
    "browser": N_("Browser"),
    "os": N_("System"),
    "language": N_("Browser's language"),
    "capture": N_("Measured"),
    "viewport_width_min": N_("Window from, px wide"),
    "viewport_width_max": N_("Window up to, px wide"),
    "aggregation": N_("Counted"),
    "palette": N_("Colours"),
    "scale": N_("Colour scale"),
    "scale_max": N_("Full colour at, per px²"),
    "bandwidth": N_("Bandwidth, px"),
}
"""Every parameter that the map page takes, in the order of its form."""
