"""What is wrong with a shop's snippet, proxy or policy, and which signals arrive.

No page of a shop is ever fetched from here: who could name an address could make this machine ask
its neighbours. The owner pastes the source instead; it is looked at and forgotten.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.checking.checks import (
    UNTRUSTED,
    drop_findings,
    lag_findings,
    snippet_findings,
)
from app.checking.engines import engines
from app.checking.findings import Finding, Translated
from app.checking.pasted import Pasted, read_pasted
from app.checking.signs import LOOKED_BACK, signs
from app.context import Context
from app.mapping.small_numbers import least_visits
from app.pages.door import ContextDep, shop
from app.pages.forms import fields_of, read_form, refuse_from_elsewhere
from app.pages.labels import CHOICES
from app.pages.queries import lately_of_all
from app.pages.rendering import page_response
from app.pages.shops.arrivals import Arrivals, arrival_findings, arrivals
from app.pages.shops.trial import Trial, trials
from app.pages.words import N_, Words, words_for
from collector.errors import TooLarge
from collector.sites import Site

router = APIRouter()
SiteDep = Annotated[Site, Depends(shop)]

MOST_FORM_BYTES = 3 << 20
"""Of a checkout's source, a megabyte at the most, each sign that is no letter sent as three."""

MOST_POLICY = 16_384
"""Signs; servers refuse headers that are longer."""

WALKED = timedelta(minutes=30)
"""How far back whoever walks through the shop with a phone is shown what it sent."""

VIEWS_SHOWN = 30
UNNAMED = "https://page.invalid/"
"""Where a page is taken to stand whose address was not given: not on Gloed's own host."""

BETWEEN = re.compile(r",|^\s*content-security-policy\s*:", re.IGNORECASE | re.MULTILINE)
"""Policies, as headers list them, and their name where it was pasted too."""

KEY = re.compile(r"(gs_[a-z0-9]{16})/([a-z0-9-]{1,64})")


@dataclass(frozen=True, slots=True)
class Line:
    good: bool
    text: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a pasted source: findings, or why there are none."""

    lines: Sequence[Line] = ()
    problem: str = ""


@router.get("/sites/{key}/check")
async def check_page(request: Request, context: ContextDep, site: SiteDep) -> Response:
    return await _page(request, context, site, None)


@router.post("/sites/{key}/check")
async def look_at(request: Request, context: ContextDep, site: SiteDep) -> Response:
    """Nothing of what was pasted is kept, and none of it is shown again but what was found."""
    refuse_from_elsewhere(request, context)
    words = words_for(request.headers.get("accept-language", ""))
    try:
        body = await read_form(request, MOST_FORM_BYTES)
    except TooLarge:
        problem = N_("This is more than a megabyte, which no page’s source should be.")
        return await _page(request, context, site, Looked(problem=problem), 413)
    # A large source takes half a second, for which nobody else waits.
    looked = await asyncio.to_thread(_looked, body, site, words)
    return await _page(request, context, site, looked, 422 if looked.problem else 200)


def _looked(body: bytes, site: Site, words: Words) -> Looked:
    fields = fields_of(body)
    html, policy = fields.get("html", ""), fields.get("policy", "").strip()
    address = fields.get("address", "").strip() or UNNAMED
    if not html.strip():
        return Looked(problem=N_("Paste the page’s source first."))
    if len(policy) > MOST_POLICY:
        return Looked(problem=N_("This policy is longer than any server would send."))
    if not address.startswith(("http://", "https://")):
        return Looked(problem=N_("The address has to begin with http:// or https://."))
    try:
        pasted = read_pasted(html)
        policies = [one for one in BETWEEN.split(policy) if one.strip()]
        found = snippet_findings(pasted, policies, address)
    except ValueError:  # of the address, or of the link in the source
        return Looked(problem=N_("The address of the page, or of its snippet, cannot be read."))
    return Looked(lines=_lines([*found, *_whose(pasted, site)], words))


def _whose(pasted: Pasted, site: Site) -> list[Finding]:
    """Whether the snippet is one of this shop, and of a page that it has."""
    told = KEY.search(pasted.href or "")
    if told is None:
        return []
    key, slug = told.groups()
    if key != site.public_key:
        message = N_("the snippet bears the key %(key)s, which is not this shop’s")
        return [Finding(False, message, {"key": key})]
    if slug not in site.pages:
        message = N_("the snippet is of a page “%(slug)s” that this shop does not have")
        return [Finding(False, message, {"slug": slug})]
    message = N_("it is this shop’s snippet of the page %(page)s")
    return [Finding(True, message, {"page": site.pages[slug].title})]


async def _page(
    request: Request, context: Context, site: Site, looked: Looked | None, status: int = 200
) -> Response:
    now = context.clock()
    words = words_for(request.headers.get("accept-language", ""))
    since = site.day_of(now - LOOKED_BACK)
    told = await signs(context.store, site, now)
    found = arrivals(site, told)
    drops = drop_findings(told, context.settings, site)
    proxy = [one for one in drops if one.message == UNTRUSTED]
    least = 1 if site.state == "trying" else least_visits(site.config)
    shown: dict[str, Any] = {
        "site": site,
        "now": now,
        "reach": _lines(
            [
                *arrival_findings(site, found, now, words),
                *(proxy or _different(found)),
                *lag_findings(told, site, now),
            ],
            words,
        ),
        "drops": _lines([one for one in drops if one not in proxy], words),
        "engines": await engines(context.store, site, since, least),
        "least": least,
        "choices": CHOICES,
        "walked": await _walked(context, site, now) if site.state == "trying" else (),
        "minutes": int(WALKED.total_seconds() // 60),
        "looked": looked,
    }
    return page_response(request, "check.html.jinja", shown, status)


def _different(found: Arrivals) -> list[Finding]:
    if not found.at:
        return []
    told = N_("visitors stay different: nothing came through a proxy that is not trusted")
    return [Finding(True, told)]


async def _walked(context: Context, site: Site, now: datetime) -> list[Trial]:
    days = {site.site_id: site.day_of(now)}
    sent = (await lately_of_all(context.store, days, VIEWS_SHOWN))[site.site_id]
    return [view for view in trials(site, *sent) if now - view.last_at <= WALKED]


def _lines(findings: Sequence[Finding], words: Words) -> list[Line]:
    """In the reader's language, without the shop's name: the page bears it."""
    return [Line(one.good, _said(one, words)) for one in findings]


def _said(finding: Finding, words: Words) -> str:
    text = words.catalogue.gettext(finding.message)
    return text % {name: _value(value, words) for name, value in finding.values.items()}


def _value(value: object, words: Words) -> str:
    if isinstance(value, Translated):
        return words.catalogue.gettext(value)
    return words.number(value) if isinstance(value, int) else str(value)
