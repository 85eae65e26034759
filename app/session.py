"""The signed cookie of who signed in; nothing of it is kept on our side."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.context import Context
from app.keys import COOKIE_LIVES
from app.links import own_url

COOKIE = "gloed_session"


def signed_in(request: Request, context: Context) -> int | None:
    """The account of this request's session, None without a good one."""
    cookie = request.cookies.get(COOKIE, "")
    return context.signer.account(cookie, context.clock()) if cookie else None


def sign_in(response: Response, context: Context, account_id: int) -> None:
    response.set_cookie(
        COOKIE,
        context.signer.cookie(account_id, context.clock()),
        max_age=int(COOKIE_LIVES.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=own_url(context.settings).startswith("https://"),
    )


def sign_out(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
