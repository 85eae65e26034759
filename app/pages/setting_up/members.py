"""Who gets in: keys of the API, each shown once, and people with a role for the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.access.accounts import SCOPES_OF
from app.access.keys import SCOPES, KeyProblem, add_key, keys_of, revoke_key
from app.access.members import another_link, change_role, invite, members_of
from app.context import Context
from app.links import own_url
from app.pages.desk import Desk, DeskDep, OwnerDep
from app.pages.door import ContextDep
from app.pages.faults import Faults, fault, refused
from app.pages.forms import fields_of, read_form
from app.pages.rendering import HEADERS, page_response
from app.pages.words import N_, words_for

router = APIRouter()
MOST_FORM_BYTES = 4096
LONGEST_LABEL = 80

KEY_SCOPES: Mapping[str, str] = {
    "read": N_("read maps and numbers"),
    "write": N_("read, and send pictures and settings"),
    "goal": N_("report orders, and nothing else"),
}
MEMBER_ROLES: Mapping[str, str] = {
    "reader": N_("reader: looks"),
    "editor": N_("editor: also pages, zones, pictures and shares"),
    "owner": N_("owner: also keys, people and what is kept"),
}
assert (tuple(KEY_SCOPES), set(MEMBER_ROLES)) == (SCOPES, set(SCOPES_OF))


@dataclass(frozen=True, slots=True)
class Shown:
    """A secret that is shown this once: a key, or a link that signs `name` in."""

    key: str = ""
    link: str = ""
    name: str = ""


@router.get("/sites/{key}/settings/access")
async def access_page(request: Request, context: ContextDep, at: DeskDep) -> Response:
    return await _page(request, context, at)


@router.post("/sites/{key}/settings/access")
async def change_access(request: Request, context: ContextDep, at: OwnerDep) -> Response:
    """Make or revoke a key; invite somebody, change a role, end it, or make another link."""
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    what = fields.get("do", "")
    try:
        shown = await _done(context, at, what, fields)
    except KeyProblem as problem:
        told = {PLACES.get(what, "do"): refused(problem)}
        return await _page(request, context, at, faults=told, given=fields, status=422)
    if shown is None:
        words = words_for(request.headers.get("accept-language", ""))
        told = {"do": fault(words, N_("This form asks for nothing that can be done."))}
        return await _page(request, context, at, faults=told, given=fields, status=422)
    if shown == Shown():
        return RedirectResponse("access", 303, HEADERS)
    # Not a redirect: a secret in an address would stay in the browser's history.
    return await _page(request, context, at, shown=shown)


PLACES: Mapping[str, str] = {
    "key": "scope",
    "revoke": "do",
    "invite": "name",
    "role": "do",
    "end": "do",
    "link": "do",
}
"""The field beside which a refusal stands."""


async def _done(context: Context, at: Desk, what: str, fields: Mapping[str, str]) -> Shown | None:
    """Do it; None for what is no such thing."""
    store, site, now = context.store, at.site, context.clock()
    name = fields.get("name", "").strip().lower()
    if what == "key":
        label = " ".join(fields.get("label", "").replace("\0", "").split())[:LONGEST_LABEL]
        scope = fields.get("scope", "")
        return Shown(key=await add_key(store, site.site_id, scope, label, now))
    if what == "revoke":
        number = fields.get("number", "")
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            return None
        await revoke_key(store, int(number), now, site_id=site.site_id)
    elif what == "invite":
        path = await invite(store, site, name, fields.get("role", ""), now)
        return Shown(name=name, link=own_url(context.settings) + path if path else "")
    elif what == "role":
        role = fields.get("role", "")
        if role not in MEMBER_ROLES:
            return None
        await change_role(store, site, name, role)
    elif what == "end":
        await change_role(store, site, name, None)
    elif what == "link":
        path = await another_link(store, site, name, now)
        return Shown(name=name, link=own_url(context.settings) + path)
    else:
        return None
    return Shown()


async def _page(
    request: Request,
    context: Context,
    at: Desk,
    *,
    shown: Shown | None = None,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    told = {
        "site": at.site,
        "owns": at.owns,
        "keys": await keys_of(context.store, at.site.site_id) if at.owns else (),
        "members": await members_of(context.store, at.site),
        "scopes": KEY_SCOPES,
        "roles": MEMBER_ROLES,
        "shown": shown,
        "proxied": context.settings.sign_in == "none",
        "longest_label": LONGEST_LABEL,
        "faults": faults or {},
        "given": given or {},
    }
    return page_response(request, "access.html.jinja", told, status)
