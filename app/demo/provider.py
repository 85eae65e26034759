"""A stand-in for a payment provider: another origin, where the shop's page cannot follow."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.demo.checkout import SHOP_NAME
from app.demo.goods import euro, read_order
from app.demo.rendering import look, page_response


def provider_app(shop_url: str) -> Starlette:
    """Asks whether to pay, and sends back to the one shop it knows, whatever it was asked."""

    async def ask(request: Request) -> Response:
        order = read_order(request.query_params)
        shown = {
            "shop_name": SHOP_NAME,
            "amount": euro(order.total_cents),
            "paid_url": f"{shop_url}/bedankt{order.suffix}",
            "failed_url": f"{shop_url}/betalen?{order.query}&mislukt=1",
        }
        return page_response("provider.html.jinja", shown, form_action="'none'")

    async def style(_request: Request) -> Response:
        return look("provider.css")

    return Starlette(routes=[Route("/", ask), Route("/stijl.css", style)])
