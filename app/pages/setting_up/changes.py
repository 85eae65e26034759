"""What changed, and when, in the shop's own words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.changes import LONGEST, add_change, changes_of, drop_change
from app.context import Context
from app.pages.desk import Desk, DeskDep, EditorDep
from app.pages.door import ContextDep
from app.pages.faults import Fault, Faults, fault, refused
from app.pages.forms import fields_of, read_form
from app.pages.rendering import HEADERS, page_response
from app.pages.words import N_, Words, words_for
from app.shops import ShopError
from collector.sites import Site

router = APIRouter()
MOST_FORM_BYTES = 4096
WRITTEN = "%Y-%m-%dT%H:%M"
"""As `<input type=datetime-local>` sends a moment, in the shop's own time."""


@router.get("/sites/{key}/settings/changes")
async def changes_page(request: Request, context: ContextDep, at: DeskDep) -> Response:
    return await _page(request, context, at)


@router.post("/sites/{key}/settings/changes")
async def change(request: Request, context: ContextDep, at: EditorDep) -> Response:
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    words = words_for(request.headers.get("accept-language", ""))
    if fields.get("do") == "drop":
        number = fields.get("number", "")
        if number.isascii() and number.isdigit() and len(number) < 19:
            await drop_change(context.store, at.site, int(number))
        return RedirectResponse("changes", 303, HEADERS)
    faults = await _add(context, at, fields, words)
    if faults:
        return await _page(request, context, at, faults, fields, 422)
    return RedirectResponse("changes", 303, HEADERS)


async def _add(
    context: Context, at: Desk, fields: Mapping[str, str], words: Words
) -> dict[str, Fault]:
    slug, now = fields.get("page", ""), context.clock()
    if slug and slug not in at.site.pages:
        return {"page": fault(words, N_("Choose a page of this shop, or the whole shop."))}
    moment = _moment(at.site, fields.get("at", "").strip(), now)
    if moment is None:
        return {"at": fault(words, N_("Give a day and an hour, such as 2026-11-22 14:05."))}
    if moment > now:
        return {"at": fault(words, N_("This lies in the future."))}
    try:
        page = at.site.pages.get(slug)
        await add_change(context.store, at.site, page, fields.get("text", ""), moment, now)
    except ShopError as problem:
        return {"text": refused(problem)}
    return {}


def _moment(site: Site, text: str, now: datetime) -> datetime | None:
    """In the shop's time; now where nothing is given."""
    if not text:
        return now
    try:
        return datetime.strptime(text[:16].replace(" ", "T"), WRITTEN).replace(
            tzinfo=site.time_zone
        )
    except ValueError:
        return None


async def _page(
    request: Request,
    context: Context,
    at: Desk,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    titles = {page.page_id: page.title for page in at.site.pages.values()}
    told = {
        "site": at.site,
        "edits": at.edits,
        "changes": await changes_of(context.store, at.site),
        "titles": titles,
        "choices": [(page.slug, page.title) for page in at.site.pages.values()],
        "latest": context.clock().astimezone(at.site.time_zone).strftime(WRITTEN),
        "longest": LONGEST,
        "faults": faults or {},
        "given": given or {},
    }
    return page_response(request, "changes.html.jinja", told, status)
