"""Links for people without an account: a page with a map, or a picture that lives elsewhere.

Each says what it shows and until when, and is ended here. Its address is signed and can be told
again, so nobody makes a second one because the first was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import RedirectResponse, Response

from app.access.shares import (
    MAP,
    PICTURES,
    VIEWS,
    Share,
    add_share,
    revoke_share,
    share_link,
    shares_of,
)
from app.context import Context
from app.contrasting.asked import CompareQuery, PixelsQuery, StallsQuery, ZonesQuery
from app.links import own_url
from app.mapping.filters import MapQuery
from app.pages.desk import DeskDep, EditorDep
from app.pages.door import ContextDep
from app.pages.forms import fields_of, read_form
from app.pages.labels import VIEWS as LABELS
from app.pages.reading.tabs import map_view
from app.pages.rendering import HEADERS, page_response
from app.pages.words import words_for
from app.problems import BadParameters, NotAllowed
from collector.sites import Site

router = APIRouter()
LIVES_DAYS = (7, 30, 90, 366)
"""A review, a sprint, a season, and the longest that a share lives."""

USUAL_DAYS = 30
MOST_FORM_BYTES = 4096

PAGE, PICTURE, OVERLAY = "page", "picture", "overlay"
ASKED: Mapping[str, tuple[type[BaseModel], type[BaseModel]]] = {
    MAP: (MapQuery, MapQuery),
    "stalls": (ZonesQuery, StallsQuery),
    "form": (ZonesQuery, ZonesQuery),
    "compare": (PixelsQuery, CompareQuery),
}
"""What may be asked of each view: of its page, and of its picture."""


@dataclass(frozen=True, slots=True)
class Told:
    """A share as it is listed: its whole address, and which of the page's views it shows."""

    share: Share
    address: str
    view: str


@router.get("/sites/{key}/pages/{slug}/shares")
async def shares_page(request: Request, slug: str, context: ContextDep, at: DeskDep) -> Response:
    page, site = at.page(slug), at.site
    if not at.edits:
        raise NotAllowed("only an editor or owner of this shop may share its pages")
    found = await shares_of(context.store, site.site_id, slug, context.clock())
    root = own_url(context.settings)
    told = [_told(context, site, share, root) for share in found]
    shown = {"site": site, "page": page, "shares": told, **choices()}
    return page_response(request, "shares.html.jinja", shown)


@router.post("/sites/{key}/pages/{slug}/shares")
async def share(request: Request, slug: str, context: ContextDep, at: EditorDep) -> Response:
    """Make one, and go to where it is listed."""
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    view, shows, days = (fields.get(name, "") for name in ("view", "shows", "days"))
    is_picture = shows in (PICTURE, OVERLAY)
    if view not in (PICTURES if is_picture else VIEWS) or shows not in (PAGE, PICTURE, OVERLAY):
        raise BadParameters(f"a share shows one of {', '.join(VIEWS)}, as a page or a picture")
    if days not in map(str, LIVES_DAYS):
        raise BadParameters(f"a share lives one of {', '.join(map(str, LIVES_DAYS))} days")
    language = words_for(request.headers.get("accept-language", "")).language
    asked = _asked(view, shows, dict(parse_qsl(fields.get("query", ""))), language)
    made = await add_share(
        context.store,
        at.site.site_id,
        at.page(slug).slug,
        timedelta(days=int(days)),
        context.clock(),
        picture=is_picture,
        view=view,
        query=asked,
    )
    return RedirectResponse(f"shares#share-{made.share_id}", 303, HEADERS)


@router.post("/sites/{key}/pages/{slug}/shares/end")
async def end(request: Request, slug: str, context: ContextDep, at: EditorDep) -> Response:
    """End one of this page's; one that is over already is as the asker wants it."""
    number = fields_of(await read_form(request, MOST_FORM_BYTES)).get("share", "")
    now, site_id = context.clock(), at.site.site_id
    for one in await shares_of(context.store, site_id, at.page(slug).slug, now):
        if str(one.share_id) == number:
            await revoke_share(context.store, one.share_id, now)
    return RedirectResponse("../shares", 303, HEADERS)


def choices() -> dict[str, Any]:
    """What the form for a share offers."""
    return {"share_days": LIVES_DAYS, "usual_days": USUAL_DAYS, "share_pictures": tuple(PICTURES)}


def _asked(view: str, shows: str, given: Mapping[str, str], language: str) -> dict[str, str]:
    """What the link will ask for, which must be answered when it is opened."""
    told = dict(given)
    of_page, of_picture = ASKED[view]
    if shows != PAGE:
        told["picture"] = "page" if shows == PICTURE else "none"
        if view == MAP and shows == PICTURE:
            told["legend"] = language
    try:
        (of_page if shows == PAGE else of_picture).model_validate(told)
    except ValidationError as problem:
        raise BadParameters(f"a share cannot ask for this: {problem}") from problem
    return told


def _told(context: Context, site: Site, share: Share, root: str) -> Told:
    link = share_link(context.signer, site.public_key, share)
    kind = map_view(share.query) if share.view == MAP else share.view
    return Told(share, root + link, LABELS[kind])
