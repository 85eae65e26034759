"""Pages by path: rules for one fragment on every page alike, tried out before they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.context import Context
from app.page_rules import (
    SEEN_DAYS,
    Wording,
    put_rules,
    read_rules,
    seen_paths,
    told_rules,
)
from app.pages.desk import Desk, DeskDep, EditorDep
from app.pages.door import ContextDep
from app.pages.faults import Fault, Faults, fault, refused
from app.pages.forms import fields_of, read_form
from app.pages.rendering import HEADERS, page_response
from app.pages.words import N_, Words, words_for
from app.shops import ShopError
from collector.page_rules import MOST_RULES, PageRule

router = APIRouter()
MOST_FORM_BYTES = 2**16

COUNTED = N_("Counted here by path from now on: %(paths)s")
ENDED = N_("No path is counted here by a rule any more")
ELSEWHERE = N_("Some paths are counted as other pages from now on")


@router.get("/sites/{key}/settings/paths")
async def paths_page(request: Request, context: ContextDep, at: DeskDep) -> Response:
    return await _page(request, context, at, at.site.page_rules)


@router.post("/sites/{key}/settings/paths")
async def change_rules(request: Request, context: ContextDep, at: EditorDep) -> Response:
    """Put the rules in place, or show what they would make of the paths that were seen."""
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    words = words_for(request.headers.get("accept-language", ""))
    text, what = fields.get("rules", ""), fields.get("do")
    rules = _read(at, text, words)
    if isinstance(rules, Fault) or what not in ("save", "try"):
        nothing = fault(words, N_("This form asks for nothing that can be done."))
        faults = {"rules": rules} if isinstance(rules, Fault) else {"do": nothing}
        return await _page(request, context, at, at.site.page_rules, faults, text, status=422)
    if what == "try":
        return await _page(request, context, at, rules, text=text)
    await put_rules(context.store, at.site, rules, context.clock(), _wording(words))
    context.catalogue.forget()
    return RedirectResponse("paths", 303, HEADERS)


def _read(at: Desk, text: str, words: Words) -> tuple[PageRule, ...] | Fault:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        if len(line) != 2:
            message = N_("Line %(n)s: write a path, a blank and the name of a page.")
            return fault(words, message, n=words.number(number))
        if line[1] not in at.site.pages:
            message = N_("Line %(n)s: this shop has no page %(page)s.")
            return fault(words, message, n=words.number(number), page=line[1][:64])
    try:
        return read_rules(at.site, [(glob, slug) for glob, slug in lines])
    except ShopError as problem:
        return refused(problem)


def _wording(words: Words) -> Wording:
    _ = words.catalogue.gettext
    return Wording(_(COUNTED), _(ENDED), _(ELSEWHERE))


async def _page(
    request: Request,
    context: Context,
    at: Desk,
    rules: Sequence[PageRule],
    faults: Faults | None = None,
    text: str | None = None,
    *,
    status: int = 200,
) -> Response:
    today = at.site.day_of(context.clock())
    present = "\n".join(f"{glob} {slug}" for glob, slug in told_rules(at.site))
    shown: Mapping[str, object] = {
        "site": at.site,
        "edits": at.edits,
        "present": present,
        "text": present if text is None else text,
        "tried": text is not None and not faults,
        "pages": sorted(at.site.pages.values(), key=lambda page: (page.phase, page.page_id)),
        "seen": await seen_paths(context.store, at.site, rules, today),
        "seen_days": SEEN_DAYS,
        "most": MOST_RULES,
        "faults": faults or {},
    }
    return page_response(request, "paths.html.jinja", shown, status)
