"""One picture of a page, and its zones drawn by two presses: no script, the picture is a button.

`<input type=image>` sends where it was pressed, in px of the picture as it is shown; it is shown at
one CSS px per page px, so these are page px. The first press and the second stand in the address,
and nothing is kept until the zone is named and saved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from app.context import Context
from app.pages.desk import Desk, DeskDep, EditorDep
from app.pages.door import ContextDep
from app.pages.faults import Fault, Faults, fault, refused
from app.pages.forms import fields_of, read_form
from app.pages.labels import PLACEMENTS, ROLES
from app.pages.rendering import HEADERS, page_response, to_root
from app.pages.setting_up.layouts import SOURCES
from app.pages.words import N_, Words, words_for
from app.picturing.boxes import Box, Placement
from app.picturing.layout_body import BoxBody
from app.picturing.layouts import Layout, find_layout, layout_number, picture
from app.picturing.mending import Corner, box_between, drop_layout, put_boxes, with_box, without_box
from app.problems import NotFound
from app.shops import ShopError, put_zone
from collector.errors import TooLarge
from collector.sites import Page, Zone
from snippets.errors import SnippetError

router = APIRouter()
PATH = "/sites/{key}/pages/{slug}/layouts/{layout}"
MOST_FORM_BYTES = 2**18
"""999 zones written out as JSON, each sign of it percent-encoded."""

NAME = re.compile(r"[0-9a-f]{16}")
CORNER = re.compile(r"([0-9]{1,5}),([0-9]{1,5})")
WIDEST_BESIDE_PX = 820
"""A wider picture leaves no room beside it in a laptop's window."""

NEW = "new"
"""Stands in the list of zones for one that is not there yet."""

_BOXES: TypeAdapter[list[BoxBody]] = TypeAdapter(list[BoxBody])
KEEPS = {"Cache-Control": "private, max-age=31536000, immutable"}
"""A version's picture never changes; another is another version."""


@dataclass(frozen=True, slots=True)
class Corners:
    """What was pressed so far."""

    first: Corner | None = None
    second: Corner | None = None

    @property
    def edges_px(self) -> tuple[int, int, int, int] | None:
        if self.first is None or self.second is None:
            return None
        (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(self.first, self.second, strict=True))
        return x0, y0, x1, y1


@dataclass(frozen=True, slots=True)
class Board:
    """A picture on the desk."""

    at: Desk
    page: Page
    layout: Layout


@router.get(PATH)
async def canvas(
    request: Request, slug: str, layout: str, context: ContextDep, at: DeskDep
) -> Response:
    board = await _board(context, at, slug, layout)
    return _page(request, board, corners=read_corners(request.query_params, board.layout))


@router.get(PATH + "/picture")
async def page_picture(slug: str, layout: str, context: ContextDep, at: DeskDep) -> Response:
    board = await _board(context, at, slug, layout)
    if board.layout.picture_hash is None:
        raise NotFound("this layout has no picture")
    png = await picture(context.store, at.site.site_id, board.layout.picture_hash)
    return Response(png, headers={**HEADERS, **KEEPS}, media_type="image/png")


@router.post(PATH)
async def draw(
    request: Request, slug: str, layout: str, context: ContextDep, at: EditorDep
) -> Response:
    """Keep a zone's box, take one away, put all in place of those there are, or drop the layout."""
    board = await _board(context, at, slug, layout)
    words = words_for(request.headers.get("accept-language", ""))
    try:
        fields = fields_of(await read_form(request, MOST_FORM_BYTES))
    except TooLarge:
        told = {"json": fault(words, N_("This is longer than any page’s zones."))}
        return _page(request, board, faults=told, status=413)
    if fields.get("do") == "drop":
        await drop_layout(context.store, at.site, board.layout, context.clock())
        return _go(request, f"{slug}/layouts", at)
    faults = await _changed(context, board, fields, words)
    if faults:
        corners = read_corners(fields, board.layout)
        return _page(request, board, corners, faults, fields, 422)
    return _go(request, f"{slug}/layouts/{board.layout.name}", at)


def _go(request: Request, to: str, at: Desk) -> Response:
    pages = f"{to_root(request.scope)}sites/{at.site.public_key}/pages"
    return RedirectResponse(f"{pages}/{to}", 303, HEADERS)


async def _board(context: Context, at: Desk, slug: str, name: str) -> Board:
    page = at.page(slug)
    found = None
    if NAME.fullmatch(name):
        found = await find_layout(
            context.store, at.site, page.page_id, layout_id=layout_number(name)
        )
    if found is None:
        raise NotFound("no such picture of this page")
    return Board(at, page, found)


def read_corners(given: Mapping[str, str], layout: Layout) -> Corners:
    """The corners in the address, and the press that came last; a third press begins anew."""
    first, second = (_corner(given.get(name, ""), layout) for name in ("from", "to"))
    pressed = _corner(f"{given.get('at.x', '')},{given.get('at.y', '')}", layout)
    if pressed is None:
        return Corners(first, second if first is not None else None)
    if first is None or second is not None:
        return Corners(pressed)
    return Corners(first, pressed)


def _corner(text: str, layout: Layout) -> Corner | None:
    told = CORNER.fullmatch(text)
    if told is None:
        return None
    return min(int(told[1]), layout.width_px), min(int(told[2]), layout.height_px)


