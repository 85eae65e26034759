"""Plans put in force: a shop's pages and zones out of a file, or of a common shop system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.configuration import configure
from app.shops import find_site, put_page, put_zones
from app.store import Store
from collector.codes import Phase
from collector.sites import Site, Zone
from snippets.plan import Plan, PlannedPage


@dataclass(frozen=True, slots=True)
class Wish:
    """What one page is to become; None stands for what it is."""

    slug: str
    phase: Phase | None = None
    goal: bool | None = None
    cells: bool | None = None
    title: str | None = None
    zones: Sequence[Zone] = ()

    @classmethod
    def of(cls, planned: PlannedPage) -> Wish:
        return cls(
            planned.slug,
            planned.stands_at,
            planned.goal,
            planned.cells,
            planned.title or None,
            planned.zones(),
        )


async def put_wishes(
    store: Store, site: Site, wishes: Sequence[Wish], menus: Sequence[str], now: datetime
) -> Site:
    """Make these pages and their zones what is wished; the shop as it is then.

    menus   selectors of the shop's menus; none leaves those that are known
    """
    if menus and list(menus) != site.config.get("menus"):
        await configure(store, site, {**site.config, "menus": list(menus)})
    for wish in wishes:
        present = site.pages.get(wish.slug)
        page_id = await put_page(
            store,
            site,
            wish.slug,
            now,
            title=wish.title or (present.title if present else None),
            phase=_first(wish.phase, present.phase if present else None, Phase.CHECKOUT),
            goal=bool(present and present.goal) if wish.goal is None else wish.goal,
            cells=bool(present and present.cells) if wish.cells is None else wish.cells,
        )
        if wish.zones:
            await put_zones(store, site, page_id, wish.zones, now)
    return await find_site(store, site.public_key)


async def begin_with(store: Store, site: Site, plan: Plan, now: datetime) -> tuple[str, ...]:
    """Put a plan's pages in force where the shop has named no zones itself; which those are."""
    known = {slug for slug, page in site.pages.items() if page.zones}
    wishes = [Wish.of(planned) for planned in plan.page if planned.slug not in known]
    await put_wishes(store, site, wishes, plan.menus, now)
    return tuple(wish.slug for wish in wishes)


def _first(*phases: Phase | None) -> Phase:
    return next(phase for phase in phases if phase is not None)
