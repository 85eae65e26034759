"""How much a page asks of the store: every page of ours, as it is first looked at and later."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from app.access.accounts import add_account, find_account, put_role
from app.access.keys import Session
from app.access.session import COOKIE, GUEST_COOKIE
from app.access.shares import add_share
from app.changes import add_change
from app.closing.day import close_day
from app.pages import router
from app.pages.labels import VIEWS
from app.pages.reading.tabs import OWN_PAGE, STYLES
from app.picturing.layouts import layouts_of
from app.shops import find_site, put_page, put_zones
from app.store import Store
from collector.codes import Phase
from collector.sites import Site
from tests.app.build import heard, opened, put_views
from tests.build import PHONE, SHIPPING, Walker, make_shop, page_of
from tests.conftest import NOON, emptied
from tests.counting import LEARNING, MOST_STATEMENTS, Asked, asked_of
from tests.pages.conftest import VISITS, visited_shop
from tests.serving import Running

PAGE = "/sites/{key}/pages/{slug}"
OF_A_MAP = 4
"""Who looks at which shop, what rests on whole days, what opened on the others, and rows. One more
where the script told too."""

READS = {f"{PAGE}/compare": 1}
"""What it may have read besides, where it is not held: what visits told, whom they contrast, and
then its maps. It is the same whatever the shop's size."""


def paths_of(of: APIRouter) -> Iterator[str]:
    """Addresses that can be looked at."""
    for route in of.routes:
        if not isinstance(route, APIRoute):
            yield from paths_of(route.original_router)  # type: ignore[attr-defined]
        elif "GET" in (route.methods or ()):
            yield route.path


PATHS = sorted(set(paths_of(router)))


@dataclass(frozen=True, slots=True)
class Town:
    """A live shop that was visited, one on trial, and whoever may see both; a guest sees a page."""

    gloed: Running
    live: Site
    trying: Site
    layout: str
    token: str
    headers: Mapping[str, str]

    def ask(self, path: str) -> Asked:
        return asked_of(self.gloed, path, self.headers)

    def addresses(self, template: str) -> list[str]:
        """Of both shops, and of a page that was visited and one that was not."""
        fixed = template.replace("{secret}", "none").replace("{token}", self.token)
        made = [
            fixed.replace("{key}", site.public_key).replace("{slug}", slug)
            for site in (self.live, self.trying)
            for slug in ("shipping", "payment")
        ]
        own = [one.replace("{layout}", self.layout) for one in made]
        return list(dict.fromkeys(own))

    def change(self) -> None:
        """As every job of ours that derived something else than before."""
        raised = "UPDATE site SET data_version = data_version + 1"
        self.gloed.do(self.gloed.store.execute(raised))


@pytest.fixture(scope="module")
def town(house: Running) -> Town:
    gloed = emptied(house)
    trying = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    live = visited_shop(gloed)
    walker = Walker(gloed.url, PHONE, "10.0.1.1")
    walker.tell(walker.open(trying, "shipping"), "w400", "2.h5")
    gloed.do(close_day(gloed.store, trying, trying.day_of(NOON), NOON))
    page = page_of(live, "shipping")
    gloed.do(add_change(gloed.store, live, page, "Another font", NOON - timedelta(days=1), NOON))
    share = gloed.do(
        add_share(gloed.store, live.site_id, "shipping", timedelta(days=7), NOON, picture=False)
    )
    token = gloed.context.signer.share(share.share_id, share.expires_at)
    (layout,) = gloed.do(layouts_of(gloed.store, live, page.page_id))
    number = gloed.do(add_account(gloed.store, "designer", NOON))
    for site in (live, trying):
        gloed.do(put_role(gloed.store, "designer", site, "owner"))
    account = gloed.do(find_account(gloed.store, number))
    assert account is not None
    cookie = gloed.context.signer.cookie(Session(number, account.sessions), NOON)
    headers = {
        "cookie": f"{COOKIE}={cookie}; {GUEST_COOKIE}={token}",
        "accept": "text/html",
        "accept-language": "nl",
    }
    return Town(gloed, live, trying, layout.name, token, headers)


@pytest.mark.parametrize("address", PATHS)
def test_a_page_asks_at_most_five_questions(town: Town, address: str) -> None:
    for one in town.addresses(address):
        town.change()
        first, later = town.ask(one), town.ask(one)
        assert first.answer.status_code == later.answer.status_code < 500
        assert len(later.statements) < MOST_STATEMENTS, later.statements
        most = MOST_STATEMENTS + READS.get(address, 0)
        assert len(first.statements) <= most, (one, len(first.statements), first.statements)


_SEALED = "INSERT INTO job (name, site_id, period, state) VALUES ('seal', $1, $2, 'done')"


async def grown(
    store: Store,
    site: Site,
    slugs: Iterable[str],
    days: Iterable[int],
    few: Collection[int] = (),
) -> Site:
    """A live shop whose pages were met on these days, by a few visits on some of them; the days
    before them are sealed."""
    numbers = count(1)
    for slug in slugs:
        page_id = await put_page(store, site, slug, NOON, phase=Phase.CHECKOUT)
        await put_zones(store, site, page_id, SHIPPING, NOON)
        for back in days:
            at, visits = NOON - timedelta(days=back, hours=1), 2 if back in few else VISITS
            met = [opened(next(numbers), at, page_id, visitor=n) for n in range(1, visits + 1)]
            told = [heard("2.h5", row["view_id"], at, visitor=row["visitor"]) for row in met]
            await put_views(store, site, *met, *told)
    site = await find_site(store, site.public_key)
    for back in days:
        day = site.day_of(NOON - timedelta(days=back))
        await close_day(store, site, day, NOON)
        await store.execute(_SEALED, site.site_id, day - timedelta(days=1))
    return await find_site(store, site.public_key)


