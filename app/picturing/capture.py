"""`gloed capture`: take a page's picture in a real browser, measure its zones, hand both on.

It runs where the page can be seen, on the shop owner's own machine if need be: signed in, with a
filled cart, behind a firewall. It opens whatever it is told to, so no address that came over the
network may ever be handed to it.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
from PIL import Image

from app.drawing.redraw import MAX_PX, Refused, smallest_png
from app.picturing import headless
from app.picturing.boxes import MAX_HEIGHT_PX, MAX_WIDTH_PX, Box, clipped
from app.picturing.headless import CaptureError as CaptureError
from app.picturing.layout_body import BoxBody, LayoutBody, Pointer
from app.picturing.layouts import put_layout
from app.store import Store
from collector.sites import Page, Site, Zone

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

WIDTHS_PX = (390, 1280)
"""The commonest phone and laptop."""

NARROWEST_PX = 240
SAVED = (".html", ".htm")
ANSWERS_WITHIN_S = 60.0
"""A picture of 8 MB over a slow line, and the time to redraw it."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A page at one width: its picture in CSS px and its zones.

    missing  names of the zones not seen
    several  how many elements a zone is whose box lies around more than one, by its name
    """

    width_px: int
    height_px: int
    pointer: Pointer
    png: bytes
    boxes: tuple[Box, ...]
    missing: tuple[str, ...]
    several: tuple[tuple[str, int], ...] = ()


def capture(
    target: str,
    zones: Sequence[Zone],
    *,
    widths: Sequence[int] = WIDTHS_PX,
    storage_state: str | Path | None = None,
    browsers: headless.Browsers | None = None,
) -> list[Captured]:
    """The page as it looks at each of these widths.

    target         http(s) address, or path of a saved .html file, whose scripts stay off
    zones          what to measure; of several elements that match the first visible one counts
    widths         of the viewport in CSS px; below 768 a phone with a touch screen is emulated
    storage_state  Playwright's file of cookies and local storage, to be signed in with a cart
    browsers       those to capture many pages with; without, they are started and ended here
    Returns        one Captured per width, cut at 32,000 px of height or 30 million pixels; a page
                   without a viewport tag is wider on a phone than the phone, and told as it is
    Raises         CaptureError

    Blocks: beside an event loop, `await asyncio.to_thread(...)`.
    """
    url = _address(target)
    state = _state_file(storage_state)
    for width_px in widths:
        if not NARROWEST_PX <= width_px <= MAX_WIDTH_PX:
            raise CaptureError(
                f"a width must be {NARROWEST_PX} to {MAX_WIDTH_PX} px, got {width_px}"
            )
    if browsers is None:
        with headless.Browsers() as own:
            return [_captured(own, url, width_px, zones, state) for width_px in widths]
    return [_captured(browsers, url, width_px, zones, state) for width_px in widths]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How another engine lays the page out: zones by how far they are off, px, None if not seen."""

    engine: headless.Engine
    width_px: int
    off_px: Mapping[str, float | None]


ALIKE_PX = 4.0
"""Fonts break lines a little otherwise in each engine; that is no matter to a map."""


def compare_engines(
    target: str,
    zones: Sequence[Zone],
    captures: Sequence[Captured],
    engines: Sequence[headless.Engine],
    *,
    widths: Sequence[int] = WIDTHS_PX,
    storage_state: str | Path | None = None,
    browsers: Sequence[headless.Browsers] = (),
) -> list[Elsewhere]:
    """Where other engines than the captures' own put the zones: only what differs is told.

    A map lies on one picture, so no engine's layout is kept but the first one's; whoever reads it
    should know where others see another page.

    captures   what `capture` answered for these `widths`
    engines    to start and end here; `browsers` are there already
    Raises     CaptureError
    """
    url, state = _address(target), _state_file(storage_state)
    found = []
    with ExitStack() as stack:
        own = [stack.enter_context(headless.Browsers(engine)) for engine in engines]
        for started in (*browsers, *own):
            for width_px, taken in zip(widths, captures, strict=True):
                seen = _captured(started, url, width_px, zones, state)
                off_px = _off(zones, taken, seen)
                if off_px:
                    found.append(Elsewhere(started.engine, width_px, off_px))
    return found


def _off(zones: Sequence[Zone], taken: Captured, seen: Captured) -> dict[str, float | None]:
    """By zone: the farthest that an edge lies off, where it is beyond what fonts do."""
    there = {box.number: box.edges_px for box in seen.boxes}
    here = {box.number: box.edges_px for box in taken.boxes}
    off: dict[str, float | None] = {}
    for zone in zones:
        edges, others = here.get(zone.number), there.get(zone.number)
        if edges is None or others is None:
            if (edges is None) != (others is None):
                off[zone.name] = None
            continue
        farthest = max(map(math.fabs, map(float.__sub__, others, edges)))
        if farthest > ALIKE_PX:
            off[zone.name] = farthest
    return off


