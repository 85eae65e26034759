"""Answers of the demo's shop and of its payment provider: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from app.demo.goods import SHIPPINGS, euro

LOOK = Path(__file__).with_name("look")
_MEDIA = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

_TEMPLATES = Environment(
    loader=PackageLoader("app.demo"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["euro"] = euro
_TEMPLATES.globals["shippings"] = SHIPPINGS


def html(template: str, shown: Mapping[str, Any]) -> str:
    return _TEMPLATES.get_template(template).render(shown)


def page_response(
    template: str, shown: Mapping[str, Any], *, form_action: str, status: int = 200
) -> Response:
    """A page under the policy that shops with card payments live under."""
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'none'; "
        f"base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(html(template, shown), status, headers, "text/html")


def look(name: str) -> Response:
    """A style sheet or drawing of ours; 404 for a name that is none."""
    path = LOOK / name
    if path.parent != LOOK or path.suffix not in _MEDIA or not path.is_file():
        return Response(status_code=404)
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(path.read_bytes(), 200, headers, _MEDIA[path.suffix])
