"""A shop's pages and the zones on them: named, reworded and ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.context import Context
from app.mapping.page_bandwidth import put_bandwidth
from app.pages.desk import Desk, DeskDep, EditorDep, anew
from app.pages.door import ContextDep
from app.pages.faults import Fault, Faults, fault, refused
from app.pages.forms import fields_of, read_form
from app.pages.labels import PHASES, ROLES
from app.pages.rendering import HEADERS, page_response
from app.pages.setting_up.systems import SYSTEMS, plan_of
from app.pages.words import N_, Words, words_for
from app.plans import begin_with
from app.shops import ShopError, end_zone, put_page, put_zone
from collector.codes import Phase
from collector.sites import Page, Zone
from collector.wire import SLUG
from heatmap.bandwidth import MAX_BANDWIDTH_PX, MIN_BANDWIDTH_PX
from snippets.errors import SnippetError
from snippets.selectors import check_selector

router = APIRouter()
MOST_FORM_BYTES = 2**15
LONGEST_NAME = 80
MOST_ALSO = 20
"""Further selectors of one zone: each is a rule of the stylesheet."""

STATES: Mapping[str, str] = {
    "error": N_("Wrong: selector that is there while it is"),
    "open": N_("Open: selector that is there while it is"),
    "busy": N_("Busy: selector that is there while it is"),
}
WATCHES: Mapping[str, str] = {
    "validity": N_("Tell when the browser finds it wrong, and right again"),
    "checked": N_("Tell when it is ticked"),
}
PHASE_OF = {phase.name.lower(): phase for phase in Phase}


@dataclass(frozen=True, slots=True)
class Wording:
    """A page as a form words it."""

    title: str
    phase: Phase
    goal: bool
    cells: bool
    bandwidth_px: float | None


@router.get("/sites/{key}/settings/pages")
async def pages_page(request: Request, at: DeskDep) -> Response:
    return _list(request, at)


@router.post("/sites/{key}/settings/pages")
async def add_page(request: Request, context: ContextDep, at: EditorDep) -> Response:
    """Name a page, and go to where its zones are named; or name those of a shop system."""
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    words = words_for(request.headers.get("accept-language", ""))
    if fields.get("do") == "preset":
        return await _begin(request, context, at, fields, words)
    slug = fields.get("slug", "").strip()
    faults: dict[str, Fault] = {}
    if not SLUG.match(slug):
        message = N_("Of a-z, 0-9 and hyphens, at most 64 signs: it stands in addresses.")
        faults["slug"] = fault(words, message)
    elif slug in at.site.pages:
        faults["slug"] = fault(words, N_("This shop has a page of that name."))
    wording = _wording(fields, words)
    if isinstance(wording, Wording) and not faults:
        await _put(context, at, slug, wording)
        return RedirectResponse(f"pages/{slug}", 303, HEADERS)
    if not isinstance(wording, Wording):
        faults |= wording
    return _list(request, at, faults, fields, 422)


async def _begin(
    request: Request, context: Context, at: Desk, fields: Mapping[str, str], words: Words
) -> Response:
    """Take over what is known of a shop system; pages with zones of the shop's own stay."""
    system = fields.get("system", "")
    if system not in SYSTEMS:
        told = {"system": fault(words, N_("Choose the system that your shop runs on."))}
        return _list(request, at, told, fields, 422)
    plan = plan_of(system, at.site.pages, words)
    await begin_with(context.store, at.site, plan, context.clock())
    context.catalogue.forget()
    return RedirectResponse("pages", 303, HEADERS)


@router.get("/sites/{key}/settings/pages/{slug}")
async def zones_page(request: Request, slug: str, at: DeskDep) -> Response:
    return _zones(request, at, at.page(slug))


@router.post("/sites/{key}/settings/pages/{slug}")
async def change_page(request: Request, slug: str, context: ContextDep, at: EditorDep) -> Response:
    """Reword the page, put a zone, or end one."""
    page = at.page(slug)
    fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    words = words_for(request.headers.get("accept-language", ""))
    what = fields.get("do", "")
    faults: dict[str, Fault] = {}
    if what == "page":
        wording = _wording(fields, words)
        if isinstance(wording, Wording):
            await _put(context, at, slug, wording)
        else:
            faults = wording
    elif what == "zone":
        faults = await _put_zone(context, at, page, fields, words)
    elif what == "end":
        await end_zone(context.store, at.site, page.page_id, _number(fields), context.clock())
    else:
        faults = {"do": fault(words, N_("This form asks for nothing that can be done."))}
    if faults:
        return _zones(request, await anew(context, at), page, faults, fields, 422)
    return RedirectResponse(slug, 303, HEADERS)