def _address(target: str) -> str:
    if urlsplit(target).scheme in ("http", "https"):
        return target
    path = Path(target)
    if path.suffix.lower() in SAVED and path.is_file():
        return path.resolve().as_uri()
    raise CaptureError(
        f"{target!r} is neither an address nor a saved page: give http://…, https://… or the path "
        "of a .html file"
    )


def _state_file(given: str | Path | None) -> Path | None:
    if given is None:
        return None
    path = Path(given)
    if not path.is_file():
        raise CaptureError(
            f"there is no file {path}: sign in once and save it with "
            f"`playwright open --save-storage={path} https://…`"
        )
    return path


def _captured(
    browsers: headless.Browsers,
    url: str,
    width_px: int,
    zones: Sequence[Zone],
    storage_state: Path | None,
) -> Captured:
    return browsers.visit(
        url,
        width_px,
        lambda tab: _seen(tab, zones, headless.is_phone(width_px)),
        # What a browser saved is what its scripts made; run again, they would make it twice.
        scripts=not url.startswith("file:"),
        storage_state=storage_state,
    )


def _seen(tab: Tab, zones: Sequence[Zone], phone: bool) -> Captured:
    seen = headless.look(tab, [zone.selector for zone in zones])
    width_px = seen["width_px"]
    height_px = min(seen["height_px"], MAX_HEIGHT_PX, MAX_PX // width_px)
    boxes: list[Box] = []
    missing: list[str] = []
    for zone, measured in zip(zones, seen["boxes"], strict=True):
        box = (
            None if measured is None else clipped(Box(zone.number, *measured), width_px, height_px)
        )
        if box is None:
            missing.append(zone.name)
        else:
            boxes.append(box)
    png = _small(headless.shoot(tab, width_px, height_px))
    pointer: Pointer = "coarse" if phone else "fine"
    counted = zip(zones, seen["counts"], strict=True)
    several = tuple((zone.name, n) for zone, n in counted if n > 1)
    return Captured(width_px, height_px, pointer, png, tuple(boxes), tuple(missing), several)


def _small(screenshot: bytes) -> bytes:
    """The browser's PNG is made for speed; what is sent and kept has to stay within limits."""
    try:
        with Image.open(io.BytesIO(screenshot), formats=("PNG",)) as image:
            return smallest_png(image.convert("RGB"))
    except Refused as refused:
        raise CaptureError(f"{refused}: capture it at another width") from refused


async def store_captures(
    store: Store, site: Site, page: Page, captures: Iterable[Captured], now: datetime
) -> list[int]:
    """Make them the page's layouts, straight in the store; their numbers in the same order."""
    return [
        await put_layout(
            store,
            site,
            page,
            width_px=taken.width_px,
            height_px=taken.height_px,
            pointer=taken.pointer,
            boxes=taken.boxes,
            picture=taken.png,
            source="capture",
            now=now,
        )
        for taken in captures
    ]


def upload_captures(
    url: str, key: str, site_key: str, slug: str, captures: Iterable[Captured]
) -> None:
    """Make them the page's layouts through the write API of the Gloed at `url`.

    Each is one PUT of a LayoutBody; the first that is refused raises CaptureError.
    """
    path = f"/api/v1/sites/{quote(site_key, safe='')}/pages/{quote(slug, safe='')}/layouts"
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(headers=headers, timeout=ANSWERS_WITHIN_S) as client:
            for taken in captures:
                body = _body(taken).model_dump(mode="json")
                _check_answer(client.put(url.rstrip("/") + path, json=body), site_key, slug)
    except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as problem:
        raise CaptureError(
            f"no Gloed answers at {url} ({problem or type(problem).__name__}): check the address, "
            "and that `gloed serve` runs there"
        ) from problem


def _body(taken: Captured) -> LayoutBody:
    return LayoutBody(
        width_px=taken.width_px,
        height_px=taken.height_px,
        pointer=taken.pointer,
        boxes=[
            BoxBody(
                zone=box.number,
                x0_px=box.x0_px,
                y0_px=box.y0_px,
                x1_px=box.x1_px,
                y1_px=box.y1_px,
                placement=box.placement,
            )
            for box in taken.boxes
        ],
        picture=base64.b64encode(taken.png).decode(),
    )


def _check_answer(answer: httpx.Response, site_key: str, slug: str) -> None:
    if answer.is_success:
        return
    remedies = {
        401: f"the key is unknown or revoked: `gloed key add {site_key} --scope write`",
        403: f"the key may not write: `gloed key add {site_key} --scope write`",
        404: f"there is no page {slug!r} of a site {site_key!r} that this key may write to",
        413: "the picture is too large for the server, or for a proxy in front of it",
    }
    told = remedies.get(answer.status_code) or _detail(answer)
    raise CaptureError(f"{answer.url} answers {answer.status_code}: {told}")


def _detail(answer: httpx.Response) -> str:
    """The sentence of a problem+json body, else what the status means."""
    if answer.has_redirect_location:
        return f"it moved to {answer.headers['location']}: give that server's address"
    try:
        problem: Any = answer.json()
    except ValueError:
        problem = None
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return str(detail or answer.reason_phrase or "the server does not say why")
