"""Map → picture: drawn in another process, kept by its strong name, equal requests drawn once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from app.context import Context
from app.drawing.contrasts import Contrasts
from app.drawing.keeping import Keeping, Sentence
from app.drawing.orders import explain, ground, options, paint
from app.drawing.states import State, state_asked, state_in, state_of
from app.joint import Part
from app.mapping.audience import Audience
from app.mapping.drafts import Reading
from app.mapping.filters import MapQuery
from app.mapping.maps import Lay, each_by_itself, map_on, page_maps, readings, readings_of_pages
from app.mapping.page_map import PageMap
from app.picturing.layouts import picture
from app.problems import ApiProblem, TooFewVisits
from app.store import Store
from collector.sites import Page, Site
from heatmap.drawing import Drawing
from heatmap.legend import Legend

KEPT_BYTES = 32 * 1024 * 1024
"""Drawings kept per process, and as much of pictures that they are laid on; each is named by
everything that went into it."""

KEPT_QUESTIONS = 1_000
"""Of some 600 letters each; what was asked so long ago may be read once in vain."""

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


Writer = Callable[[PageMap, Audience, Drawing, str], Legend]
"""Puts what a map says into words of a language."""


Choose = Callable[[Mapping[str, Any]], Mapping[int, MapQuery]]
"""Which map is wanted of which page, by its number, once what was asked beside them is told."""


class Overlays:
    """Pictures by name; the same question asked twice at once is answered by one drawing.

    A map is drawn once, whatever it is laid on: pages and numbers want the drawing alone, and it is
    laid on the page's own picture, or has its legend put under it, where that is asked for.
    """

    def __init__(self, legend_of: Writer) -> None:
        self._legend_of = legend_of
        self._maps: Keeping[Picture] = Keeping(KEPT_BYTES, lambda picture: picture.size)
        self._dressed: Keeping[bytes] = Keeping(KEPT_BYTES, len)
        self._asked: Keeping[bool] = Keeping(KEPT_QUESTIONS, lambda _: 1)
        """Questions that were answered of the present state of a shop's closed days."""
        self.contrasts = Contrasts()
        self.sentences: Keeping[Sentence] = Keeping(
            KEPT_SENTENCES_BYTES, lambda sentence: len(sentence.text)
        )
        """What a page says of another one, where it takes a contrast to say it."""

    async def drawn(self, context: Context, state: State, page: Page, query: MapQuery) -> Picture:
        """A map as it is drawn, whatever it is to be laid on."""
        plain, owner = undressed(query), self._owner(state.site)
        await self._note(_question(state.site, state.today, page, plain), owner)
        make = partial(_picture, context, state.site, page, plain)
        return await self._maps.get(state.etag(page, plain), make, **owner)

    async def _note(self, question: str, owner: Mapping[str, int]) -> None:
        async def noted() -> bool:
            return True

        await self._asked.get(question, noted, **owner)

    async def look(
        self,
        context: Context,
        site: Site,
        page: Page,
        query: MapQuery,
        beside: Mapping[str, Part],
    ) -> tuple[Picture | TooFewVisits, Mapping[str, Any]]:
        """A map as it is drawn, or that it may not be shown; and what else is asked along with the
        state of the data. Where no answer to this question is kept, what the map rests on is asked
        along with it too, for it will be wanted."""
        plain, owner = undressed(query), self._owner(site)
        question = _question(site, site.day_of(context.clock()), page, plain)
        if not self._asked.lacks({question: (site.site_id, site.data_version)}):
            state, told = await state_of(context, site, plain, beside)
            return await _few_or(self.drawn(context, state, page, plain)), told
        with context.renders.place():
            parts = {**beside, "state": state_asked(context, site, plain)}
            now = context.clock()
            (read,), told = await readings(context.store, site, [(page, plain)], now, parts)
            name = state_in(context, site, told["state"]).etag(page, plain)
            make = partial(_laid, context, read, plain)
            found = await _few_or(self._maps.get(name, make, **owner))
        await self._note(question, owner)
        return found, told

    async def look_at_pages(
        self,
        context: Context,
        site: Site,
        pages: Sequence[Page],
        ground: MapQuery,
        beside: Mapping[str, Part],
        choose: Choose,
    ) -> tuple[dict[int, Picture | ApiProblem], Mapping[str, Any]]:
        """Maps of several pages as they are drawn, by page, each found or refused; and what else is
        asked along with the state of the data. What they rest on is asked along with it too: rows
        are read for those alone that are chosen then and of which no picture is kept.

        ground  what all of them rest on; those chosen differ by what is drawn on it
        """
        of = {page.page_id: page for page in pages}

        def named(told: Mapping[str, Any]) -> dict[str, tuple[Page, MapQuery]]:
            state = state_in(context, site, told["state"])
            chosen = [(of[page_id], undressed(query)) for page_id, query in choose(told).items()]
            return {state.etag(page, query): (page, query) for page, query in chosen}

        def still(told: Mapping[str, Any]) -> set[int]:
            names = named(told)
            lacking = self._maps.lacks(dict.fromkeys(names, (site.site_id, site.data_version)))
            return {names[name][0].page_id for name in lacking}

        with context.renders.place():
            parts = {**beside, "state": state_asked(context, site, ground)}
            read, told = await readings_of_pages(
                context.store, site, pages, undressed(ground), context.clock(), parts, still
            )
            names = named(told)
            drawn = await self._drawn_of(context, site, names, read)
        return {page.page_id: drawn[name] for name, (page, _) in names.items()}, told

    async def _drawn_of(
        self,
        context: Context,
        site: Site,
        names: Mapping[str, tuple[Page, MapQuery]],
        read: Mapping[int, Reading | ApiProblem],
    ) -> dict[str, Picture | ApiProblem]:
        """By name, what was read of these pages, else what is kept."""
        owner, today = self._owner(site), site.day_of(context.clock())
        for page, query in names.values():
            await self._note(_question(site, today, page, query), owner)

        async def make(lacking: list[str]) -> Mapping[str, Picture | ApiProblem]:
            asked = {name: names[name] for name in lacking}
            maps = {
                name: map_on(read[page.page_id], query)
                for name, (page, query) in asked.items()
                if page.page_id in read
            }
            if late := {name: one for name, one in asked.items() if name not in maps}:
                # Let go since it was looked.
                found = await page_maps(context.store, site, [*late.values()], context.clock())
                maps |= zip(late, found, strict=True)
            return {name: await _drawn_or(context, found) for name, found in maps.items()}

        return await self._maps.get_all(
            dict.fromkeys(names, (site.site_id, site.data_version)), make
        )

    async def drawn_all(
        self,
        context: Context,
        site: Site,
        asked: Mapping[str, tuple[Page, MapQuery]],
        lay: Lay = each_by_itself,
    ) -> dict[str, Picture | ApiProblem]:
        """Several of a shop by their names: those that are to be drawn are read at once. What is
        refused is told as what refused it.

        asked  undressed
        """

        async def make(names: list[str]) -> Mapping[str, Picture | ApiProblem]:
            drawn = await _pictures(context, site, [asked[name] for name in names], lay)
            return dict(zip(names, drawn, strict=True))

        self._owner(site)
        state = site.site_id, site.data_version
        return await self._maps.get_all(dict.fromkeys(asked, state), make)

    async def png(self, context: Context, state: State, page: Page, query: MapQuery) -> bytes:
        """The file, just as it is asked for."""
        if query == undressed(query):
            return (await self.drawn(context, state, page, query)).drawing.png
        make = partial(self._dress, context, state, page, query)
        return await self._dressed.get(state.etag(page, query), make, **self._owner(state.site))

    def _owner(self, site: Site) -> dict[str, int]:
        """Of what is asked for now. What was made of a former state of its data goes, whoever asks
        next."""
        for kept in (self._maps, self._dressed):
            kept.enter(site.site_id, site.data_version)
        return {"shop": site.site_id, "version": site.data_version}

    async def _dress(self, context: Context, state: State, page: Page, query: MapQuery) -> bytes:
        """A map on its ground, with its legend."""
        drawn = await self.drawn(context, state, page, query)
        under = await picture_under(context.store, drawn.found, query)
        with context.renders.place():
            drawing = await context.renders.run(ground, drawn.drawing, under, query.picture)
            if query.legend != "none":
                legend = self._legend_of(drawn.found, drawn.of_shop, drawing, query.legend)
                drawing = await context.renders.run(explain, drawing, legend, query.dpr)
        return drawing.png


