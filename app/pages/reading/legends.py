"""What stands in a picture's legend, in the reader's language: finished words and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.drawing.painting import CONTOUR_SHARES, MOST_DOTS, zone_frames
from app.mapping.audience import Audience
from app.mapping.filters import PLACELESS, MapQuery
from app.mapping.folds import FOLD_SHARES
from app.mapping.page_map import PageMap, per_visit
from app.pages.dot_classes import dot_lines
from app.pages.labels import AREA_PX2, CHOICES
from app.pages.words import N_, WORDS, Words
from collector.wire import Reason
from heatmap.colours import DEFAULT_OPACITY, ColourTable, rows
from heatmap.drawing import Drawing
from heatmap.legend import ColourBar, Key, Legend, bar_ticks
from heatmap.lettering import legible
from heatmap.reach import REACH_OPACITY
from heatmap.zone_boxes import ZONE_OPACITY, zone_rows

TITLES = {
    "stall": N_("Where visitors stall"),
    "click": N_("Where visitors click or tap"),
    "move": N_("Where the mouse was"),
    "scroll": N_("How far down visitors see"),
    "attention": N_("How long it was in view"),
    "rageclick": N_("Where visitors press again and again"),
    "deadclick": N_("Clicks that nothing answered"),
}
AMOUNTS = {
    ("stall", True): N_("seconds per visit"),
    ("stall", False): N_("seconds"),
    ("click", True): N_("clicks and taps per visit"),
    ("click", False): N_("clicks and taps"),
    ("move", True): N_("positions of the mouse per visit"),
    ("move", False): N_("positions of the mouse"),
    ("attention", True): N_("seconds in view per visit"),
    ("attention", False): N_("seconds in view"),
    ("rageclick", True): N_("bursts of presses per visit"),
    ("rageclick", False): N_("bursts of presses"),
    ("deadclick", True): N_("dead clicks per visit"),
    ("deadclick", False): N_("dead clicks"),
}
"""By kind of map, and whether they are told for a visit."""

DOTS = {
    "stall": N_("a stall"),
    "click": N_("a click or tap"),
    "move": N_("a position of the mouse"),
    "rageclick": N_("a burst of presses"),
    "deadclick": N_("a dead click"),
}
FILTERS = ("device", "outcome", "browser", "os", "language", "channel", "capture", "aggregation")
"""Parameters whose choices have names, told where they narrow the map."""


LEFT_OUT: Mapping[str, str] = {
    Reason.NO_CONSENT: N_("no consent"),
    Reason.OPT_OUT: N_("opted out"),
    Reason.BOT: N_("bots"),
    Reason.STAFF: N_("own people"),
    Reason.OFF: N_("switched off"),
    Reason.ORIGIN: N_("pages elsewhere"),
    Reason.QUARANTINED: N_("excluded"),
}
"""Why page views are in no map, in as few words as a legend has room for."""


def legend_of(found: PageMap, of_shop: Audience, drawing: Drawing, language: str) -> Legend:
    """The legend of a map as it was drawn."""
    words = WORDS[language]
    _ = words.catalogue.gettext
    return Legend(
        title=_(TITLES[found.query.kind]),
        subtitle=", ".join(_about(found, words)),
        bar=None if found.query.style == "confetti" else _bar(found, drawing, words),
        keys=tuple(_keys(found, words)),
        facts=(*_facts(found, words), *_audience(of_shop, words)),
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
    scroll, by_zone = query.kind == "scroll", query.style == "zones"
    full = drawing.scale_max * (1 if scroll or by_zone else AREA_PX2)
    ticks = bar_ticks(full, "linear" if scroll else query.scale) if full > 0 else ((0.0, 0.0),)
    return ColourBar(
        _colours(query),
        tuple(
            (place, words.share(value) if scroll else words.shortly(value))
            for value, place in ticks
        ),
        _unit(query, words),
    )


def _colours(query: MapQuery) -> ColourTable:
    if query.style == "zones":
        return zone_rows(query.palette, query.opacity or ZONE_OPACITY)
    usual = REACH_OPACITY if query.kind == "scroll" else DEFAULT_OPACITY
    return rows(query.palette, query.opacity or usual)


def _unit(query: MapQuery, words: Words) -> str:
    _ = words.catalogue.gettext
    if query.kind == "scroll":
        return _("share of the page views that saw it")
    amount = _(AMOUNTS[query.kind, per_visit(query)])
    area = _("in a zone") if query.style == "zones" else _("per 100 × 100 px")
    return f"{amount}, {area}"


def _keys(found: PageMap, words: Words) -> Iterator[Key]:
    """What dots and lines stand for."""
    _ = words.catalogue.gettext
    if found.query.style == "confetti":
        yield from _dot_keys(found, words)
    if "contours" in found.query.drawn_over:
        shares = ", ".join(words.share(share) for share in CONTOUR_SHARES)
        yield Key("solid", _("%(shares)s of full colour") % {"shares": shares})
    if found.folds_px:
        shares = ", ".join(words.share(share) for share in FOLD_SHARES)
        yield Key(
            "broken",
            _("windows end: %(shares)s") % {"shares": shares},
        )


def _dot_keys(found: PageMap, words: Words) -> Iterator[Key]:
    if not found.classes:
        yield Key(0, words.catalogue.gettext(DOTS[found.query.kind]))
    for line in dot_lines(found, words):
        yield Key(line.number, line.text)


def _facts(found: PageMap, words: Words) -> Iterator[tuple[str, str]]:
    _ = words.catalogue.gettext
    query = found.query
    yield _("Visits"), words.number(found.visits)
    yield _("Page views"), words.number(found.views)
    if found.coverage is not None:
        yield _("Coverage"), words.share(found.coverage)
    yield _("Period"), words.period(found.date_from, found.date_to)
    if query.kind != "scroll":
        if query.style == "heat":
            yield _("Bandwidth"), f"{words.shortly(found.bandwidth_px)} px"
        if query.style != "confetti":
            curve = CHOICES["scale"][query.scale]
            yield _("Scale"), _(curve)
    if query.style == "confetti":
        yield _("Dots"), _dots(found, words)
    if query.colour_by is not None:
        yield _("Each dot"), _(DOTS[query.kind])
    if query.style == "zones" or "zones" in query.drawn_over:
        yield _("Zones"), ", ".join(_zone_names(found))
    yield _("Layout"), _layout(found, words)
    if found.frames and query.kind not in PLACELESS:
        yield _("Hatched"), _("inside the frame nothing is visible")
    yield _("Data version"), words.number(found.site.data_version)
    asked = [_(name) for name in _filters(found)]
    if asked:
        yield _("Selection"), ", ".join(asked)


def _audience(of_shop: Audience, words: Words) -> Iterator[tuple[str, str]]:
    """How much of all that went on in the shop any map of it rests on."""
    _ = words.catalogue.gettext
    if of_shop.share is None:
        return
    told = words.share(of_shop.share)
    rest = [f"{_(LEFT_OUT[why])} {words.share(share)}" for why, share in of_shop.shares_left_out]
    if rest:
        told = _("%(share)s; the rest: %(rest)s") % {"share": told, "rest": ", ".join(rest)}
    yield _("Counted of the shop"), told


def _dots(found: PageMap, words: Words) -> str:
    drawn = words.number(min(len(found.dots), MOST_DOTS))
    known = words.number(len(found.dots))
    _ = words.catalogue.gettext
    said = drawn if drawn == known else _("%(n)s of %(all)s") % {"n": drawn, "all": known}
    if not found.dots_in_zones:
        return said
    rest = _("%(n)s known by zone alone, in rows") % {"n": words.number(found.dots_in_zones)}
    return f"{said}; {rest}"


def _zone_names(found: PageMap) -> Iterator[str]:
    names = {zone.number: zone.name for zone in found.page.zones}
    for frame in zone_frames(found):
        name = names.get(frame.number, "")
        yield f"{frame.number} {name}".strip() if legible(name) else str(frame.number)


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
