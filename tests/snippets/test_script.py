"""The optional script: its size, its URL, what it is told, and who gets it."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from base64 import b64encode
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.configuration import configure
from app.shops import find_site
from collector.sites import Site, Zone
from collector.tables.arriving import batch
from snippets.errors import SnippetError
from snippets.html import NOBODY, Scripted, script_html, snippet_html, wrap_csp
from snippets.script.build import LIMIT_BYTES, script, source
from tests.build import DESKTOP, make_shop
from tests.serving import Running
from tests.snippets.build import FIVE, SITE_KEY, page_of

PAGE = page_of(*FIVE)
GIVEN: dict[str, Any] = {"site_key": SITE_KEY, "page": PAGE}


def test_what_is_served_is_at_most_a_kilobyte_gzipped() -> None:
    made = script()
    assert len(gzip.compress(made.js, 9, mtime=0)) <= LIMIT_BYTES == 1024
    assert gzip.decompress(made.gzip) == made.js


def test_what_is_served_is_made_of_the_source_and_says_none_of_its_comments() -> None:
    served = script().js.decode()
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", source(), flags=re.DOTALL)
    strings = set(re.findall(r'"([^"\n]+)"', code))
    assert strings
    assert all(text in served for text in strings)
    assert "//" not in served
    assert "/*" not in served


@pytest.mark.parametrize(
    "forbidden",
    ["cookie", "Storage", "indexedDB", "caches", r"\.value\b", "innerText", "textContent", "HTML"],
)
def test_nothing_in_it_reads_text_or_values_or_keeps_anything(forbidden: str) -> None:
    assert not re.search(forbidden, script().js.decode())


def test_its_url_and_its_integrity_are_those_of_its_bytes() -> None:
    made = script()
    digest = hashlib.sha384(made.js).digest()
    assert made.integrity == f"sha384-{b64encode(digest).decode()}"
    assert b64encode(digest, b"-_").decode().startswith(made.mark)
    assert re.fullmatch(r"[\w-]{16}", made.mark)


def test_the_paste_bears_it_only_where_it_was_asked_for() -> None:
    assert "<script" not in snippet_html(**GIVEN)
    assert "data-g" not in snippet_html(**GIVEN)
    both = snippet_html(**GIVEN, scripted=Scripted(script()))
    alone = script_html(**GIVEN, scripted=Scripted(script()))
    assert both.count("<script async ") == alone.count("<script async ") == 1
    assert alone.strip() in both
    assert "<link" not in alone


@pytest.mark.parametrize("base", ["/g", "https://stats.shop.example/g"])
@pytest.mark.parametrize("frozen", [False, True])
def test_only_a_frozen_paste_has_integrity(base: str, frozen: bool) -> None:
    made = script()
    pasted = script_html(**GIVEN, base=base, scripted=Scripted(made, frozen))
    assert f'src="{base}/x/{SITE_KEY}/{made.mark}"' in pasted
    assert (f'integrity="{made.integrity}"' in pasted) is frozen
    assert ('crossorigin="anonymous"' in pasted) is (frozen and base.startswith("https"))


def told(pasted: str) -> list[object]:
    found = re.search(r'data-g="([^"]*)"', pasted)
    assert found is not None
    read: list[object] = json.loads(html.unescape(found.group(1)))
    return read


def test_it_is_told_where_to_send_the_page_and_the_zones_by_their_numbers() -> None:
    zones = (replace(FIVE[1], number=3, also=(".other",)), replace(FIVE[0], number=1))
    pasted = script_html(
        site_key=SITE_KEY, page=page_of(*zones), scripted=Scripted(script()), ref="order-77"
    )
    assert told(pasted) == [
        f"/g/{SITE_KEY}",
        [NOBODY, '#checkout input[name="checkout[email]"]', NOBODY, "#customer-name,.other"],
        {"v": 1, "p": "checkout", "ref": "order-77"},
    ]


def test_it_is_told_nothing_of_sensitive_zones() -> None:
    pasted = script_html(**GIVEN, scripted=Scripted(script()))
    assert "payment-element" not in pasted
    assert told(pasted)[1][4] == NOBODY  # type: ignore[index]


def test_a_page_without_zones_still_has_a_selector() -> None:
    pasted = script_html(site_key=SITE_KEY, page=page_of(), scripted=Scripted(script()))
    assert told(pasted)[1] == [NOBODY]


def test_a_selector_outside_the_grammar_is_refused() -> None:
    page = page_of(Zone(1, "x", "input:checked"))
    with pytest.raises(SnippetError):
        script_html(site_key=SITE_KEY, page=page, scripted=Scripted(script()))


@pytest.mark.parametrize(
    ("base", "policy"),
    [
        ("/g", "style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'"),
        (
            "https://a.example/g",
            "style-src https://a.example/g/; img-src https://a.example/g/; "
            "script-src https://a.example/g/x/; connect-src https://a.example/g/",
        ),
    ],
)
def test_the_policy_names_it_where_it_is_used(base: str, policy: str) -> None:
    assert wrap_csp(base, script=True) == policy
    assert wrap_csp(base) == policy.partition("; script-src")[0]


@pytest.fixture
def shop(gloed: Running) -> Site:
    return gloed.do(make_shop(gloed.store, gloed.clock()))


def asked(gloed: Running, shop: Site, mark: str, **headers: str) -> httpx.Response:
    told = {"user-agent": DESKTOP} | {k.replace("_", "-"): v for k, v in headers.items()}
    return httpx.get(f"{gloed.url}/g/x/{shop.public_key}/{mark}", headers=told)


def test_it_is_kept_for_good_under_its_own_hash_by_the_browser_alone(
    gloed: Running, shop: Site
) -> None:
    answer = asked(gloed, shop, script().mark)
    assert (answer.status_code, answer.content) == (200, script().js)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding, sec-gpc, dnt"
    plain = asked(gloed, shop, script().mark, accept_encoding="identity")
    assert (plain.content, "content-encoding" in plain.headers) == (script().js, False)


def test_a_page_pasted_before_the_script_changed_gets_the_present_one(
    gloed: Running, shop: Site
) -> None:
    answer = asked(gloed, shop, "0123456789abcdef")
    assert answer.content == script().js
    assert answer.headers["cache-control"] == "private, max-age=3600"


@pytest.mark.parametrize("header", ["sec_gpc", "dnt"])
def test_who_opted_out_gets_an_empty_one(gloed: Running, shop: Site, header: str) -> None:
    answer = asked(gloed, shop, script().mark, **{header: "1"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-gloed-drop"] == "opt_out"
    assert answer.headers["cache-control"] == "no-store"


def test_where_consent_decides_it_is_asked_for_anew_on_each_page(
    gloed: Running, shop: Site
) -> None:
    rule = {"consent": {"cookie": "agreed", "pattern": "*yes*"}}
    gloed.do(configure(gloed.store, shop, rule))
    gloed.context.catalogue.forget()
    assert gloed.do(find_site(gloed.store, shop.public_key)).consent is not None
    without = asked(gloed, shop, script().mark)
    given = asked(gloed, shop, script().mark, cookie="agreed=oh-yes")
    assert (without.content, without.headers["x-gloed-drop"]) == (b"", "no_consent")
    assert (given.content, given.headers["cache-control"]) == (script().js, "no-store")


def test_an_unknown_shop_has_none_and_asking_stores_nothing(gloed: Running, shop: Site) -> None:
    answer = asked(gloed, replace(shop, public_key="gs_0000000000000000"), script().mark)
    assert (answer.content, answer.headers["x-gloed-drop"]) == (b"", "unknown_site")
    asked(gloed, shop, script().mark)
    assert gloed.do(gloed.store.fetchval(f"SELECT count(*) FROM {batch.name}")) == 0
