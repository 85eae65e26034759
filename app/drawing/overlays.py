"""Map → picture: drawn in another process, named by a strong ETag, equal requests drawn once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import IntEnum
from functools import partial
from importlib.metadata import version
from typing import Any

from app.changes import Change, changes_asked, changes_in
from app.context import Context
from app.drawing.contrasts import Contrasts
from app.drawing.keeping import Keeping, Sentence
from app.drawing.painting import (
    Over,
    draw_confetti,
    draw_over,
    draw_zones,
    zone_frames,
    zone_values,
)
from app.joint import Part, joint
from app.mapping.audience import Audience
from app.mapping.filters import PLACELESS, MapQuery
from app.mapping.maps import PageMap, page_maps, summary
from app.mapping.small_numbers import filters_of
from app.picturing.layouts import pictures
from app.problems import ApiProblem
from app.store import Store
from collector.sites import Page, Site
from heatmap.drawing import Drawing, draw
from heatmap.legend import Legend, with_legend
from heatmap.marks import gather
from heatmap.png import laid_over, noted
from heatmap.reach import draw_reach

RENDERER = version("gloed")
STAMP = "TEST"
KEPT_BYTES = 64 * 1024 * 1024
"""Drawn pictures kept per process; a picture is named by everything that went into it."""

KEPT_SENTENCES_BYTES = 1024 * 1024
"""A sentence has some 200 letters: those of thousands of pages."""


BOX_BYTES = 200
"""Four edges and a weight, as Python keeps them."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What one request is answered with."""

    drawing: Drawing
    found: PageMap

    @property
    def of_shop(self) -> Audience:
        return self.found.of_shop

    @property
    def size(self) -> int:
        """Bytes it occupies: of a busy page the marks take more than the picture."""
        marks = self.found.points.nbytes + self.found.point_weights.nbytes
        return len(self.drawing.png) + marks + BOX_BYTES * len(self.found.boxes)


SOURCES = """
    SELECT string_agg(concat_ws(' ', name, period, state, dirty_since), ',' ORDER BY name, period)
    FROM job WHERE site_id = $1 AND period BETWEEN $4 AND $3
    AND (name IN ('seal', 'raw_gone') OR name = 'close' AND dirty_since IS NOT NULL)
"""
"""Which days are sealed, and which of them late rows have reopened (`app/mapping/sources.py`)."""


_DATA = f"""
    SELECT (SELECT data_version FROM site WHERE site_id = $1) AS version,
        (SELECT count(*) FROM beacon WHERE site_id = $1 AND day BETWEEN $2 AND $3) AS beacons,
        (SELECT count(*) FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3) AS batches,
        ({SOURCES}) AS sources,
        (SELECT sum(n) FROM dropped WHERE site_id = $1 AND day BETWEEN $4 AND $3) AS left_out
"""


NOTHING: Mapping[str, Part] = {}


@dataclass(frozen=True, slots=True)
class State:
    """The state of a shop's data, as far as maps of a period can tell; it names all of them."""

    site: Site
    today: date
    data: tuple[Any, ...]

    def etag(self, page: Page, query: MapQuery) -> str:
        """The name of one of its maps."""
        told = (
            self.site.site_id,
            self.site.state,
            page.page_id,
            page.title,
            *query.period(self.today),
            *self.data,
            RENDERER,
        )
        named = f"{told!r} {query.model_dump_json()}"
        return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


async def etag(context: Context, site: Site, page: Page, query: MapQuery) -> str:
    """Strong name of the answer: data, parameters and renderer; known before any work. As every
    answer tells how many page views were counted, it has another name when more was left out.

    Of days that are closed the data version tells of every change: the closing job raises it.
    Of those that are still open the raw rows are counted, so that a picture is never older than
    what was acknowledged before it was asked for. A day's marks lie a little otherwise once they
    are read from its tiles.
    """
    state, _ = await state_of(context, site, query)
    return state.etag(page, query)


