"""What stands in a picture's legend, in the reader's language: finished words and numbers."""

from __future__ import annotations

from collections.abc import Iterator

from app.filters import MapQuery
from app.maps import PageMap
from app.pages.labels import CHOICES
from app.pages.words import N_, WORDS, Words
from heatmap.colours import DEFAULT_OPACITY, rows
from heatmap.drawing import Drawing
from heatmap.legend import ColourBar, Legend, bar_ticks
from heatmap.lettering import legible
from heatmap.reach import REACH_OPACITY

AREA_PX2 = 10_000
"""Intensities are told per 100 x 100 px, about a thumb's reach: per px² they are all 0.000…"""

TITLES = {
    "stall": N_("Where visitors stall"),
    "click": N_("Where visitors click or tap"),
    "move": N_("Where the mouse was"),
    "scroll": N_("How far down visitors see"),
}
UNITS = {
    "stall": N_("seconds per visit, per 100 × 100 px"),
    "click": N_("clicks and taps, per 100 × 100 px"),
    "move": N_("positions of the mouse, per 100 × 100 px"),
    "scroll": N_("share of the page views that saw it"),
}
FILTERS = ("device", "outcome", "browser", "os", "language", "capture", "aggregation")
"""Parameters whose choices have names, told where they narrow the map."""


def legend_of(found: PageMap, drawing: Drawing, language: str) -> Legend:
    """The legend of a map as it was drawn."""
    words = WORDS[language]
    _ = words.catalogue.gettext
    return Legend(
        title=_(TITLES[found.query.kind]),
        subtitle=", ".join(_about(found, words)),
        bar=_bar(found, drawing, words),
        facts=tuple(_facts(found, words)),
    )


def _about(found: PageMap, words: Words) -> Iterator[str]:
    """Names in another script than the font's are left out: the page has its slug."""
    yield found.page.title if legible(found.page.title) else found.page.slug
    if legible(found.site.name):
        yield found.site.name
    if found.trying:
        yield words.catalogue.gettext("test data")


def _bar(found: PageMap, drawing: Drawing, words: Words) -> ColourBar:
    query = found.query
    scroll = query.kind == "scroll"
    opacity = query.opacity or (REACH_OPACITY if scroll else DEFAULT_OPACITY)
    full = drawing.scale_max * (1 if scroll else AREA_PX2)
    ticks = bar_ticks(full, "linear" if scroll else query.scale) if full > 0 else ((0.0, 0.0),)
    return ColourBar(
        rows(query.palette, opacity),
        tuple(
            (place, words.share(value) if scroll else words.shortly(value))
            for value, place in ticks
        ),
        words.catalogue.gettext(UNITS[query.kind]),
    )


def _facts(found: PageMap, words: Words) -> Iterator[tuple[str, str]]:
    _ = words.catalogue.gettext
    query = found.query
    yield _("Visits"), words.number(found.visits)
    yield _("Page views"), words.number(found.views)
    if found.coverage is not None:
        yield _("Coverage"), words.share(found.coverage)
    yield _("Period"), words.period(found.date_from, found.date_to)
    if query.kind != "scroll":
        yield _("Bandwidth"), f"{words.shortly(found.bandwidth_px)} px"
        curve = CHOICES["scale"][query.scale]
        yield _("Scale"), _(curve)
    yield _("Layout"), _layout(found, words)
    asked = [_(name) for name in _filters(found)]
    if asked:
        yield _("Selection"), ", ".join(asked)


def _layout(found: PageMap, words: Words) -> str:
    _ = words.catalogue.gettext
    size = f"{words.number(found.width_px)} × {words.number(found.height_px)} px"
    if found.layout is None:
        return size
    return f"{size}, {_('touch') if found.layout.pointer == 'coarse' else _('mouse')}"


def _filters(found: PageMap) -> Iterator[str]:
    """Names of what was asked for beside the period; a window's width by its numbers."""
    query = found.query
    for field in FILTERS:
        value = getattr(query, field)
        code = getattr(value, "name", value)
        if value not in (None, MapQuery.model_fields[field].default):
            yield CHOICES[field].get(code.lower(), code.lower())
    low, high = query.viewport_width_min, query.viewport_width_max
    if low or high:
        yield f"{low or 0} - {high} px" if high else f">= {low} px"
