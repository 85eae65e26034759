"""`gloed check` on a page of a shop: the snippet, the way to Gloed, the page's own policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from app.checking.checks import MEANING, check_page, check_store
from app.checking.pasted import read_pasted
from app.checking.policies import blocked
from app.closing.day import close_day
from app.store import Store
from collector.codes import Browser, Device, System
from collector.sites import Site
from collector.wire import Reason
from snippets.html import snippet_html
from tests.app.build import heard, opened, put_views
from tests.build import make_shop
from tests.conftest import NOON
from tests.serving import Running, served, settings_for


def _unmarked(html: str) -> str:
    return re.sub(r' data-no[a-z-]*="1"', "", html)


def _combined(html: str) -> str:
    return re.sub(r"<link[^>]*>", '<link rel="stylesheet" href="/cache/1f2e.css">', html)


def _minified(html: str) -> str:
    """As minifiers do: quotes that are not needed go, and so do slashes and line ends."""
    return re.sub(r'="([a-z0-9-]+)"', r"=\1", html).replace("\n", "")


def _emptied(html: str) -> str:
    while (less := re.sub(r"<(gl-[a-z])[^>]*></\1>", "", html)) != html:
        html = less
    return html


def _lazy(html: str) -> str:
    return html.replace(' src="', ' src="data:," data-src="')


def _deferred(html: str) -> str:
    return html.replace('rel="stylesheet"', 'rel="preload" as="style"')


def _with_a_copy(html: str) -> str:
    token = "AQ" + "x" * 32
    return f'{html}<style>a{{background:url("https://shop.example/g/{token}/1.h5")}}</style>'


OPTIMISERS: dict[str, Callable[[str], str]] = {
    "none": lambda html: html,
    "minified": _minified,
    "unmarked": _unmarked,
    "combined": _combined,
    "emptied": _emptied,
    "lazy": _lazy,
    "deferred": _deferred,
    "twice": lambda html: html + html,
    "copied": _with_a_copy,
}


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
        pasted = OPTIMISERS[request.query_params.get("optimiser", "none")](pasted)
        policy = {"content-security-policy": request.query_params.get("policy", "")}
        return HTMLResponse(f"<!doctype html><body>{pasted}</body>", headers=policy)

    async def emptied(_: Request) -> RedirectResponse:
        return RedirectResponse("/")

    routes = [Route("/", shipping), Route("/verzending", emptied)]
    with served(Starlette(routes=routes)) as (url, _):
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


def test_a_page_that_leads_elsewhere_is_said_to(page: str) -> None:
    found = told(f"{page}/verzending")
    assert found[0] == (
        False,
        f"{page}/verzending: it leads to {page}/, which is what was looked at: save the page in "
        "your browser and paste its source on the shop's page Check",
    )
    assert found[1] == (True, f"{page}/: the snippet is there")


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
        ("default-src 'self'; script-src 'none'", ["style-src", "img-src"]),
        ("default-src", ["style-src", "img-src"]),
        ("default-src 'self' http://127.0.0.1:*", []),
        ("style-src http: 'unsafe-inline'; img-src http://127.0.0.1:*/g/", []),
        (
            "style-src 'nonce-abc' https:; img-src http://127.0.0.1:*/images/",
            ["style-src", "img-src"],
        ),
    ],
)
def test_a_policy_that_forbids_what_the_snippet_needs_is_told(
    page: str, policy: str, blocked: list[str]
) -> None:
    found = told(str(httpx.URL(page, params={"policy": policy})))
    assert [line.split()[4] for good, line in found if not good] == blocked


@pytest.mark.parametrize(
    ("optimiser", "parts"),
    [
        ("minified", []),
        ("unmarked", ["data-noptimize, data-no-optimize, data-no-minify"]),
        ("combined", ["its stylesheet's link is not"]),
        ("emptied", ["#gloed was emptied", "#gloed-page was emptied"]),
        ("lazy", ["rewrote the held image"]),
        ("deferred", ["changed to load later"]),
        ("twice", ["there 2 times"]),
        ("copied", ["will look like one"]),
    ],
)
def test_what_an_optimiser_did_to_the_snippet_is_recognised(
    page: str, optimiser: str, parts: list[str]
) -> None:
    wrong = [line for good, line in told(f"{page}/?optimiser={optimiser}") if not good]
    assert len(wrong) == len(parts)
    for line, part in zip(wrong, parts, strict=True):
        assert part in line


def test_a_page_s_own_policies_count_like_those_of_its_answer() -> None:
    html = '<meta http-equiv="Content-Security-Policy" content="img-src \'none\'">'
    assert read_pasted(html).policies == ["img-src 'none'"]


@pytest.mark.parametrize(
    ("source", "asset", "lets"),
    [
        ("'self'", "https://shop.example/g/x", True),
        ("'self'", "https://shop.example:444/g/x", False),
        ("'self'", "https://stats.shop.example/g/x", False),
        ("*.shop.example", "https://stats.shop.example/g/x", True),
        ("*.shop.example", "https://shop.example/g/x", False),
        ("https://stats.shop.example/g/", "https://stats.shop.example/g/x", True),
        ("https://stats.shop.example/g", "https://stats.shop.example/g/x", False),
        ("stats.shop.example:8443", "https://stats.shop.example:8443/g/x", True),
        ("stats.shop.example:8443", "https://stats.shop.example/g/x", False),
        ("http://stats.shop.example", "https://stats.shop.example/g/x", True),
        ("https:", "https://stats.shop.example/g/x", True),
        ("https:", "http://stats.shop.example/g/x", False),
        ("data:", "https://stats.shop.example/g/x", False),
        ("*", "https://stats.shop.example/g/x", True),
        ("'none'", "https://shop.example/g/x", False),
    ],
)
def test_a_source_lets_what_a_browser_lets_it(source: str, asset: str, lets: bool) -> None:
    found = blocked([f"default-src {source}"], "https://shop.example/checkout", asset)
    assert found == ([] if lets else ["style-src", "img-src"])


def test_of_several_policies_every_one_must_agree() -> None:
    page, asset = "https://shop.example/", "https://stats.example/g/x"
    policies = ["style-src *; img-src *", "img-src 'self'"]
    assert blocked(policies, page, asset) == ["img-src"]
    assert blocked([], page, asset) == []


async def test_each_browser_s_signals_are_listed_a_minute_after_it_came(store: Store) -> None:
    site = await make_shop(store, NOON)
    phone = {"device": Device.PHONE, "browser": Browser.SAFARI, "os": System.IOS}
    page_id = site.pages["shipping"].page_id
    opens = [opened(n, NOON, page_id, visitor=n, **phone) for n in (1, 2)]
    beacons = [heard(name, 1, NOON) for name in ("t1", "no-timeline", "1.f")]
    await put_views(store, site, *opens, *beacons)
    await close_day(store, site, site.day_of(NOON), NOON + timedelta(minutes=1))
    lines = [finding.told for finding in await check_store(store, settings_for(""), NOON)]
    (line,) = [line for line in lines if "phone" in line]
    assert "phone, safari on ios: 1 of 2 views sent signals" in line
    assert "can tell zones, validity, depth; silent: bands, cells, the leave" in line


def test_every_reason_to_drop_has_a_meaning_for_people() -> None:
    assert set(MEANING) | {Reason.UNTRUSTED_PROXY} == set(Reason)