async def _changed(
    context: Context, board: Board, fields: Mapping[str, str], words: Words
) -> Faults:
    """Do what the form asks; what is wrong with it where it was not done."""
    what = fields.get("do", "")
    if what == "add":
        return await _add(context, board, fields, words)
    if what == "remove":
        number = fields.get("number", "")
        kept = without_box(board.layout, int(number) if number.isdecimal() else 0)
        return await _put(context, board, kept, "number")
    if what == "replace":
        try:
            bodies = _BOXES.validate_json(fields.get("json", ""))
        except ValidationError as problem:
            return {"json": _json_fault(problem, words)}
        boxes = tuple(
            Box(one.zone, one.x0_px, one.y0_px, one.x1_px, one.y1_px, one.placement)
            for one in bodies
        )
        return await _put(context, board, boxes, "json")
    return {"do": fault(words, N_("This form asks for nothing that can be done."))}


def _json_fault(problem: ValidationError, words: Words) -> Fault:
    first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return fault(words, N_("This is no JSON."))
    place = "/".join(str(part) for part in first["loc"])[:60]
    message = N_("Not as described, at %(place)s: see the example below.")
    return fault(words, message, place=place or "/")


async def _add(
    context: Context, board: Board, fields: Mapping[str, str], words: Words
) -> dict[str, Fault]:
    corners = _typed(fields, board.layout) or read_corners(fields, board.layout)
    if corners.first is None or corners.second is None:
        return {"corners": fault(words, N_("Press two opposite corners first."))}
    placement = fields.get("placement", "flow")
    if placement not in get_args(Placement):
        return {"placement": fault(words, N_("Choose how the zone moves."))}
    number = await _zone_number(context, board, fields, words)
    if isinstance(number, dict):
        return number
    try:
        box = box_between(number, corners.first, corners.second, placement)  # type: ignore[arg-type]
    except ShopError as problem:
        return {"corners": refused(problem)}
    return await _put(context, board, with_box(board.layout, box), "corners")


def _typed(fields: Mapping[str, str], layout: Layout) -> Corners | None:
    """Edges that were typed instead of pressed; None unless all four are there."""
    first = _corner(f"{fields.get('x0', '').strip()},{fields.get('y0', '').strip()}", layout)
    second = _corner(f"{fields.get('x1', '').strip()},{fields.get('y1', '').strip()}", layout)
    return None if first is None or second is None else Corners(first, second)


async def _zone_number(
    context: Context, board: Board, fields: Mapping[str, str], words: Words
) -> int | dict[str, Fault]:
    """Of the zone that was chosen, or of the one that is named here for the first time."""
    chosen = fields.get("zone", "")
    if chosen != NEW:
        known = {str(zone.number): zone.number for zone in board.page.zones}
        if chosen in known:
            return known[chosen]
        return {"zone": fault(words, N_("Choose a zone, or name a new one."))}
    name, selector = fields.get("name", "").strip(), fields.get("selector", "").strip()
    if not name or name in {zone.name for zone in board.page.zones}:
        return {"name": fault(words, N_("Give a name that no other zone of this page has."))}
    zone = Zone(0, name, selector, fields.get("role", "text"))
    if zone.role not in ROLES:
        return {"role": fault(words, N_("Choose what the zone is."))}
    site, now = board.at.site, context.clock()
    try:
        put = await put_zone(context.store, site, board.page.page_id, zone, now)
    except (ShopError, SnippetError) as problem:
        return {"selector": refused(problem)}
    return put.number


async def _put(
    context: Context, board: Board, boxes: Sequence[Box], field: str
) -> dict[str, Fault]:
    try:
        now = context.clock()
        await put_boxes(context.store, board.at.site, board.page, board.layout, boxes, now)
    except ShopError as problem:
        return {field: refused(problem)}
    return {}


def _zone_choices(board: Board) -> list[tuple[str, str]]:
    """Those that have no place yet come first: it is one of them that is drawn."""
    placed = _numbers(board.layout)
    listed = sorted(board.page.zones, key=lambda zone: (zone.number in placed, zone.number))
    return [(str(zone.number), f"{zone.number} {zone.name}") for zone in listed]


def _page(
    request: Request,
    board: Board,
    corners: Corners | None = None,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    layout = board.layout
    words = words_for(request.headers.get("accept-language", ""))
    names = {zone.number: zone.name for zone in board.page.zones}
    shown: dict[str, Any] = {
        "site": board.at.site,
        "page": board.page,
        "edits": board.at.edits and layout.picture_hash is not None,
        "drops": board.at.edits,
        "layout": layout,
        "sources": SOURCES,
        "names": names,
        "free": [zone for zone in board.page.zones if zone.number not in _numbers(layout)],
        "zone_choices": [*_zone_choices(board), (NEW, words.catalogue.gettext(N_("a new zone …")))],
        "corners": corners or Corners(),
        "roles": ROLES,
        "placements": PLACEMENTS,
        "json": _BOXES.dump_json([_body(box) for box in layout.boxes], indent=1).decode(),
        "faults": faults or {},
        "given": given or {},
        "new": NEW,
        "widest_beside_px": WIDEST_BESIDE_PX,
    }
    return page_response(request, "canvas.html.jinja", shown, status)


def _numbers(layout: Layout) -> set[int]:
    return {box.number for box in layout.boxes}


def _body(box: Box) -> BoxBody:
    x0_px, y0_px, x1_px, y1_px = box.edges_px
    return BoxBody(
        zone=box.number, x0_px=x0_px, y0_px=y0_px, x1_px=x1_px, y1_px=y1_px, placement=box.placement
    )
