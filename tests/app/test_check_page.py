"""`gloed check` on a page of a shop: the snippet, the way to Gloed, the page's own policy."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.checks import MEANING, check_page
from collector.sites import Site
from collector.wire import Reason
from snippets.html import snippet_html
from tests.build import make_shop
from tests.serving import Running, served


@pytest.fixture
def shop(gloed: Running) -> Site:
    site = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    return site


@pytest.fixture
def page(gloed: Running, shop: Site) -> Iterator[str]:
    """A page of the shop; its query says where its snippet points, and its policy."""

    async def shipping(request: Request) -> HTMLResponse:
        base = request.query_params.get("base", f"{gloed.url}/g")
        pasted = snippet_html(site_key=shop.public_key, page=shop.pages["shipping"], base=base)
        policy = {"content-security-policy": request.query_params.get("policy", "")}
        return HTMLResponse(f"<!doctype html><body>{pasted}</body>", headers=policy)

    with served(Starlette(routes=[Route("/", shipping)])) as (url, _):
        yield url


def told(address: str) -> list[tuple[bool, str]]:
    return [(finding.good, finding.told) for finding in check_page(address)]


def test_a_page_whose_snippet_reaches_gloed_is_well_and_counts_nothing(
    page: str, gloed: Running, shop: Site
) -> None:
    assert told(page) == [
        (True, f"{page}: the snippet is there"),
        (True, f"{gloed.url}/g/{shop.public_key}/shipping reaches Gloed"),
    ]
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM beacon")) == 0


def test_a_snippet_that_points_elsewhere_does_not_reach_gloed(page: str) -> None:
    found = told(f"{page}/?base=/elsewhere")
    assert found[0][0]
    assert not found[1][0]
    assert found[1][1].endswith("does not reach Gloed (answer 404)")


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        ("", []),
        ("default-src 'none'", ["style-src", "img-src"]),
        ("default-src 'none'; img-src *", ["style-src"]),
        ("default-src *; style-src 'none';;", ["style-src"]),
        ("default-src 'self'; script-src 'none'", []),
        ("default-src", []),
    ],
)
def test_a_policy_that_forbids_what_the_snippet_needs_is_told(
    page: str, policy: str, blocked: list[str]
) -> None:
    found = told(str(httpx.URL(page, params={"policy": policy})))
    assert [line.split()[4] for good, line in found if not good] == blocked


def test_every_reason_to_drop_has_a_meaning_for_people() -> None:
    assert set(MEANING) | {Reason.UNTRUSTED_PROXY} == set(Reason)
