"""Signing in by a link that works once or by name and password, shares, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from app.access.accounts import Account, end_sessions, find_account, sign_in_by_password
from app.access.keys import sign_in_link_of, use_sign_in_link
from app.access.session import (
    Rights,
    account_of,
    let_guest_in,
    rights_and,
    share_of,
    sign_in,
    sign_out,
)
from app.access.shares import opened_by
from app.context import Context, context_of
from app.pages.forms import fields_of, read_form, refuse_from_elsewhere
from app.pages.rendering import HEADERS, page_response, to_root
from app.problems import NotAllowed, NotFound, Unauthorized
from app.shops import list_sites, site_asked, site_in
from collector.sites import Site

router = APIRouter()
ContextDep = Annotated[Context, Depends(context_of)]
MOST_FORM_BYTES = 4096
"""A name and a password, each sign of them percent-encoded."""

FORM_HEADERS = {"Referrer-Policy": "same-origin"}
"""A page that names no referrer sends the Origin `null` with its form, as any sandbox may."""


async def owner(request: Request, context: ContextDep) -> Account:
    """Who signed in; every page but the door and what is shared asks for it."""
    account = await account_of(request, context)
    if account is None:
        raise Unauthorized("sign in by the link that `gloed serve` prints when it starts")
    return account


OwnerDep = Annotated[Account, Depends(owner)]


async def _asking(request: Request, context: ContextDep) -> tuple[tuple[Rights, ...], Site | None]:
    """What this browser may, and the shop in the address, if there is one: asked together."""
    key = request.path_params.get("key")
    rights, told = await rights_and(request, context, site_asked(key) if key else {})
    if not rights:
        raise Unauthorized("sign in by the link that `gloed serve` prints when it starts")
    return rights, site_in(told)


AskingDep = Annotated[tuple[tuple[Rights, ...], Site | None], Depends(_asking)]


async def may_ask(asking: AskingDep) -> tuple[Rights, ...]:
    rights, _ = asking
    return rights


async def shop(request: Request, asking: AskingDep) -> Site:
    """The shop in the address, if whoever asks may see it, or of it the page in the address."""
    rights, site = asking
    page = request.path_params.get("slug")
    if site is None or not any(one.may("read", site.site_id, page) for one in rights):
        raise NotFound("no such shop")
    return site


@router.get("/sign-in")
async def door(request: Request, context: ContextDep) -> Response:
    return _form(request, context)


@router.post("/sign-in")
async def knock(request: Request, context: ContextDep) -> Response:
    """By name and password. Where it leads is fixed, and a wrong name is told like a wrong
    password."""
    refuse_from_elsewhere(request, context)
    if context.settings.sign_in != "accounts":
        raise NotAllowed("signing in is left to the web server before this Gloed")
    name, password = await _typed(request)
    account_id = await sign_in_by_password(
        context.store, context.secret, name, password, context.clock()
    )
    if account_id is None:
        return _form(request, context, wrong=True, status=403)
    return await _welcome(request, context, account_id)


@router.get("/sign-in/{secret}")
async def threshold(request: Request, secret: str, context: ContextDep) -> Response:
    """Asks for a press before the link is used: chats and mail scanners open every link."""
    account_id = await sign_in_link_of(context.store, secret, context.clock())
    account = None if account_id is None else await find_account(context.store, account_id)
    if account is None:
        return page_response(request, "link.html.jinja", {}, 403)
    return page_response(request, "enter.html.jinja", {"name": account.name}, 200, FORM_HEADERS)


@router.post("/sign-in/{secret}")
async def enter(request: Request, secret: str, context: ContextDep) -> Response:
    """Where it leads is fixed: a link cannot send anybody elsewhere."""
    refuse_from_elsewhere(request, context)
    account_id = await use_sign_in_link(context.store, secret, context.clock())
    if account_id is None:
        return page_response(request, "link.html.jinja", {}, 403)
    return await _welcome(request, context, account_id)


@router.get("/shared/{token}")
async def let_in(request: Request, token: str, context: ContextDep) -> Response:
    """A share leads to its page, under a cookie that opens nothing else."""
    share = await share_of(token, context)
    sites = await list_sites(context.store) if share is not None and not share.picture else ()
    for site in sites:
        if share is not None and site.site_id == share.site_id and share.page in site.pages:
            page = to_root(request.scope) + opened_by(site.public_key, share)
            response = RedirectResponse(page, 303, HEADERS)
            let_guest_in(response, context, token, share.expires_at)
            return response
    return page_response(request, "shared.html.jinja", {}, 403)


@router.post("/sign-out")
async def leave(request: Request, context: ContextDep) -> Response:
    """Out of every browser: a cookie that was copied must not outlive it."""
    refuse_from_elsewhere(request, context)
    account = await account_of(request, context)
    if account is not None:
        await end_sessions(context.store, account.account_id)
    response = RedirectResponse(to_root(request.scope), 303, HEADERS)
    sign_out(response)
    return response


async def _welcome(request: Request, context: Context, account_id: int) -> Response:
    account = await find_account(context.store, account_id)
    if account is None:  # revoked in the meantime
        raise Unauthorized("this account is there no more")
    response = RedirectResponse(to_root(request.scope), 303, HEADERS)
    sign_in(response, context, account)
    return response


def _form(
    request: Request, context: Context, *, wrong: bool = False, status: int = 200
) -> Response:
    shown = {"wrong": wrong, "proxied": context.settings.sign_in == "none"}
    return page_response(request, "sign_in.html.jinja", shown, status, FORM_HEADERS)


async def _typed(request: Request) -> tuple[str, str]:
    """Name and password of the form; what is absent, or there twice, is empty and so wrong."""
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    name, password = (fields.get(name, "") for name in ("name", "password"))
    return name.strip().replace("\0", ""), password
