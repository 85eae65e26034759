"""The views of one page, and what is asked of one of them carried along to the others.

Whoever chose phones of last week and goes from the clicks to the form report still means phones of
last week. What the other view does not choose by stays in the address, and the view says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from app.contrasting.asked import CompareQuery, ZonesQuery
from app.mapping.filters import PLACELESS
from app.pages.labels import FIELDS, KINDS, VIEWS

OWN_PAGE = {"form": "/form", "stalls": "/stalls", "compare": "/compare"}
"""Views with an address of their own; the others are maps of the page's own address."""

STYLES = {"zones": "zones", "confetti": "confetti"}
DOTTED = "click"
"""What dots are of, where nothing else was looked at: of stalls script-free none has a place."""

OF_PLACES = ("style", "colour_by", "marks")
"""How a map is drawn that knows places; another tab begins without it."""

OF_AMOUNTS = ("full_colour", "per", "scale")
"""Of one kind's amounts, which are no scale for another's."""

COHORTS = ("a", "b", "planned")
CARRIED = frozenset({*FIELDS, *COHORTS})
"""Every name that any view of a page takes."""

TAKEN = {
    "form": frozenset(ZonesQuery.model_fields),
    "stalls": frozenset(ZonesQuery.model_fields),
    "compare": frozenset(CompareQuery.model_fields),
}
DRAWN_ANYWAY = frozenset(
    {"kind", "style", "colour_by", "marks", "palette", "scale", "full_colour", "bandwidth"}
)
"""Of how a map is drawn: to leave it out changes nothing that is counted."""


@dataclass(frozen=True, slots=True)
class Tab:
    """label is a message; address is relative to the page's own, its query included."""

    name: str
    label: str
    address: str
    present: bool


def tabs(everything: Mapping[str, str], present: str) -> tuple[Tab, ...]:
    """Every view of the page.

    everything  what the address asks for, names that the present view does not take included
    """
    return tuple(
        Tab(name, label, OWN_PAGE.get(name, "") + _query(everything, name), name == present)
        for name, label in VIEWS.items()
    )


def map_view(given: Mapping[str, str]) -> str:
    """Which of the views a map is, by its parameters."""
    style = given.get("style", "")
    return style if style in STYLES else given.get("kind", "stall")


def _query(everything: Mapping[str, str], name: str) -> str:
    told = _asked(everything, name)
    return f"?{urlencode(told)}" if told else ""


def _asked(everything: Mapping[str, str], name: str) -> Mapping[str, str]:
    if name in OWN_PAGE:
        return everything
    kind = everything.get("kind", "stall")
    told = {n: value for n, value in everything.items() if n not in OF_PLACES}
    if name in STYLES:
        drawn = kind if kind not in PLACELESS and "kind" in everything else _usual(name)
        return {**told, "kind": drawn, "style": STYLES[name]}
    if name != kind:
        told = {n: value for n, value in told.items() if n not in OF_AMOUNTS}
    return {**told, "kind": name}


def _usual(name: str) -> str:
    return DOTTED if name == "confetti" else "stall"


def parted(
    pairs: Iterable[tuple[str, str]], taken: Iterable[str]
) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """What a view takes, and what other views of the page take: that is only carried along."""
    own = set(taken)
    told = list(pairs)
    carried = {name: value for name, value in told if name in CARRIED - own}
    return [(name, value) for name, value in told if name not in carried], carried


def not_chosen_by(carried: Mapping[str, str]) -> tuple[str, ...]:
    """Labels of filters that are carried along and choose nothing here."""
    return tuple(FIELDS[name] for name in FIELDS if name in carried.keys() - DRAWN_ANYWAY)


assert set(KINDS) < set(VIEWS)
