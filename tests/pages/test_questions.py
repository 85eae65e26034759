"""How much a page asks of the store: every page of ours, as it is first looked at and later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

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
from collector.sites import Site
from tests.build import PHONE, Walker, make_shop, page_of
from tests.conftest import NOON, emptied
from tests.counting import LEARNING, MOST_STATEMENTS, Asked, asked_of
from tests.pages.conftest import visited_shop
from tests.serving import Running

PAGE = "/sites/{key}/pages/{slug}"
A_MAP, A_CONTRAST = 16, 8
"""Statements that reading one of these takes, the first time that it is asked for, where it rests
on one open day: a shop's past is read from sums, and each further open day takes a few more."""

PAGES = 4
READS = {
    PAGE: A_MAP,
    f"{PAGE}/stalls": A_CONTRAST,
    f"{PAGE}/form": A_CONTRAST,
    f"{PAGE}/compare": A_CONTRAST + 2 * A_MAP,
    "/": PAGES * A_CONTRAST,
    "/sites/{key}": PAGES * (A_CONTRAST + A_MAP),
}
"""What these pages may have read besides, where it is not held."""


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
        assert len(later.statements) <= MOST_STATEMENTS, later.statements
        most = MOST_STATEMENTS + READS.get(address, 0)
        assert len(first.statements) <= most, (one, len(first.statements), first.statements)


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
        town.ask(one)
        later = town.ask(one)
        assert later.answer.status_code == 200
        assert len(later.statements) <= MOST_STATEMENTS, (one, later.statements)


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
