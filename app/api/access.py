"""Who may see which shop: a key in the header, a session's cookie, or a signed picture link.

Absent and forbidden look the same, so that keys of one shop cannot list the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from app.context import Context, context_of
from app.filters import LONGEST_NAMES, refuse_repeated
from app.front import own_path
from app.keys import ApiKey, find_key
from app.problems import BadParameters, LinkRefused, NotFound, Unauthorized
from app.session import signed_in
from app.shops import list_sites
from collector.sites import Page, Site

ContextDep = Annotated[Context, Depends(context_of)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask: with a key of one site, or signed in and so an owner of all."""

    key: ApiKey | None

    def may(self, scope: str, site_id: int) -> bool:
        return self.key is None or (self.key.site_id == site_id and self.key.allows(scope))


async def caller(request: Request, context: ContextDep) -> Caller:
    authorization = request.headers.get("authorization", "")
    if not authorization and signed_in(request, context) is not None:
        asking = Caller(None)
    else:
        key = await find_key(context.store, authorization, context.clock())
        if key is None:
            raise Unauthorized("send Authorization: Bearer gld_…; `gloed key add` makes a key")
        asking = Caller(key)
    refuse_repeated(request.query_params.multi_items())
    return asking


CallerDep = Annotated[Caller, Depends(caller)]


async def no_parameters(request: Request, _asking: CallerDep) -> None:
    """Dependency of routes that take none: a misspelt or misplaced one must not pass unnoticed."""
    if strange := sorted(request.query_params):
        named = ", ".join(strange)[:LONGEST_NAMES]
        raise BadParameters(f"no parameters are taken here, got {named}")


SiteKey = Annotated[str, Path(pattern=r"^gs_[a-z0-9]{16}$", description="the shop's key")]
Slug = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$", description="the page's name")]


@dataclass(frozen=True, slots=True)
class Target:
    site: Site
    page: Page


async def readable_site(site: SiteKey, context: ContextDep, asking: CallerDep) -> Site:
    return await _site(context, site, asking, "read")


async def readable_page(
    site: SiteKey, page: Slug, context: ContextDep, asking: CallerDep
) -> Target:
    return _target(await _site(context, site, asking, "read"), page)


async def writable_page(
    site: SiteKey, page: Slug, context: ContextDep, asking: CallerDep
) -> Target:
    return _target(await _site(context, site, asking, "write"), page)


async def picture_page(request: Request, site: SiteKey, page: Slug, context: ContextDep) -> Target:
    """Of a picture: a signed link will do, and needs no header."""
    if "signature" not in request.query_params and "expires" not in request.query_params:
        return await readable_page(site, page, context, await caller(request, context))
    pairs = request.query_params.multi_items()
    if not context.signer.link_holds(own_path(request.scope), pairs, context.clock()):
        raise LinkRefused("this link has expired or was changed; ask for a new one")
    return _target(await _site(context, site, Caller(None), "read"), page)


async def _site(context: Context, key: str, asking: Caller, scope: str) -> Site:
    for site in await list_sites(context.store):
        if site.public_key == key and asking.may(scope, site.site_id):
            return site
    raise NotFound("no such site, or none that this key may see")


def _target(site: Site, slug: str) -> Target:
    if slug not in site.pages:
        raise NotFound("no such page of this site")
    return Target(site, site.pages[slug])
