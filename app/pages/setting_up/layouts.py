"""A page's pictures: which there are, since when, and one more by an upload.

Nothing here fetches a page: a picture is captured where the page can be seen, or sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.context import Context
from app.links import own_url
from app.pages.desk import Desk, DeskDep, EditorDep
from app.pages.door import ContextDep
from app.pages.faults import Fault, Faults, fault, refused
from app.pages.labels import CHOICES, PHASES
from app.pages.rendering import HEADERS, page_response, to_root
from app.pages.setting_up.uploads import Upload, read_upload
from app.pages.words import N_, Words, words_for
from app.picturing.boxes import MAX_WIDTH_PX, Box
from app.picturing.headless import PHONE_BELOW_PX
from app.picturing.layout_body import MAX_VARIANT
from app.picturing.layouts import Layout, layout_name, layouts_of, put_layout
from app.shops import ShopError
from collector.codes import Language
from collector.errors import Malformed, TooLarge
from collector.sites import Page, Site

router = APIRouter()

SOURCES: Mapping[str, str] = {
    "capture": N_("captured"),
    "upload": N_("uploaded"),
    "api": N_("sent by the API"),
    "script": N_("told by browsers"),
}
WIDTH, HEIGHT, PICTURE, VARIANT = "width", "height", "picture", "variant"


@dataclass(frozen=True, slots=True)
class Kind:
    """The versions of one width band, pointer, language and variant, the newest first."""

    present: Layout
    former: Sequence[Layout]


@dataclass(frozen=True, slots=True)
class Sent:
    """What an upload says of its picture."""

    picture: bytes
    width_px: int
    pointer: str
    language: int
    variant: int
    keeps: bool


@router.get("/sites/{key}/pages/{slug}/layouts")
async def layouts_page(request: Request, slug: str, context: ContextDep, at: DeskDep) -> Response:
    return await _page(request, context, at, at.page(slug))


@router.post("/sites/{key}/pages/{slug}/layouts")
async def upload(request: Request, slug: str, context: ContextDep, at: EditorDep) -> Response:
    """Keep an uploaded picture as what the page looks like from now on."""
    page = at.page(slug)
    words = words_for(request.headers.get("accept-language", ""))
    try:
        sent = await read_upload(request)
    except TooLarge:
        told = {PICTURE: fault(words, TOO_LARGE)}
        return await _page(request, context, at, page, told, status=413)
    except Malformed as problem:
        return await _page(request, context, at, page, {PICTURE: refused(problem)}, status=400)
    read = _read(sent, words)
    if not isinstance(read, Sent):
        return await _page(request, context, at, page, read, sent.fields, 422)
    try:
        layout_id = await _keep(context, at.site, page, read)
    except ShopError as problem:
        told = {PICTURE: refused(problem)}
        return await _page(request, context, at, page, told, sent.fields, 422)
    name = layout_name(layout_id)
    to = f"{to_root(request.scope)}sites/{at.site.public_key}/pages/{slug}/layouts/{name}"
    return RedirectResponse(to, 303, HEADERS)


TOO_LARGE = N_("This file has more than 8 MB. Save it smaller, or as WebP.")


def _read(sent: Upload, words: Words) -> Sent | dict[str, Fault]:
    fields = {name: value.strip() for name, value in sent.fields.items()}
    faults: dict[str, Fault] = {}
    width_px = _whole(fields.get(WIDTH, ""), 1, MAX_WIDTH_PX)
    variant = _whole(fields.get(VARIANT, "") or "0", 0, MAX_VARIANT)
    if width_px is None:
        message = N_("Give the window’s width as a whole number of px, such as 390 or 1280.")
        faults[WIDTH] = fault(words, message)
    if variant is None:
        message = N_("A variant is a number from 0 to %(most)s.")
        faults[VARIANT] = fault(words, message, most=MAX_VARIANT)
    if sent.file is None:
        faults[PICTURE] = fault(words, N_("Choose a picture: a PNG, JPEG or WebP file."))
    if width_px is None or variant is None or sent.file is None:
        return faults
    by_width = "coarse" if width_px < PHONE_BELOW_PX else "fine"
    pointer = fields.get("pointer", "")
    return Sent(
        picture=sent.file,
        width_px=width_px,
        pointer=pointer if pointer in ("coarse", "fine") else by_width,
        language=_LANGUAGES.get(fields.get("language", ""), 0),
        variant=variant,
        keeps="keep" in fields,
    )


_LANGUAGES = {member.name.lower(): int(member) for member in Language}


def _whole(text: str, least: int, most: int) -> int | None:
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return int(text) if plain and least <= int(text) <= most else None


async def _keep(context: Context, site: Site, page: Page, sent: Sent) -> int:
    boxes: Sequence[Box] = ()
    if sent.keeps:
        listed = await layouts_of(context.store, site, page.page_id)
        alike = (one for one in listed if _is_of(one, sent))
        boxes = next((one.boxes for one in alike), ())
    return await put_layout(
        context.store,
        site,
        page,
        width_px=sent.width_px,
        height_px=None,
        pointer=sent.pointer,
        boxes=boxes,
        picture=sent.picture,
        source="upload",
        now=context.clock(),
        language=sent.language,
        variant=sent.variant,
    )


def _is_of(layout: Layout, sent: Sent) -> bool:
    """At just this width: boxes do not grow with the window."""
    told = layout.width_px, layout.pointer, layout.language, layout.variant
    return told == (sent.width_px, sent.pointer, sent.language, sent.variant)


def kinds(layouts: Sequence[Layout]) -> list[Kind]:
    """From narrow to wide."""
    grouped = groupby(layouts, lambda one: (one.band, one.pointer, one.language, one.variant))
    listed = [list(group) for _, group in grouped]
    found = [Kind(versions[0], versions[1:]) for versions in listed]
    return sorted(found, key=lambda kind: (kind.present.width_px, kind.present.pointer))


async def _page(
    request: Request,
    context: Context,
    at: Desk,
    page: Page,
    faults: Faults | None = None,
    given: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    shown: dict[str, Any] = {
        "site": at.site,
        "page": page,
        "edits": at.edits,
        "kinds": kinds(await layouts_of(context.store, at.site, page.page_id)),
        "sources": SOURCES,
        "languages": {name: CHOICES["language"][name] for name in _LANGUAGES if name != "other"},
        "language_of": {code: name for name, code in _LANGUAGES.items()},
        "phases": PHASES,
        "faults": faults or {},
        "given": given or {},
        "widest_px": MAX_WIDTH_PX,
        "most_variant": MAX_VARIANT,
        "url": own_url(context.settings),
    }
    return page_response(request, "layouts.html.jinja", shown, status)
