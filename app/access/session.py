"""Who asks: an account by its signed cookie, the owner where their own proxy signs people in, and
guests of a share. Nothing of a session is kept on our side but when its account ended them all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from fastapi import Request
from starlette.responses import Response

from app.access.accounts import ACCOUNT, Account, account_in, find_account
from app.access.front_door import let_in_by_proxy
from app.access.keys import COOKIE_LIVES, OWNER, Session
from app.access.shares import SHARE, Share, find_share, share_in
from app.context import Context
from app.joint import NO_PARTS, Part, joint, told_of
from app.links import own_url

COOKIE = "gloed_session"
GUEST_COOKIE = "gloed_share"
NOBODY = Account(0, OWNER, 0, everywhere=True)
"""The owner as their own proxy lets them in: without a row, and so without cookie or password."""


_WHO = f"""
    SELECT {{beside}} AS told, own.*, opened.* FROM (VALUES (0)) AS asked(n)
    LEFT JOIN ({ACCOUNT}) AS own ON true
    LEFT JOIN ({SHARE.format(share_id="$2", now="$3")}) AS opened ON true
"""
"""Both in one row, either of which may be missing: a browser that opened a share is often that of
somebody with an account."""


class Rights(Protocol):
    """What a key, an account or a share may do."""

    def may(self, scope: str, site_id: int, page: str | None = None) -> bool: ...


def signed_in(request: Request, context: Context) -> Session | None:
    """What this request's cookie says, if its signature is good; the store is not asked."""
    cookie = request.cookies.get(COOKIE, "")
    return context.signer.session(cookie, context.clock()) if cookie else None


async def account_of(request: Request, context: Context) -> Account | None:
    if let_in_by_proxy(request, context.settings):
        return NOBODY
    session = signed_in(request, context)
    if session is None:
        return None
    return _while_good(await find_account(context.store, session.account_id), session)


def _while_good(account: Account | None, session: Session) -> Account | None:
    return account if account is not None and account.sessions == session.sessions else None


async def share_of(token: str, context: Context) -> Share | None:
    now = context.clock()
    number = context.signer.shared(token, now)
    return None if number is None else await find_share(context.store, number, now)


async def rights_of(request: Request, context: Context) -> tuple[Rights, ...]:
    """Everything that this browser's cookies open: its account, and the share whose link it opened
    last, while they hold."""
    rights, _ = await rights_and(request, context, NO_PARTS)
    return rights


async def rights_and(
    request: Request, context: Context, beside: Mapping[str, Part]
) -> tuple[tuple[Rights, ...], Mapping[str, Any]]:
    """The same, and what is asked along with it: nothing of that is told where nobody asks."""
    if let_in_by_proxy(request, context.settings):
        # whom a share opens nothing more
        return (NOBODY,), await told_of(context.store, beside)
    now, session = context.clock(), signed_in(request, context)
    share_id = context.signer.shared(request.cookies.get(GUEST_COOKIE, ""), now)
    if session is None and share_id is None:
        return (), {}
    who = session.account_id if session else None, share_id, now
    parts, values = joint(beside, known=len(who))
    row = await context.store.fetchrow(_WHO.replace("{beside}", parts), *who, *values)
    found: list[Rights] = []
    if session is not None and row["account_id"] is not None:
        account = _while_good(account_in(row), session)
        found += [account] if account else []
    if row["share_id"] is not None:
        found.append(share_in(row))
    return tuple(found), json.loads(row["told"])


def sign_in(response: Response, context: Context, account: Account) -> None:
    session = Session(account.account_id, account.sessions)
    lives_s = int(COOKIE_LIVES.total_seconds())
    _give(response, context, COOKIE, context.signer.cookie(session, context.clock()), lives_s)


def let_guest_in(response: Response, context: Context, token: str, until: datetime) -> None:
    lives_s = int((until - context.clock()).total_seconds())
    _give(response, context, GUEST_COOKIE, token, lives_s)


def _give(response: Response, context: Context, name: str, value: str, lives_s: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=lives_s,
        httponly=True,
        samesite="lax",
        secure=own_url(context.settings).startswith("https://"),
    )


def sign_out(response: Response) -> None:
    for name in (COOKIE, GUEST_COOKIE):
        response.delete_cookie(name, httponly=True, samesite="lax")