def test_neither_pages_nor_days_nor_shops_make_it_more(town: Town) -> None:
    store, do = town.gloed.store, town.gloed.do
    small = do(grown(store, do(make_shop(store, NOON, "Klein", live=True)), ["shipping"], [0]))
    slugs = ["cart", "shipping", "payment", "address", "review"]
    large = do(grown(store, do(make_shop(store, NOON, "Groot", live=True)), slugs, [9, 6, 3, 0]))
    for site in (small, large):
        do(put_role(store, "designer", site, "owner"))
    for template in ("/sites/{key}", PAGE, f"{PAGE}/stalls", f"{PAGE}/compare?kind=click"):
        asked = []
        for site in (small, large):
            town.change()
            address = template.replace("{key}", site.public_key).replace("{slug}", "shipping")
            told = town.ask(address)
            assert told.answer.status_code == 200
            asked.append(len(told.statements))
        assert asked[0] == asked[1], template
    town.change()
    told = town.ask("/")
    assert all(site.name in told.answer.text for site in (small, large, town.live))
    assert len(told.statements) <= MOST_STATEMENTS, told.statements


def maps() -> Iterator[str]:
    for name in VIEWS:
        if name in STYLES:
            yield f"style={name}&kind=click"
        elif name not in OWN_PAGE:
            yield f"kind={name}"
    yield "kind=click&device=desktop"
    yield "kind=click&device=phone&browser=safari"
    yield "kind=scroll&marks=folds"


@pytest.mark.parametrize("query", list(maps()))
def test_whatever_a_map_is_of_it_asks_no_more(town: Town, query: str) -> None:
    for one in town.addresses(f"{PAGE}?{query}"):
        town.change()
        first, later = town.ask(one), town.ask(one)
        assert first.answer.status_code == later.answer.status_code == 200
        assert len(first.statements) <= OF_A_MAP, (one, first.statements)
        assert len(later.statements) <= OF_A_MAP, (one, later.statements)


def test_a_map_beside_an_open_day_counts_it_along_with_its_own(town: Town) -> None:
    """Of both days beside it; a refusal may take two more, to find what can be shown instead."""
    store, do = town.gloed.store, town.gloed.do
    shops = [
        do(grown(store, do(make_shop(store, NOON, name, live=True)), ["shipping"], days, few))
        for name, days, few in (("Open", [3, 2, 1], ()), ("Weinig", [3, 2, 1], [3]))
    ]
    answered = []
    for site in shops:
        do(store.execute("DELETE FROM job WHERE site_id = $1 AND name = 'seal'", site.site_id))
        do(put_role(store, "designer", site, "owner"))
        town.change()
        day = site.day_of(NOON) - timedelta(days=2)
        told = town.ask(f"/sites/{site.public_key}/pages/shipping?date_from={day}&date_to={day}")
        answered.append("date_from" not in told.answer.text.partition('id="few"')[2])
        most = OF_A_MAP if answered[-1] else OF_A_MAP + 2
        assert len(told.statements) <= most, told.statements
    assert answered == [True, False]


def test_a_map_that_its_shops_page_drew_is_not_read_again(town: Town) -> None:
    town.change()
    site = f"/sites/{town.live.public_key}"
    assert town.ask(site).answer.status_code == 200
    told = town.ask(f"{site}/pages/shipping")
    rows = [one for one in told.statements if "FROM tile" in one or "AS kind" in one]
    assert (told.answer.status_code, rows) == (200, [])


def test_a_map_that_its_own_page_drew_is_not_read_again(town: Town) -> None:
    town.change()
    site = f"/sites/{town.live.public_key}"
    assert town.ask(f"{site}/pages/shipping").answer.status_code == 200
    told = town.ask(site)
    read = "coalesce(visitor_before", "0 AS kind"
    rows = [one for one in told.statements if any(part in one for part in read)]
    assert (told.answer.status_code, rows) == (200, [])


def test_of_a_page_that_too_few_met_its_shop_reads_no_rows(town: Town) -> None:
    town.change()
    told = town.ask(f"/sites/{town.live.public_key}")
    opened = [one for one in told.statements if "coalesce(visitor_before, visitor)" in one]
    met = f"page_id = ANY('{{{page_of(town.live, 'shipping').page_id}}}'::int[])"
    assert (len(opened), met in opened[0]) == (1, True), opened


def test_what_cannot_be_asked_is_told_without_reading(town: Town) -> None:
    for name, query in (("", "kind=none"), ("/form", "a=phone"), ("/compare", "device=toaster")):
        for one in town.addresses(f"{PAGE}{name}?{query}"):
            told = town.ask(one)
            assert told.answer.status_code == 422
            assert len(told.statements) <= MOST_STATEMENTS


def test_a_statement_alone_is_one_journey(town: Town) -> None:
    """It opens no transaction, and its connection goes back as it came."""
    for address in town.addresses("/sites/{key}/settings"):
        told = [one for one in town.ask(address).frames if not one.startswith(LEARNING)]
        assert told == []
