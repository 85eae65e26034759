"""Where abandoners lose time and completers do not: the sentence, the zones, the map, the form."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from app.context import Context
from app.contrasting.asked import PixelsQuery, ZonesQuery
from app.contrasting.fields import field_answer
from app.contrasting.pixels import PixelAnswer
from app.contrasting.question import Question, ask
from app.contrasting.schedule import Stage
from app.contrasting.zones import zone_answer
from app.pages.door import ContextDep, shop
from app.pages.labels import CHOICES
from app.pages.rendering import page_response
from app.pages.sentences import Telling
from app.pages.words import Words, words_for
from app.problems import BadParameters, NotFound, TooFewVisits
from collector.sites import Page, Site
from heatmap.planning import MIN_VISITS

router = APIRouter()
SiteDep = Annotated[Site, Depends(shop)]


@dataclass(frozen=True, slots=True)
class Asked:
    """given: what the address says, empty fields left out; query: what it asks."""

    given: Mapping[str, str]
    query: ZonesQuery

    @property
    def address(self) -> str:
        return urlencode(self.given)

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
    pairs = [(n, v.strip()) for n, v in request.query_params.multi_items() if v.strip()]
    twice = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        raise BadParameters("given twice")
    given = dict(pairs)
    try:
        return Asked(given, ZonesQuery.model_validate(given))
    except ValidationError as problem:
        raise BadParameters(str(problem)) from problem


@router.get("/sites/{key}/pages/{slug}/stalls")
async def stalls_page(request: Request, slug: str, context: ContextDep, site: SiteDep) -> Response:
    page, asked = _page_of(site, slug), read_asked(request)
    words = words_for(request.headers.get("accept-language", ""))
    try:
        question = await ask(context.store, site, page, asked.query, context.clock())
    except TooFewVisits as problem:
        return _few(request, "stalls.html.jinja", site, page, asked, problem)
    answer = await zone_answer(question, context.renders)
    drawn = await _drawn(context, site, page, asked, question)
    telling = Telling(question, words)
    shown = {
        **_common(site, page, asked, question, telling),
        "finding": telling.finding(answer),
        "zones": [
            {
                "row": row,
                "a": telling.seconds(row.difference.first.value) if row.difference else "–",
                "b": telling.seconds(row.difference.second.value) if row.difference else "–",
                "times": telling.times(row),
                "confidence": telling.confidence(row),
            }
            for row in answer.zones
        ],
        "metrics": _metrics(words, answer.zones),
        "drawn": drawn,
        "regions": _regions(drawn, telling, words),
        "power": answer.planned_power,
    }
    return page_response(request, "stalls.html.jinja", shown)


@router.get("/sites/{key}/pages/{slug}/form")
async def form_page(request: Request, slug: str, context: ContextDep, site: SiteDep) -> Response:
    page, asked = _page_of(site, slug), read_asked(request)
    words = words_for(request.headers.get("accept-language", ""))
    try:
        question = await ask(context.store, site, page, asked.query, context.clock())
    except TooFewVisits as problem:
        return _few(request, "form_report.html.jinja", site, page, asked, problem)
    report = await field_answer(question, context.renders)
    telling = Telling(question, words)
    shown = {
        **_common(site, page, asked, question, telling),
        "report": report,
        "infinity": math.inf,
    }
    return page_response(request, "form_report.html.jinja", shown)


def _page_of(site: Site, slug: str) -> Page:
    if slug not in site.pages:
        raise NotFound("no such page of this shop")
    return site.pages[slug]


def _few(
    request: Request,
    template: str,
    site: Site,
    page: Page,
    asked: Asked,
    problem: TooFewVisits,
) -> Response:
    shown = {"site": site, "page": page, "asked": asked, "few": problem, "choices": CHOICES}
    return page_response(request, template, {**shown, "period": ("", "")})


def _common(
    site: Site, page: Page, asked: Asked, question: Question, telling: Telling
) -> dict[str, Any]:
    return {
        "site": site,
        "page": page,
        "asked": asked,
        "few": None,
        "choices": CHOICES,
        "period": question.period,
        "question": question,
        "names": telling.names(),
        "within": telling.within(),
        "least_drawn": MIN_VISITS,
        "cohorts": (asked.query.a, asked.query.b),
        "truth": telling.truth(),
        "left_out": telling.left_out(),
        "steps": telling.steps(),
        "verdict": telling.verdict(),
        "needed": telling.needed(),
        "telling": telling,
    }


async def _drawn(
    context: Context, site: Site, page: Page, asked: Asked, question: Question
) -> PixelAnswer | None:
    """The numbers behind the picture; not asked for where the zones have nothing to say yet."""
    if question.why_not is not None or question.stage in (Stage.PLAIN, Stage.RANKED):
        return None
    return await context.overlays.contrasts.answer(context, site, page, asked.pixels)


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


def _metrics(words: Words, zones: Any) -> list[tuple[str, list[str]]]:
    """Rates of all visits, as shares; a dash where nobody could."""
    return [
        (
            row.name,
            [
                words.share(everybody.value) if everybody.value == everybody.value else "–"
                for everybody, _, _ in row.metrics.values()
            ],
        )
        for row in zones
    ]
