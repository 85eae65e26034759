"""The style sheet and the icon: files of ours, named by what is in them and kept for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from app.drawing.differing import contrast_rows
from app.problems import NotFound
from heatmap.colours import DEFAULT_OPACITY, css_gradient, names
from heatmap.reach import REACH_OPACITY
from heatmap.zone_boxes import zone_rows

router = APIRouter()
LOOK = Path(__file__).with_name("look")
LEGENDS = {"heat": DEFAULT_OPACITY, "reach": REACH_OPACITY}
"""A legend has the transparency of the maps it explains."""

THUMB_HEIGHT = 1.0
"""Of a small picture, as a share of its width."""

SHIFT_STEPS = 20
"""Classes that move a small picture to its hottest place: inline styles are forbidden to pages."""

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
}


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes
    media: str


def _legends() -> Iterator[str]:
    """One class per palette: inline styles are forbidden to pages."""
    for kind, opacity in LEGENDS.items():
        for palette in names():
            strip = f"linear-gradient(90deg, {', '.join(css_gradient(palette, opacity))})"
            yield f".legend-{kind}-{palette} {{ background-image: {strip} }}"
    for palette in names():
        steps = ", ".join(f"#{bytes(step).hex()}" for step in zone_rows(palette)[1 :: 256 // 16])
        yield f".legend-zone-{palette} {{ background-image: linear-gradient(90deg, {steps}) }}"


def _difference() -> str:
    """As contrasts are drawn: from less over nothing to more."""
    steps = ", ".join(f"#{bytes(step).hex()}" for step in contrast_rows()[1::15])
    return f".legend-difference {{ background-image: linear-gradient(90deg, {steps}) }}"


def _glimpses() -> Iterator[str]:
    yield f".glimpse {{ aspect-ratio: 1 / {THUMB_HEIGHT:g} }}"
    for step in range(SHIFT_STEPS + 1):
        yield f".glimpse .at-{step} {{ object-position: 50% {100 * step / SHIFT_STEPS:g}% }}"


def _file(source: str, media: str, more: str = "") -> File:
    path = LOOK / source
    content = (path.read_text() + more).encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return File(f"{path.stem}-{digest}{path.suffix}", content, media)


SHEET = _file(
    "gloed.css", "text/css; charset=utf-8", "\n".join((*_legends(), _difference(), *_glimpses()))
)
ICON = _file("ember.svg", "image/svg+xml")
_FILES = {file.name: file for file in (SHEET, ICON)}


@router.get("/look/{name}")
async def look(name: str) -> Response:
    if name not in _FILES:
        raise NotFound("no such file")
    file = _FILES[name]
    return Response(file.content, 200, HEADERS, file.media)