def undressed(query: MapQuery) -> MapQuery:
    """The same map on nothing and without a legend."""
    return query.model_copy(update={"picture": "none", "legend": "none"})


def _question(site: Site, today: date, page: Page, query: MapQuery) -> str:
    """What is asked, of whatever state of the data."""
    return f"{site.site_id} {site.state} {page.page_id} {today} {query.model_dump_json()}"


async def _few_or(answer: Awaitable[Picture]) -> Picture | TooFewVisits:
    try:
        return await answer
    except TooFewVisits as problem:
        return problem


async def _laid(context: Context, read: Reading | ApiProblem, query: MapQuery) -> Picture:
    found = map_on(read, query)
    if isinstance(found, ApiProblem):
        raise found
    return await _drawn(context, found)


async def _picture(context: Context, site: Site, page: Page, query: MapQuery) -> Picture:
    (drawn,) = await _pictures(context, site, [(page, query)], each_by_itself)
    if isinstance(drawn, ApiProblem):
        raise drawn
    return drawn


async def _pictures(
    context: Context, site: Site, asked: Sequence[tuple[Page, MapQuery]], lay: Lay
) -> list[Picture | ApiProblem]:
    """Read at once, and drawn one after the other: drawing has places for a few."""
    with context.renders.place():
        read, _ = await readings(context.store, site, asked, context.clock())
        told = lay(read, [query for _, query in asked])
        return [await _drawn_or(context, one) for one in told]


async def _drawn_or(context: Context, found: PageMap | ApiProblem) -> Picture | ApiProblem:
    return found if isinstance(found, ApiProblem) else await _drawn(context, found)


async def _drawn(context: Context, found: PageMap) -> Picture:
    return Picture(await context.renders.run(paint, options(found, found.of_shop)), found)


async def picture_under(store: Store, found: PageMap, query: MapQuery) -> bytes | None:
    """The page's own picture, where it is asked for and there is one."""
    if query.picture != "page" or found.layout is None or found.layout.picture_hash is None:
        return None
    return await picture(store, found.site.site_id, found.layout.picture_hash)
