"""The demo's shop: home, product, cart, details, shipping, payment, thanks. It stores nothing.

The order travels in the address under the shop's own reference; what a customer types is looked
at once, for what is missing, and forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from app.demo.checkout import CHECKOUT, SHOP_NAME, checkout_page
from app.demo.goods import PRODUCTS, SHIPPINGS, Order, product_of, read_order, shipping_of
from app.demo.rendering import look, page_response

BASE = "/shop"

Snippet = Callable[[str, str], Awaitable[str]]
"""Page slug and reference to what stands before </body>."""

FORM_LIMITS: Mapping[str, Any] = {"max_files": 0, "max_fields": 20, "max_part_size": 10_000}
FIELDS = {
    "naam": (re.compile(r".*\S.*"), "Vul je naam in, dan weet de bezorger voor wie het is."),
    "email": (re.compile(r"\S+@\S+\.\S+"), "Vul een e-mailadres in zoals naam@voorbeeld.nl."),
    "postcode": (
        re.compile(r"\s*[1-9]\d{3}\s?[A-Za-z]{2}\s*"),
        "Een postcode is bijvoorbeeld 7411 KT.",
    ),
    "huisnummer": (re.compile(r"\s*\d+.*"), "Vul je huisnummer in."),
    "telefoon": (re.compile(r"[\d +()-]*"), "Een telefoonnummer heeft alleen cijfers."),
}
"""Fields of the details page: what each must look like, and what is said when it does not."""


NOTHING = Order("")
"""What is carried on once an order is paid."""


async def no_snippet(_slug: str, _ref: str) -> str:
    return ""


class Shop:
    """The shop's pages.

    provider_url  where the payment provider answers
    snippet       what is pasted into the pages of the checkout
    """

    def __init__(self, provider_url: str, snippet: Snippet = no_snippet) -> None:
        self._provider_url = provider_url
        self._snippet = snippet

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._home),
                Route("/stijl.css", self._style),
                Route("/beeld/{name}", self._drawing),
                Route("/koffie/{slug}", self._product),
                Route("/winkelwagen", self._basket, methods=["GET"]),
                Route("/winkelwagen", self._take, methods=["POST"]),
                Route("/gegevens", self._details, methods=["GET"]),
                Route("/gegevens", self._take_details, methods=["POST"]),
                Route("/verzending", self._shipping, methods=["GET"]),
                Route("/verzending", self._take_shipping, methods=["POST"]),
                Route("/betalen", self._payment, methods=["GET"]),
                Route("/betalen", self._pay, methods=["POST"]),
                Route("/bedankt", self._thanks),
            ]
        )

    async def _home(self, request: Request) -> Response:
        return self._page("home.html.jinja", read_order(request.query_params), products=PRODUCTS)

    async def _style(self, _request: Request) -> Response:
        return look("shop.css")

    async def _drawing(self, request: Request) -> Response:
        return look(request.path_params["name"])

    async def _product(self, request: Request) -> Response:
        order = read_order(request.query_params)
        product = product_of(request.path_params["slug"])
        if product is None:
            return self._page("onbekend.html.jinja", order, status=404)
        others = [other for other in PRODUCTS if other != product][:3]
        return self._page("product.html.jinja", order, product=product, others=others)

    async def _basket(self, request: Request) -> Response:
        return await self._step("winkelwagen", read_order(request.query_params))

    async def _take(self, request: Request) -> Response:
        """One more, or one less, of a product."""
        form = await _form(request)
        order = read_order(request.query_params)
        product = product_of(form.get("product", ""))
        if product is not None:
            order = order.with_more(product, -1 if form.get("minder") else 1)
        return _go("winkelwagen", order)

    async def _details(self, request: Request) -> Response:
        return await self._with_basket("gegevens", request, typed={}, wrong={})

    async def _take_details(self, request: Request) -> Response:
        typed = await _form(request)
        wrong = {
            name: told
            for name, (looks, told) in FIELDS.items()
            if not looks.fullmatch(typed.get(name, ""))
        }
        if wrong:
            return await self._with_basket("gegevens", request, typed=typed, wrong=wrong)
        return _go("verzending", read_order(request.query_params))

    async def _shipping(self, request: Request) -> Response:
        return await self._with_basket("verzending", request)

    async def _take_shipping(self, request: Request) -> Response:
        chosen = shipping_of((await _form(request)).get("bezorgwijze", "")) or SHIPPINGS[0]
        return _go("betalen", read_order(request.query_params).sent_by(chosen))

    async def _payment(self, request: Request) -> Response:
        failed = "mislukt" in request.query_params
        return await self._with_basket("betalen", request, failed=failed)

    async def _pay(self, request: Request) -> Response:
        order = _sent(read_order(request.query_params))
        return RedirectResponse(f"{self._provider_url}/{order.suffix}", 303)

    async def _thanks(self, request: Request) -> Response:
        return await self._with_basket("bedankt", request, carried=NOTHING)

    async def _with_basket(self, slug: str, request: Request, **shown: Any) -> Response:
        """A step of the checkout; without a basket there is nothing to check out."""
        order = read_order(request.query_params)
        if not order.lines:
            return _go("winkelwagen", order)
        return await self._step(slug, _sent(order) if slug != "gegevens" else order, **shown)

    async def _step(self, slug: str, order: Order, **shown: Any) -> Response:
        snippet = await self._snippet(slug, order.ref)
        page = checkout_page(slug)
        return self._page(
            f"{slug}.html.jinja", order, page=page, steps=CHECKOUT, snippet=snippet, **shown
        )

    def _page(self, template: str, order: Order, *, status: int = 200, **shown: Any) -> Response:
        told = {"base": BASE, "shop_name": SHOP_NAME, "order": order, "carried": order, **shown}
        action = f"'self' {self._provider_url}"
        if shown.get("wrong"):
            status = 422
        return page_response(template, told, form_action=action, status=status)


def _sent(order: Order) -> Order:
    """With a way to be sent: the first one, until another is chosen."""
    return order if order.shipping else order.sent_by(SHIPPINGS[0])


def _go(slug: str, order: Order) -> Response:
    return RedirectResponse(f"{BASE}/{slug}{order.suffix}", 303)


async def _form(request: Request) -> dict[str, str]:
    async with request.form(**FORM_LIMITS) as form:
        return {name: text for name, text in form.items() if isinstance(text, str)}


def mounted(shop: Shop) -> Starlette:
    """The shop alone on a server, where its addresses expect it."""
    return Starlette(routes=[Mount(BASE, shop.app())])
