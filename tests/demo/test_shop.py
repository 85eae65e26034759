"""The demo's shop as a visitor meets it: walkable without a script, and harmless."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.checkout import CHECKOUT
from app.demo.goods import (
    MOST_OF_ONE,
    PRODUCTS,
    SHIPPINGS,
    Line,
    Order,
    euro,
    product_of,
    read_order,
)
from app.demo.provider import provider_app
from app.demo.shop import Shop, mounted
from snippets.selectors import check_selector

SHOP = "http://shop.example"
PROVIDER = "http://betaal.example"
BASKET = "bestelling=abcd-1234&mand=sidamo.2-filterkan.1"
DETAILS = {
    "naam": "Noor de Vries",
    "email": "noor@example.nl",
    "postcode": "7411 kt",
    "huisnummer": "12a",
    "telefoon": "",
}


async def _marked(slug: str, ref: str) -> str:
    return f"<!--snippet {slug} {ref}-->"


@pytest.fixture
async def visitor() -> AsyncIterator[httpx.AsyncClient]:
    shop = httpx.ASGITransport(mounted(Shop(PROVIDER, _marked)))
    provider = httpx.ASGITransport(provider_app(f"{SHOP}/shop"))
    mounts = {"http://betaal.example": provider}
    async with httpx.AsyncClient(
        transport=shop, mounts=mounts, base_url=SHOP, follow_redirects=True
    ) as client:
        yield client


def _link(page: httpx.Response, pattern: str) -> str:
    found = re.search(rf'(?:href|action)="([^"?]*{pattern}[^"]*)"', page.text)
    assert found is not None, f"no link to {pattern} on {page.url}"
    return found[1].replace("&amp;", "&")


async def _to_payment(visitor: httpx.AsyncClient) -> httpx.Response:
    home = await visitor.get("/shop/")
    product = await visitor.get(_link(home, "koffie/filterkan"))
    basket = await visitor.post(_link(product, "winkelwagen"), data={"product": "huila"})
    details = await visitor.get(_link(basket, "gegevens"))
    shipping = await visitor.post(_link(details, "gegevens"), data=DETAILS)
    return await visitor.post(_link(shipping, "verzending"), data={"bezorgwijze": "fietskoerier"})


async def test_the_shop_can_be_walked_from_its_home_to_the_thanks(
    visitor: httpx.AsyncClient,
) -> None:
    payment = await _to_payment(visitor)
    assert payment.url.path == "/shop/betalen"
    asked = await visitor.post(_link(payment, "betalen"), data={"voorwaarden": "ja"})
    assert asked.url.host == "betaal.example"
    assert "€\u00a026,45" in asked.text  # Huila 9,95 and the courier's 16,50
    thanks = await visitor.get(_link(asked, "bedankt"))
    assert thanks.url.path == "/shop/bedankt"
    assert parse_qs(str(thanks.url.query, "ascii"))["bestelling"][0] in thanks.text


async def test_who_cancels_is_told_so_and_may_try_again(visitor: httpx.AsyncClient) -> None:
    payment = await _to_payment(visitor)
    asked = await visitor.post(_link(payment, "betalen"), data={"voorwaarden": "ja"})
    again = await visitor.get(_link(asked, r"betalen\?.*mislukt"))
    assert again.url.path == "/shop/betalen"
    assert "niet gelukt" in again.text


async def test_one_reference_goes_through_the_whole_checkout(visitor: httpx.AsyncClient) -> None:
    payment = await _to_payment(visitor)
    ref = parse_qs(str(payment.url.query, "ascii"))["bestelling"][0]
    asked = await visitor.post(_link(payment, "betalen"))
    thanks = await visitor.get(_link(asked, "bedankt"))
    assert f"<!--snippet betalen {ref}-->" in payment.text
    assert f"<!--snippet bedankt {ref}-->" in thanks.text


async def test_what_a_customer_types_never_comes_into_an_address(
    visitor: httpx.AsyncClient,
) -> None:
    payment = await _to_payment(visitor)
    addresses = [str(answer.url) for answer in (*payment.history, payment)]
    assert not any(word in address for address in addresses for word in ("noor", "Noor", "7411"))


async def test_two_visitors_never_get_the_same_reference(visitor: httpx.AsyncClient) -> None:
    baskets = [
        await visitor.post("/shop/winkelwagen", data={"product": "sidamo"}) for _ in range(2)
    ]
    assert baskets[0].url.query != baskets[1].url.query


@pytest.mark.parametrize("page", [page.slug for page in CHECKOUT])
async def test_each_page_of_the_checkout_bears_the_snippet_before_its_end(
    visitor: httpx.AsyncClient, page: str
) -> None:
    shown = await visitor.get(f"/shop/{page}?{BASKET}")
    assert re.search(rf"<!--snippet {page} abcd-1234-->\s*</body>", shown.text)


@pytest.mark.parametrize("path", ["/shop/", "/shop/koffie/sidamo", "/shop/koffie/thee"])
async def test_pages_before_the_checkout_bear_no_snippet(
    visitor: httpx.AsyncClient, path: str
) -> None:
    assert "snippet" not in (await visitor.get(path)).text


@pytest.mark.parametrize("page", ["", "koffie/sidamo", *(page.slug for page in CHECKOUT)])
async def test_no_page_has_a_script_or_anything_from_elsewhere(
    visitor: httpx.AsyncClient, page: str
) -> None:
    shown = await visitor.get(f"/shop/{page}?{BASKET}")
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert f"form-action 'self' {PROVIDER}" in policy
    assert not re.search(r"<script|javascript:|\son\w+=|style=", shown.text)
    assert not re.search(r'(src|href|action)="(https?:)?//', shown.text)
    for asked in re.findall(r'(?:src|href)="(/shop/(?:beeld|stijl)[^"]*)"', shown.text):
        assert (await visitor.get(asked)).status_code == 200, asked


@pytest.mark.parametrize(
    ("field", "typed"),
    [("naam", " "), ("email", "noor"), ("postcode", "74 11"), ("huisnummer", "a")],
)
async def test_a_wrong_field_is_named_and_what_was_typed_stays(
    visitor: httpx.AsyncClient, field: str, typed: str
) -> None:
    again = await visitor.post(f"/shop/gegevens?{BASKET}", data={**DETAILS, field: typed})
    assert again.status_code == 422
    assert again.text.count('aria-invalid="true"') == 1
    assert f'id="{field}-fout"' in again.text
    assert 'value="12a"' in again.text or field == "huisnummer"


async def test_what_is_typed_cannot_become_markup(visitor: httpx.AsyncClient) -> None:
    typed = {**DETAILS, "naam": '"><b>x</b>', "email": "wrong"}
    again = await visitor.post(f"/shop/gegevens?{BASKET}", data=typed)
    assert "<b>x</b>" not in again.text


@pytest.mark.parametrize("page", [page.slug for page in CHECKOUT if page.slug != "winkelwagen"])
async def test_without_a_basket_every_step_leads_back_to_it(
    visitor: httpx.AsyncClient, page: str
) -> None:
    led = await visitor.get(f"/shop/{page}")
    assert led.url.path == "/shop/winkelwagen"
    assert "nog leeg" in led.text


@pytest.mark.parametrize("name", ["../shop.py", "..%2fshop.py", "shop.py", "boon", "%2e%2e"])
async def test_only_drawings_and_style_sheets_are_given_out(
    visitor: httpx.AsyncClient, name: str
) -> None:
    assert (await visitor.get(f"/shop/beeld/{name}")).status_code == 404


async def test_the_provider_leads_nowhere_but_to_its_shop(visitor: httpx.AsyncClient) -> None:
    asked = await visitor.get(
        f"{PROVIDER}/?{BASKET}&terug=https://evil.example/&mand=//evil.example"
    )
    leads = re.findall(r'<a class="\w+" href="([^"]+)"', asked.text)
    assert len(leads) == 2
    assert {urlsplit(link).netloc for link in leads} == {"shop.example"}


def test_every_selector_of_the_shop_is_in_the_grammar() -> None:
    for page in CHECKOUT:
        assert [zone.number for zone in page.zones] == list(range(1, len(page.zones) + 1))
        assert [check_selector(zone.selector) for zone in page.zones]


LINES = st.lists(
    st.builds(Line, st.sampled_from(PRODUCTS), st.integers(1, MOST_OF_ONE)),
    unique_by=lambda line: line.product,
    min_size=1,
    max_size=len(PRODUCTS),
)


@given(LINES, st.sampled_from([None, *SHIPPINGS]))
def test_an_order_comes_back_from_its_address(lines: list[Line], shipping: object) -> None:
    order = Order("abcd-1234", tuple(lines), shipping)  # type: ignore[arg-type]
    query = {name: values[0] for name, values in parse_qs(order.query).items()}
    assert read_order(query) == order


@given(st.dictionaries(st.sampled_from(["bestelling", "mand", "verzending"]), st.text()))
def test_no_address_breaks_the_basket(query: dict[str, str]) -> None:
    order = read_order(query)
    assert all(1 <= line.count <= MOST_OF_ONE for line in order.lines)
    assert read_order({"bestelling": order.ref}).ref == order.ref


def test_one_more_and_one_less_of_a_product_is_what_it_was() -> None:
    product = product_of("sidamo")
    assert product is not None
    order = Order("abcd-1234").with_more(product, 1)
    assert order.with_more(product, 1).with_more(product, -1) == order
    assert order.with_more(product, -1).lines == ()


@pytest.mark.parametrize(
    ("cents", "shown"),
    [(5, "€\u00a00,05"), (1295, "€\u00a012,95"), (123456, "€\u00a01.234,56")],
)
def test_amounts_are_written_the_dutch_way(cents: int, shown: str) -> None:
    assert euro(cents) == shown