async def state_of(
    context: Context, site: Site, query: MapQuery, beside: Mapping[str, Part] = NOTHING
) -> tuple[State, Mapping[str, Any]]:
    """What names every map of this period, and what else is asked along with it."""
    asked = _state_asked(context, site, query)
    parts, values = joint(beside, known=len(asked))
    statement = f"SELECT own.*, {parts} AS told FROM ({_DATA}) AS own"
    *data, told = (await context.store.fetchrow(statement, *asked, *values)).values()
    return State(site, site.day_of(context.clock()), tuple(data)), json.loads(told)


async def etag_and_changes(
    context: Context, site: Site, page: Page, query: MapQuery
) -> tuple[str, tuple[Change, ...]]:
    """The name of a map, with what people wrote down of its page, which no answer holds."""
    state, told = await state_of(context, site, query, {"changes": changes_asked(site, page)})
    return state.etag(page, query), changes_in(told["changes"])


def _state_asked(context: Context, site: Site, query: MapQuery) -> tuple[int, date, date, date]:
    today = site.day_of(context.clock())
    first, last = query.period(today)
    # Whether a live shop's map is shown depends on the days beside it too.
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    return site.site_id, max(before, today - timedelta(days=1)), after, before


Writer = Callable[[PageMap, Audience, Drawing, str], Legend]
"""Puts what a map says into words of a language."""


class Overlays:
    """Pictures by name; the same question asked twice at once is answered by one drawing."""

    def __init__(self, legend_of: Writer) -> None:
        self._legend_of = legend_of
        self._maps: Keeping[Picture] = Keeping(KEPT_BYTES, lambda picture: picture.size)
        self.contrasts = Contrasts()
        self.sentences: Keeping[Sentence] = Keeping(
            KEPT_SENTENCES_BYTES, lambda sentence: len(sentence.text)
        )
        """What a page says of another one, where it takes a contrast to say it."""

    async def picture(
        self, context: Context, site: Site, page: Page, query: MapQuery, name: str
    ) -> Picture:
        make = partial(_picture, context, site, page, query, self._legend_of)
        state = {"shop": site.site_id, "version": site.data_version}
        return await self._maps.get(name, make, **state)

    async def pictures(
        self, context: Context, site: Site, asked: Mapping[str, tuple[Page, MapQuery]]
    ) -> dict[str, Picture | ApiProblem]:
        """Several of a shop by their names: those that are to be drawn are read at once. What is
        refused is told as what refused it."""

        async def make(names: list[str]) -> Mapping[str, Picture | ApiProblem]:
            maps = [asked[name] for name in names]
            drawn = await _pictures(context, site, maps, self._legend_of)
            return dict(zip(names, drawn, strict=True))

        return await self._maps.get_all(
            dict.fromkeys(asked, (site.site_id, site.data_version)), make
        )


async def _picture(
    context: Context, site: Site, page: Page, query: MapQuery, legend_of: Writer
) -> Picture:
    (drawn,) = await _pictures(context, site, [(page, query)], legend_of)
    if isinstance(drawn, ApiProblem):
        raise drawn
    return drawn


async def _pictures(
    context: Context, site: Site, asked: Sequence[tuple[Page, MapQuery]], legend_of: Writer
) -> list[Picture | ApiProblem]:
    """Read at once, and drawn one after the other: drawing has places for a few."""
    with context.renders.place():
        told = await page_maps(context.store, site, asked, context.clock())
        found = [one for one in told if isinstance(one, PageMap)]
        under = await pictures_under(context.store, found)
        return [
            one if isinstance(one, ApiProblem) else await _drawn(context, one, under, legend_of)
            for one in told
        ]


async def _drawn(
    context: Context, found: PageMap, under: Mapping[bytes, bytes], legend_of: Writer
) -> Picture:
    query, lies_on = found.query, under.get(hash_under(found) or b"")
    told = options(found, found.of_shop)
    drawing = await context.renders.run(paint, told, lies_on, query.picture)
    if query.legend != "none":
        # What full colour stands for is known only now.
        legend = legend_of(found, found.of_shop, drawing, query.legend)
        drawing = await context.renders.run(explain, drawing, legend, query.dpr)
    return Picture(drawing, found)


