"""A question that the address puts to a page: read, named and asked, or told why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import Response

from app.access.session import Rights
from app.changes import Change
from app.context import Context
from app.contrasting.asked import period_of
from app.contrasting.pixels import PixelAnswer
from app.contrasting.question import Question
from app.contrasting.schedule import Stage
from app.pages.reading.around import around
from app.pages.reading.few import few_of
from app.pages.reading.question_asked import Asked, read_asked
from app.pages.reading.telling import Telling
from app.pages.rendering import page_response
from app.pages.words import words_for
from app.problems import NotFound, TooFewVisits
from collector.sites import Page, Site

NOTHING: Mapping[str, Any] = {"drawn": None, "sides": (), "ready_made": (), "period": ("", "")}
"""What a page has that shows no answer."""


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with everything read that its answers need.

    name     of the data that it was read from: its answers are kept under it
    changes  that the shop wrote down
    outside  what stands around the answer
    """

    asked: Asked
    question: Question
    name: str
    changes: Sequence[Change]
    telling: Telling
    outside: Mapping[str, Any]

    async def drawn(self, context: Context) -> PixelAnswer | None:
        """The numbers behind the picture; not asked for where the zones have nothing to say yet."""
        question = self.question
        if question.why_not is not None or question.stage in (Stage.PLAIN, Stage.RANKED):
            return None
        contrasts = context.overlays.contrasts
        return await contrasts.of_question(context, self.name, question, self.asked.pixels)


async def posed_by(
    request: Request,
    context: Context,
    site: Site,
    slug: str,
    rights: tuple[Rights, ...],
    view: tuple[str, str],
) -> Posed | Response:
    """The question; or the page that says why there is no answer.

    view  its name among the page's views, and its template
    """
    if slug not in site.pages:
        raise NotFound("no such page of this shop")
    page, asked, (present, template) = site.pages[slug], read_asked(request), view
    outside = around(site, page, rights, asked.everything, present)
    if asked.wrong:
        shown = {**outside, **NOTHING, "asked": asked, "few": None}
        return page_response(request, template, shown, 422)
    contrasts = context.overlays.contrasts
    name, changes = await contrasts.name_and_changes(context, site, page, asked.pixels)
    try:
        question = await contrasts.question(context, name, site, page, asked.query)
    except TooFewVisits as problem:
        few = await _few(context, site, page, asked, problem)
        return page_response(request, template, {**outside, **few})
    words = words_for(request.headers.get("accept-language", ""))
    return Posed(asked, question, name, changes, Telling(question, words), outside)


async def _few(
    context: Context, site: Site, page: Page, asked: Asked, problem: TooFewVisits
) -> dict[str, Any]:
    """What to show where too few visits can answer."""
    today = site.day_of(context.clock())
    period = problem.within or period_of(asked.query, today, today)
    few = await few_of(context, site, page, asked.query, period, problem)
    return {**NOTHING, "asked": asked, "few": few, "period": period}
