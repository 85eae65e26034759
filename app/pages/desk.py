"""Who may look at a shop's settings, and who may change what: readers, editors and owners.

A share opens a map and no settings. Every change comes from a form on a page of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.access.session import Rights
from app.context import Context
from app.pages.door import AskingDep, ContextDep, may_ask
from app.pages.forms import refuse_from_elsewhere
from app.problems import NotAllowed, NotFound
from app.shops import site_by_key
from collector.sites import Page, Site


@dataclass(frozen=True, slots=True)
class Desk:
    """A shop, and whether whoever sits here may change its pages, and all of it."""

    site: Site
    edits: bool
    owns: bool

    def page(self, slug: str) -> Page:
        if slug not in self.site.pages:
            raise NotFound("no such page of this shop")
        return self.site.pages[slug]


RightsDep = Annotated[tuple[Rights, ...], Depends(may_ask)]


async def desk(asking: AskingDep) -> Desk:
    """The settings of the shop in the address, for whoever may read them."""
    rights, site = asking
    if site is None or not _may(rights, "read", site):
        raise NotFound("no such shop")
    return Desk(site, _may(rights, "write", site), _may(rights, "own", site))


DeskDep = Annotated[Desk, Depends(desk)]


def _may(rights: tuple[Rights, ...], scope: str, site: Site) -> bool:
    return any(one.may(scope, site.site_id) for one in rights)


def _changing(allows: Callable[[Desk], bool], who: str) -> Callable[..., Awaitable[Desk]]:
    async def changed(request: Request, at: DeskDep, context: ContextDep) -> Desk:
        refuse_from_elsewhere(request, context)
        if not allows(at):
            raise NotAllowed(f"only {who} of this shop may change this")
        return at

    return changed


EditorDep = Annotated[Desk, Depends(_changing(lambda at: at.edits, "an editor or owner"))]
OwnerDep = Annotated[Desk, Depends(_changing(lambda at: at.owns, "an owner"))]


async def anew(context: Context, at: Desk) -> Desk:
    """The desk with the shop as it is after a change."""
    site = await site_by_key(context.store, at.site.public_key)
    if site is None:
        raise NotFound("no such shop")
    return Desk(site, at.edits, at.owns)
