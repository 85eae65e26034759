"""Who may see which shop: a key in the header, a cookie, or a signed picture link.

Absent and forbidden look the same, so that keys of one shop cannot list the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

from fastapi import Depends, Path, Request

from app.access.keys import find_key
from app.access.session import Rights, rights_of
from app.access.shares import find_share
from app.context import Context, context_of
from app.front import own_path
from app.mapping.filters import LONGEST_NAMES, refuse_repeated
from app.problems import BadParameters, LinkRefused, NotFound, Unauthorized
from app.shops import site_by_key
from collector.sites import Page, Site

NEAREST_PAGES = 5
"""Names of pages in an answer: a list of hundreds helps nobody who misspelt one."""

ContextDep = Annotated[Context, Depends(context_of)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask: with a key of one site, signed in, or the guest of a share."""

    rights: tuple[Rights, ...]

    def may(self, scope: str, site_id: int, page: str | None = None) -> bool:
        return any(one.may(scope, site_id, page) for one in self.rights)


async def caller(request: Request, context: ContextDep) -> Caller:
    authorization = request.headers.get("authorization", "")
    rights: tuple[Rights, ...] = ()
    if not authorization:
        rights = await rights_of(request, context)
    elif (key := await find_key(context.store, authorization, context.clock())) is not None:
        rights = (key,)
    if not rights:
        raise Unauthorized(
            "send the header Authorization: Bearer gld_…, never a key in the address; "
            "`gloed key add` makes one"
        )
    refuse_repeated(request.query_params.multi_items())
    return Caller(rights)


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


async def writable_site(site: SiteKey, context: ContextDep, asking: CallerDep) -> Site:
    return await _site(context, site, asking, "write")


async def readable_page(
    site: SiteKey, page: Slug, context: ContextDep, asking: CallerDep
) -> Target:
    return _target(await _site(context, site, asking, "read", page), page, asking)


async def writable_page(
    site: SiteKey, page: Slug, context: ContextDep, asking: CallerDep
) -> Target:
    return _target(await _site(context, site, asking, "write", page), page, asking)


async def picture_page(request: Request, site: SiteKey, page: Slug, context: ContextDep) -> Target:
    """Of a picture: a signed link will do, and needs no header."""
    if "signature" not in request.query_params and "expires" not in request.query_params:
        return await readable_page(site, page, context, await caller(request, context))
    pairs = request.query_params.multi_items()
    number = context.signer.link_holds(own_path(request.scope), pairs, context.clock())
    if number is None or not await _is_in_use(context, number):
        raise LinkRefused("this link has expired, was revoked or was changed; ask for a new one")
    return _target(_found(await site_by_key(context.store, site)), page)


async def _is_in_use(context: Context, share_id: int) -> bool:
    """Links that the house made for itself belong to no share, and cannot be revoked."""
    return not share_id or await find_share(context.store, share_id, context.clock()) is not None


async def _site(
    context: Context, key: str, asking: Caller, scope: str, page: str | None = None
) -> Site:
    site = await site_by_key(context.store, key)
    return _found(site if site is not None and asking.may(scope, site.site_id, page) else None)


def _found(site: Site | None) -> Site:
    if site is None:
        raise NotFound("no such site, or none that this key may see")
    return site


def _target(site: Site, slug: str, asking: Caller | None = None) -> Target:
    """Raises NotFound, which names other pages to whom the whole shop is shown."""
    if slug not in site.pages:
        shown = asking is not None and asking.may("read", site.site_id)
        raise NotFound(f"no such page of this site{_there_are(slug, site) if shown else ''}")
    return Target(site, site.pages[slug])


def _there_are(slug: str, site: Site) -> str:
    """The pages whose names are nearest to what was asked for, and how many more there are."""
    near = get_close_matches(slug, site.pages, n=NEAREST_PAGES, cutoff=0.0)
    if not near:
        return "; it has none yet"
    more = len(site.pages) - len(near)
    return f"; there are {', '.join(near)}{f' and {more} more' if more else ''}"
