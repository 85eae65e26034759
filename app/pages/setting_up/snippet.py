"""What to paste, page by page: the fragment, where it goes in each system, the policy it needs."""

from __future__ import annotations

from asyncio import to_thread
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.links import own_url
from app.page_rules import most_zones
from app.pages.desk import Desk, DeskDep
from app.pages.door import ContextDep
from app.pages.faults import refused
from app.pages.rendering import page_response
from app.pages.setting_up.installing import systems
from app.problems import NotFound
from collector.sites import Page
from snippets.errors import SnippetError
from snippets.html import Scripted, snippet_html, wrap_csp
from snippets.script.build import script as made_script

router = APIRouter()
LONGEST_BASE = 200
LONGEST_REF = 128


@router.get("/sites/{key}/snippet")
async def snippet_page(request: Request, context: ContextDep, at: DeskDep) -> Response:
    """State lives in the address: which page, where the collector answers, with which parts."""
    given = {name: value.strip() for name, value in request.query_params.items()}
    base = given.get("base", "")[:LONGEST_BASE] or context.settings.prefix
    page = _page_of(at, given.get("page", ""))
    shown: dict[str, Any] = {
        "site": at.site,
        "edits": at.edits,
        "page": page,
        "base": base,
        "usual_base": context.settings.prefix,
        "house": own_url(context.settings),
        "scripted": "script" in given,
        "ref": given.get("ref", "")[:LONGEST_REF],
        "systems": (),
        "csp": "",
        "faults": {},
        "page_choices": [(one.slug, one.title) for one in at.site.pages.values()],
    }
    if page is None:
        return page_response(request, "snippet.html.jinja", shown)
    try:
        # Made by a process, the first time: nobody else waits for it.
        scripted = Scripted(await to_thread(made_script)) if shown["scripted"] else None
        fragment = snippet_html(
            site_key=at.site.public_key,
            page=page,
            base=base,
            zones=most_zones(at.site, page),
            ref=shown["ref"] or None,
            scripted=scripted,
        )
        shown["csp"] = wrap_csp(base, script=shown["scripted"])
    except SnippetError as problem:
        shown["faults"] = {_field(problem): refused(problem)}
        return page_response(request, "snippet.html.jinja", shown, 422)
    shown["systems"] = systems(page.slug, page.phase, fragment)
    return page_response(request, "snippet.html.jinja", shown)


def _page_of(at: Desk, slug: str) -> Page | None:
    """The one that was asked for, else the first of the journey; None for a shop without pages."""
    if slug:
        if slug not in at.site.pages:
            raise NotFound("no such page of this shop")
        return at.site.pages[slug]
    listed = sorted(at.site.pages.values(), key=lambda page: (page.phase, page.page_id))
    return next(iter(listed), None)


def _field(problem: SnippetError) -> str:
    return "ref" if str(problem).startswith("reference") else "base"