def _wording(fields: Mapping[str, str], words: Words) -> Wording | dict[str, Fault]:
    faults: dict[str, Fault] = {}
    phase = PHASE_OF.get(fields.get("phase", "checkout"))
    if phase is None:
        faults["phase"] = fault(words, N_("Choose where the page stands in the journey."))
    title = " ".join(fields.get("title", "").replace("\0", "").split())
    if len(title) > LONGEST_NAME:
        faults["title"] = fault(words, N_("At most %(most)s signs."), most=LONGEST_NAME)
    given = fields.get("bandwidth", "").strip().replace(",", ".")
    bandwidth_px = _px(given)
    if given and bandwidth_px is None:
        faults["bandwidth"] = fault(
            words,
            N_("A number of px from %(least)s to %(most)s, or nothing."),
            least=words.number(MIN_BANDWIDTH_PX),
            most=words.number(MAX_BANDWIDTH_PX),
        )
    if faults or phase is None:
        return faults
    return Wording(title, phase, "goal" in fields, "cells" in fields, bandwidth_px)


def _px(text: str) -> float | None:
    plain = text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 10
    px = float(text) if plain else 0.0
    return px if MIN_BANDWIDTH_PX <= px <= MAX_BANDWIDTH_PX else None


async def _put(context: Context, at: Desk, slug: str, wording: Wording) -> None:
    await put_page(
        context.store,
        at.site,
        slug,
        context.clock(),
        title=wording.title or None,
        phase=wording.phase,
        goal=wording.goal,
        cells=wording.cells,
    )
    page = (await anew(context, at)).page(slug)
    await put_bandwidth(context.store, at.site, page, wording.bandwidth_px)


def _number(fields: Mapping[str, str]) -> int:
    """0 for a zone that is new, and for no number."""
    text = fields.get("number", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


async def _put_zone(
    context: Context, at: Desk, page: Page, fields: Mapping[str, str], words: Words
) -> dict[str, Fault]:
    number = _number(fields)
    prefix = prefix_of(number)
    zone = _zone(number, fields)
    faults = {f"{prefix}{name}": told for name, told in _zone_faults(zone, words).items()}
    if faults:
        return faults
    try:
        await put_zone(context.store, at.site, page.page_id, zone, context.clock())
    except (ShopError, SnippetError) as problem:
        is_shown = number == 0 or number in {known.number for known in page.zones}
        return {f"{prefix}name" if is_shown else "do": refused(problem)}
    return {}


def prefix_of(number: int) -> str:
    """Of the ids and faults of one zone's form."""
    return f"zone-{number}-"


def _zone(number: int, fields: Mapping[str, str]) -> Zone:
    told = {name: value.strip() for name, value in fields.items()}
    return Zone(
        number=number,
        name=" ".join(told.get("name", "").replace("\0", "").split()),
        selector=told.get("selector", ""),
        role=told.get("role", "text"),
        sensitive="sensitive" in told,
        states={name: told[name] for name in STATES if told.get(name)},
        watches=frozenset(name for name in WATCHES if name in told),
        also=tuple(line for line in map(str.strip, told.get("also", "").splitlines()) if line),
    )


def _zone_faults(zone: Zone, words: Words) -> dict[str, Fault]:
    faults: dict[str, Fault] = {}
    if not 0 < len(zone.name) <= LONGEST_NAME:
        faults["name"] = fault(words, N_("A name of 1 to %(most)s signs."), most=LONGEST_NAME)
    if zone.role not in ROLES:
        faults["role"] = fault(words, N_("Choose what the zone is."))
    if len(zone.also) > MOST_ALSO:
        faults["also"] = fault(words, N_("At most %(most)s selectors."), most=MOST_ALSO)
    for name, selectors in {"selector": (zone.selector,), "also": zone.also}.items():
        faults |= _selector_fault(name, selectors)
    for name, selector in zone.states.items():
        faults |= _selector_fault(name, (selector,))
    return faults


def _selector_fault(name: str, selectors: tuple[str, ...]) -> dict[str, Fault]:
    try:
        for selector in selectors:
            check_selector(selector)
    except SnippetError as problem:
        return {name: refused(problem)}
    return {}


def _list(
    request: Request,
    at: Desk,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    pages = sorted(at.site.pages.values(), key=lambda page: (page.phase, page.page_id))
    systems = [("", N_("choose")), *SYSTEMS.items()]
    told = {"pages": pages, "systems": systems, **_common(at, faults, given)}
    return page_response(request, "pages.html.jinja", told, status)


def _zones(
    request: Request,
    at: Desk,
    page: Page,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    told = {
        "page": at.page(page.slug),
        "prefix_of": prefix_of,
        "states": STATES,
        "watches": WATCHES,
        "roles": ROLES,
        "asked_zone": _number(given) if given and given.get("do") == "zone" else None,
        **_common(at, faults, given),
    }
    return page_response(request, "zones.html.jinja", told, status)


def _common(at: Desk, faults: Faults | None, given: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "site": at.site,
        "edits": at.edits,
        "phases": PHASES,
        "phase_choices": [(name, PHASES[phase]) for name, phase in PHASE_OF.items()],
        "bandwidths_px": (MIN_BANDWIDTH_PX, MAX_BANDWIDTH_PX),
        "longest_name": LONGEST_NAME,
        "faults": faults or {},
        "given": given or {},
    }
