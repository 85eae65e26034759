"""Where abandoners lose time and completers do not: the sentence, the zones, the map, the form."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from app.changes import Change
from app.context import Context
from app.contrasting.asked import PixelsQuery, ZonesQuery, period_of
from app.contrasting.pixels import PixelAnswer
from app.contrasting.question import Question
from app.contrasting.schedule import Stage
from app.contrasting.zones import ZoneRow
from app.pages.desk import RightsDep
from app.pages.door import ContextDep, shop
from app.pages.labels import DROPS
from app.pages.reading.around import around
from app.pages.reading.asked import PERIOD
from app.pages.reading.comparing import Pair, ready_made
from app.pages.reading.few import few_of
from app.pages.reading.finding import finding, form_finding
from app.pages.reading.standing import (
    association,
    drawn_on,
    held,
    left_out,
    needed,
    steps,
    truth,
    verdict,
)
from app.pages.reading.tabs import parted
from app.pages.reading.telling import Telling
from app.pages.rendering import page_response
from app.pages.words import Words, words_for
from app.problems import BadParameters, NotFound, TooFewVisits
from collector.sites import Page, Site
from heatmap.planning import MIN_VISITS

router = APIRouter()
OF_A_QUESTION = frozenset({"a", "b", "planned", "date_from", "date_to"})
"""What a question is about, as no filter chooses it."""

SiteDep = Annotated[Site, Depends(shop)]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of visits, and its interval, as they are written."""

    told: str
    margin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """given: what the address says, empty fields left out; query: what it asks."""

    given: Mapping[str, str]
    query: ZonesQuery
    carried: Mapping[str, str] = field(default_factory=dict)
    """What other views of the page are asked for, and this one is not."""
    wrong: tuple[str, ...] = ()

    @property
    def everything(self) -> dict[str, str]:
        """As the address has it, for the page's other views."""
        return {**self.given, **self.carried}

    @property
    def address(self) -> str:
        return urlencode(self.given)

    def again(self, **more: str) -> str:
        """The same question to the page, with something put in its place."""
        return urlencode({**self.given, **self.carried, **more})

    @property
    def unfiltered(self) -> str:
        """The same two cohorts in the same period, of everybody."""
        return urlencode({name: told for name, told in self.given.items() if name in OF_A_QUESTION})

    def comparing(self, pair: Pair) -> str:
        """The same visits, asked for other cohorts."""
        others = {n: v for n, v in self.given.items() if n not in ("a", "b", "planned")}
        return urlencode({**others, "a": pair.a, "b": pair.b})

    def compares(self, pair: Pair) -> bool:
        return (self.query.a, self.query.b) == (pair.a, pair.b)

    def drawn(self, **more: str) -> str:
        """The same question to stalls.png, or to compare.png with both cohorts named."""
        told = {name: value for name, value in self.given.items() if name != "planned"}
        if not self.query.is_default:
            told |= {"a": self.query.a, "b": self.query.b}
        else:
            told = {name: value for name, value in told.items() if name not in ("a", "b")}
        return urlencode({**told, **more})

    @property
    def picture(self) -> str:
        return "stalls" if self.query.is_default else "compare"

    @property
    def pixels(self) -> PixelsQuery:
        return PixelsQuery(**self.query.model_dump(exclude={"planned"}))


def read_asked(request: Request) -> Asked:
    """A form sends its empty fields too: they ask for nothing."""
    told = ((n, v.strip()) for n, v in request.query_params.multi_items() if v.strip())
    pairs, carried = parted(told, ZonesQuery.model_fields)
    twice = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        raise BadParameters("given twice")
    given = dict(pairs)
    try:
        return Asked(given, ZonesQuery.model_validate(given), carried)
    except ValidationError as problem:
        return Asked(given, ZonesQuery(), carried, wrong_in(problem))


def wrong_in(problem: ValidationError) -> tuple[str, ...]:
    """Names of the fields that cannot be read; of an order between two the first."""
    named = (str(error["loc"][0]) if error["loc"] else PERIOD for error in problem.errors())
    return tuple(dict.fromkeys(named))


@router.get("/sites/{key}/pages/{slug}/stalls")
async def stalls_page(
    request: Request, slug: str, context: ContextDep, site: SiteDep, rights: RightsDep
) -> Response:
    page, asked = _page_of(site, slug), read_asked(request)
    outside = around(site, page, rights, asked.everything, "stalls")
    words = words_for(request.headers.get("accept-language", ""))
    if asked.wrong:
        return _unread(request, "stalls.html.jinja", outside, asked)
    contrasts = context.overlays.contrasts
    name, changes = await contrasts.name_and_changes(context, site, page, asked.pixels)
    try:
        question = await contrasts.question(context, name, site, page, asked.query)
    except TooFewVisits as problem:
        few = await few_of_question(context, site, page, asked, problem)
        return page_response(request, "stalls.html.jinja", {**outside, **few})
    answer = await contrasts.zones(context, name, question)
    drawn = await _drawn(context, name, asked, question)
    telling = Telling(question, words)
    shown = {
        **outside,
        **_common(asked, question, telling, changes),
        "finding": finding(telling, answer),
        "zones": [_zone(telling, row) for row in answer.zones],
        "metrics": _metrics(telling, answer.zones),
        "drawn": drawn,
        "drawn_on": drawn_on(question, drawn),
        "regions": _regions(drawn, telling, words),
        "power": answer.planned_power,
    }
    return page_response(request, "stalls.html.jinja", shown)


