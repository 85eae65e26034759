"""Signing in by a link that works once, and out again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from app.context import Context, context_of
from app.keys import use_sign_in_link
from app.links import own_url
from app.pages.rendering import HEADERS, page_response, to_root
from app.problems import LinkRefused, NotFound, Unauthorized
from app.session import sign_in, sign_out, signed_in
from app.shops import list_sites
from collector.sites import Site

router = APIRouter()
ContextDep = Annotated[Context, Depends(context_of)]


async def owner(request: Request, context: ContextDep) -> int:
    """The account that signed in; every page but the door asks for it."""
    account_id = signed_in(request, context)
    if account_id is None:
        raise Unauthorized("sign in by the link that `gloed serve` prints when it starts")
    return account_id


OwnerDep = Annotated[int, Depends(owner)]


async def shop(key: str, context: ContextDep, _owner: OwnerDep) -> Site:
    """The shop in the address."""
    for site in await list_sites(context.store):
        if site.public_key == key:
            return site
    raise NotFound("no such shop")


@router.get("/sign-in/{secret}")
async def enter(request: Request, secret: str, context: ContextDep) -> Response:
    """Where it leads is fixed: a link cannot send anybody elsewhere."""
    account_id = await use_sign_in_link(context.store, secret, context.clock())
    if account_id is None:
        return page_response(request, "link.html.jinja", {}, 403)
    response = RedirectResponse(to_root(request.scope), 303, HEADERS)
    sign_in(response, context, account_id)
    return response


@router.post("/sign-out")
async def leave(request: Request, context: ContextDep) -> Response:
    if not _from_our_pages(request, context):
        raise LinkRefused("signing out is asked for from a page of ours")
    response = RedirectResponse(to_root(request.scope), 303, HEADERS)
    sign_out(response)
    return response


def _from_our_pages(request: Request, context: Context) -> bool:
    """By what the browser says of where the form stood.

    Where it has no Sec-Fetch-Site (plain http to another machine), our own pages send the Origin
    `null`, since they name no referrer. Others may too, but their posts lack the lax cookie.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return signed_in(request, context) is not None
    hosts = {request.headers.get("host"), urlsplit(own_url(context.settings)).netloc}
    return urlsplit(origin).netloc in hosts