def hash_under(found: PageMap) -> bytes | None:
    """Of the page's own picture, where it is asked for and there is one."""
    return found.layout.picture_hash if found.query.picture == "page" and found.layout else None


async def pictures_under(store: Store, found: Sequence[PageMap]) -> Mapping[bytes, bytes]:
    """The pages' own pictures of maps of one shop, by their hashes."""
    hashes = {told for one in found if (told := hash_under(one)) is not None}
    return await pictures(store, found[0].site.site_id, hashes) if hashes else {}


def options(found: PageMap, of_shop: Audience) -> dict[str, Any]:
    """Everything that decides the picture's bytes, in plain values that travel to a process."""
    query = found.query
    over = Over(
        contours_px=found.bandwidth_px if "contours" in query.drawn_over else None,
        folds_px=found.folds_px,
        zones=zone_frames(found) if "zones" in query.drawn_over else (),
        hidden_px=tuple(box.edges_px for box in found.frames if query.kind not in PLACELESS),
    )
    common: dict[str, Any] = {
        "width_px": found.width_px,
        "height_px": found.height_px,
        "palette": query.palette,
        "dpr": query.dpr,
        "stamp": STAMP if found.trying else None,
        "text": _text(found, of_shop),
        "over": over,
    }
    if query.opacity is not None:
        common["opacity"] = query.opacity
    if query.kind == "scroll":
        return {"depths": list(found.depths_px), **common}
    if query.style == "zones":
        zones = zone_values(found)
        return {"zones": zones, "scale": query.scale, "scale_max": query.scale_max, **common}
    if query.style == "confetti":
        del common["palette"]
        return {"dots": found.dots, "colours": found.dot_colours, **common}
    return {
        "points": found.points,
        "weights": found.point_weights,
        "boxes": list(found.boxes),
        "box_weights": list(found.box_weights),
        "bandwidth_px": found.bandwidth_px,
        "scale": query.scale,
        "scale_max": query.scale_max,
        **common,
    }


def _text(found: PageMap, of_shop: Audience) -> Mapping[str, str]:
    """What the file says of itself when it lies in somebody's presentation."""
    told = summary(found)
    names = (
        "site",
        "page",
        "layout",
        "kind",
        "unit",
        "visits",
        "page_views",
        "date_from",
        "date_to",
        "bandwidth_px",
    )
    about = {f"gloed:{name}": str(told[name]) for name in names}
    chosen = filters_of(found.query).items()
    about |= {
        "gloed:filters": ", ".join(f"{name}={_plain(value)}" for name, value in chosen) or "none",
        "gloed:scale": found.query.scale,
        "gloed:scale_unit": found.scale_unit,
        "gloed:counted": of_shop.told,
    }
    return {"Software": f"Gloed {RENDERER}", **about}


def _plain(value: Any) -> str:
    """As a request has it."""
    return value.name.lower() if isinstance(value, IntEnum) else str(value)


def paint(told: dict[str, Any], under: bytes | None, ground: str) -> Drawing:
    """Runs in a drawing process."""
    given = dict(told)
    over = given.pop("over")
    if "depths" in given:
        drawing = draw_reach(given.pop("depths"), **given)
    elif "zones" in given:
        drawing = draw_zones(given.pop("zones"), **given)
    elif "dots" in given:
        drawing = draw_confetti(given.pop("dots"), **given)
    else:
        marks = gather(
            given.pop("points"), given.pop("weights"), given.pop("boxes"), given.pop("box_weights")
        )
        drawing = draw(marks, **given)
    drawing = draw_over(drawing, over, told)
    # As heatmap.json prints it: a picture in a presentation tells what to compare it by.
    png = noted(drawing.png, {"gloed:scale_max": repr(drawing.scale_max)})
    return replace(drawing, png=png if ground == "none" else laid_over(under, png))


def explain(drawing: Drawing, legend: Legend, dpr: int) -> Drawing:
    """Put the legend under the picture; runs in a drawing process too."""
    return replace(drawing, png=with_legend(drawing.png, legend, dpr=dpr))