@router.get("/sites/{key}/pages/{slug}/form")
async def form_page(
    request: Request, slug: str, context: ContextDep, site: SiteDep, rights: RightsDep
) -> Response:
    page, asked = _page_of(site, slug), read_asked(request)
    outside = around(site, page, rights, asked.everything, "form")
    words = words_for(request.headers.get("accept-language", ""))
    if asked.wrong:
        return _unread(request, "form_report.html.jinja", outside, asked)
    contrasts = context.overlays.contrasts
    name, changes = await contrasts.name_and_changes(context, site, page, asked.pixels)
    try:
        question = await contrasts.question(context, name, site, page, asked.query)
    except TooFewVisits as problem:
        few = await few_of_question(context, site, page, asked, problem)
        return page_response(request, "form_report.html.jinja", {**outside, **few})
    report = await contrasts.fields(context, name, question)
    telling = Telling(question, words)
    shown = {
        **outside,
        **_common(asked, question, telling, changes),
        "finding": form_finding(telling, report),
        "report": report,
        "infinity": math.inf,
    }
    return page_response(request, "form_report.html.jinja", shown)


def _page_of(site: Site, slug: str) -> Page:
    if slug not in site.pages:
        raise NotFound("no such page of this shop")
    return site.pages[slug]


NOTHING: Mapping[str, Any] = {"drawn": None, "sides": (), "ready_made": (), "period": ("", "")}
"""What a page has that shows no answer."""


def _unread(request: Request, template: str, outside: Mapping[str, Any], asked: Asked) -> Response:
    """A question that cannot be read."""
    shown = {**outside, **NOTHING, "asked": asked, "few": None}
    return page_response(request, template, shown, 422)


async def few_of_question(
    context: Context, site: Site, page: Page, asked: Asked, problem: TooFewVisits
) -> dict[str, Any]:
    """What to show where too few visits can answer."""
    today = site.day_of(context.clock())
    period = problem.within or period_of(asked.query, today, today)
    few = await few_of(context, site, page, asked.query, period, problem)
    return {**NOTHING, "asked": asked, "few": few, "period": period}


def _common(
    asked: Asked, question: Question, telling: Telling, changes: Iterable[Change]
) -> dict[str, Any]:
    return {
        "asked": asked,
        "few": None,
        "period": question.period,
        "question": question,
        "names": telling.names(),
        "within": telling.within(),
        "audience": question.of_shop,
        "drop_labels": DROPS,
        "least_drawn": MIN_VISITS,
        "cohorts": (asked.query.a, asked.query.b),
        "ready_made": ready_made(telling, changes),
        "truth": truth(telling),
        "association": association(telling),
        "held": held(telling),
        "left_out": left_out(telling),
        "steps": steps(telling),
        "verdict": verdict(telling),
        "needed": needed(telling),
        "telling": telling,
    }


async def _drawn(
    context: Context, name: str, asked: Asked, question: Question
) -> PixelAnswer | None:
    """The numbers behind the picture; not asked for where the zones have nothing to say yet."""
    if question.why_not is not None or question.stage in (Stage.PLAIN, Stage.RANKED):
        return None
    return await context.overlays.contrasts.of_question(context, name, question, asked.pixels)


def _regions(drawn: PixelAnswer | None, telling: Telling, words: Words) -> list[dict[str, Any]]:
    """The labels of the contours, in words."""
    if drawn is None:
        return []
    question = drawn.question
    return [
        {
            "number": one.number,
            "zones": ", ".join(map(question.zone_name, one.zones)),
            "longer": one.region.longer,
            "a": telling.seconds(one.region.first_s),
            "b": telling.seconds(one.region.second_s),
            "concerned": words.number(one.region.first_concerned),
            "exposed": words.number(one.region.first_exposed),
            "p": telling.p(one.region.p),
        }
        for one in drawn.regions
    ]


def _zone(telling: Telling, row: ZoneRow) -> dict[str, Any]:
    told = row.difference
    return {
        "row": row,
        "a": telling.seconds(told.first.value) if told else "–",
        "b": telling.seconds(told.second.value) if told else "–",
        "times": telling.times(row),
        "confidence": telling.confidence(row),
    }


def _metrics(telling: Telling, zones: Iterable[ZoneRow]) -> list[tuple[str, list[Rate]]]:
    """Rates of all visits, each with its interval."""
    return [
        (
            row.name,
            [
                Rate(telling.rate(everybody), telling.margin(everybody))
                for everybody, _, _ in row.metrics.values()
            ],
        )
        for row in zones
    ]
