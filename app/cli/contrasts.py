"""`gloed render --against`: two cohorts drawn against one another, straight from the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.cli.base import now, with_store
from app.contrasting.asked import ABANDONED, PixelsQuery
from app.contrasting.pixels import pixel_answer
from app.contrasting.question import Question, ask
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.contrasts import drawn_with
from app.drawing.renders import Alone
from app.pages.reading.finding import finding
from app.pages.reading.standing import association, truth
from app.pages.reading.telling import Telling
from app.pages.words import WORDS
from app.refused import said
from app.shops import ShopError, find_page, find_site
from app.store import Store

Q = TypeVar("Q", bound=BaseModel)
KIND = "stall"
"""Where visits dwell is what cohorts are contrasted by."""


def read_filters(kind_of: type[Q], filters: Sequence[str], **given: str) -> Q:
    """The query of these `name=value`; ShopError for what cannot be asked."""
    told = dict(given)
    for text in filters:
        name, equals, value = text.partition("=")
        if not equals:
            raise ShopError(f"--filter takes name=value, got {text!r}")
        told[name] = value
    try:
        return kind_of.model_validate(told)
    except ValidationError as problem:
        known = tuple(kind_of.model_fields)
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'filter'}: {said(e, known)}"
            for e in problem.errors()
        )
        raise ShopError(wrong) from problem


def render_contrast(
    kind: str, site: str, page: str, against: str, filters: Sequence[str], output: Path
) -> str:
    """Draw those who abandoned (or the filter `a`) against a cohort; what the picture says."""
    if kind != KIND:
        raise ShopError(f"--against is of --kind {KIND}, got {kind!r}")
    second = against if ":" in against else f"outcome:{against}"
    given = {"a": ABANDONED, "b": second}
    query = read_filters(PixelsQuery, filters, **given)

    async def work(store: Store) -> tuple[bytes, str]:
        found = await find_site(store, site)
        of_page = find_page(found, page)
        renders = Alone()
        question = await ask(store, found, of_page, query, now())
        drawn = await pixel_answer(question, renders)
        zones = await zone_answer(question, renders)
        png = await drawn_with(store, renders, drawn, query)
        return png, _said(question, zones)

    png, told = with_store(work)
    output.write_bytes(png)
    return told


def _said(question: Question, zones: ZoneAnswer) -> str:
    """What the stall page says above its picture: labels are as true as they are told to be."""
    telling = Telling(question, WORDS["en"])
    labels = truth(telling) if question.query.by_outcome else ""
    said = (finding(telling, zones), labels, association(telling))
    return "\n".join(sentence for sentence in said if sentence)
