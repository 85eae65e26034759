"""Templates → answers, all under one policy, with addresses that hold wherever Gloed is mounted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response
from starlette.types import Scope

from app.access.front_door import let_in_by_proxy
from app.access.session import signed_in
from app.front import own_path
from app.pages.chosen import chosen
from app.pages.dot_classes import dot_lines
from app.pages.look import ICON, SHEET
from app.pages.refusals import own_words
from app.pages.words import WORDS, Words, words_for

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}


def _environment(words: Words) -> Environment:
    made = Environment(
        loader=PackageLoader("app.pages"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    made.filters["translated"] = lambda pair: (pair[0], words.catalogue.gettext(pair[1]))
    made.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(words=words, sheet=SHEET.name, icon=ICON.name)
    made.globals["in_words"] = partial(chosen, words=words)
    made.globals["own_words"] = partial(own_words, words=words)
    made.globals["dot_lines"] = partial(dot_lines, words=words)
    return made


_ENVIRONMENTS = {language: _environment(words) for language, words in WORDS.items()}


def to_root(scope: Scope) -> str:
    """The way from this page to the root of Gloed: relative, so it holds below any mount point
    and behind proxies that cut a prefix off without a word.
    """
    return "../" * (own_path(scope).count("/") - 1) or "./"


def page_response(
    request: Request,
    template: str,
    shown: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    words = words_for(request.headers.get("accept-language", ""))
    # A problem may arise before there is anything to ask who signed in.
    context = getattr(request.app.state, "gloed", None)
    here = context is not None and signed_in(request, context) is not None
    by_proxy = context is not None and let_in_by_proxy(request, context.settings)
    # To a guest the way home is a closed door.
    common = {
        "root": to_root(request.scope),
        "signed_in": here,
        "has_home": here or by_proxy,
    }
    html = _ENVIRONMENTS[words.language].get_template(template).render({**common, **shown})
    return Response(html, status, {**HEADERS, **(headers or {})}, "text/html")
