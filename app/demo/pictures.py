"""The checkout's pictures and boxes, which come with the repository: a demo needs no browser.

`python -m app.demo.pictures` takes them anew, with the browser that `gloed capture` uses. Each
page's fingerprint tells whether it still is the page that was pictured.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from app.demo.checkout import CHECKOUT, CheckoutPage
from app.demo.goods import Line, Order, product_of
from app.demo.rendering import LOOK
from app.demo.serving import DemoProblem, open_door, port_of, served
from app.demo.shop import BASE, Shop, mounted
from app.demo.walks import Sheet
from app.picturing.boxes import Box
from app.picturing.capture import Captured, capture
from app.picturing.headless import Browsers

CAPTURED = Path(__file__).with_name("captured")
INDEX = CAPTURED / "boxes.json"
NOWHERE = "http://127.0.0.1:1"
"""Payment provider of a shop that is only looked at."""

WIDTHS_PX = (390, 1280)
COLOURS = 96


def sample_order() -> Order:
    """What lies in the basket on every picture."""
    chosen = (product_of("sidamo"), 2), (product_of("filterkan"), 1)
    return Order("voorbeeld-7411", tuple(Line(product, n) for product, n in chosen if product))


async def fingerprints() -> dict[str, str]:
    """SHA-256 of each checkout page's HTML without the snippet, with all that it looks like by."""
    looks = [path.read_bytes() for path in sorted(LOOK.iterdir()) if path.name != "provider.css"]
    transport = httpx.ASGITransport(mounted(Shop(NOWHERE)))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        pages = {page.slug: await client.get(_path(page)) for page in CHECKOUT}
    return {
        slug: sha256(b"\0".join([answer.content, *looks])).hexdigest()
        for slug, answer in pages.items()
    }


@cache
def captured() -> dict[str, tuple[Captured, ...]]:
    """The layouts of each page, as they were captured."""
    told = json.loads(INDEX.read_text(encoding="utf-8"))
    return {slug: tuple(map(_read, page["layouts"])) for slug, page in told.items()}


def recorded_fingerprints() -> dict[str, str]:
    told = json.loads(INDEX.read_text(encoding="utf-8"))
    return {slug: page["sha256"] for slug, page in told.items()}


def sheet(slug: str, phone: bool) -> Sheet:
    """The page as phones or desktops show it."""
    pointer = "coarse" if phone else "fine"
    found = next(taken for taken in captured()[slug] if taken.pointer == pointer)
    return Sheet(found.height_px, {box.number: box for box in found.boxes})


async def take(pages: Iterable[CheckoutPage] = CHECKOUT) -> dict[str, list[Captured]]:
    """Capture the shop's pages in a real browser."""
    door = open_door("127.0.0.1", 0)
    async with served(mounted(Shop(NOWHERE)), door):
        return await asyncio.to_thread(_captures, f"http://127.0.0.1:{port_of(door)}", pages)


def _captures(shop: str, pages: Iterable[CheckoutPage]) -> dict[str, list[Captured]]:
    with Browsers() as browsers:
        return {
            page.slug: capture(shop + _path(page), page.zones, widths=WIDTHS_PX, browsers=browsers)
            for page in pages
        }


def _path(page: CheckoutPage) -> str:
    return f"{BASE}/{page.slug}?{sample_order().query}"


def _read(told: dict[str, Any]) -> Captured:
    return Captured(
        width_px=told["width_px"],
        height_px=told["height_px"],
        pointer=told["pointer"],
        png=(CAPTURED / told["picture"]).read_bytes(),
        boxes=tuple(Box(*box) for box in told["boxes"]),
        missing=(),
    )


def _written(slug: str, taken: Captured) -> dict[str, Any]:
    if taken.missing:
        raise DemoProblem(f"zones of {slug} are not on the page: {', '.join(taken.missing)}")
    name = f"{slug}-{taken.width_px}.png"
    (CAPTURED / name).write_bytes(_small(taken.png))
    return {
        "width_px": taken.width_px,
        "height_px": taken.height_px,
        "pointer": taken.pointer,
        "picture": name,
        "boxes": [[box.number, *box.edges_px, box.placement] for box in taken.boxes],
    }


def _small(png: bytes) -> bytes:
    """In few colours: the pages have no photographs, and the repository keeps every version."""
    with Image.open(io.BytesIO(png)) as image:
        reduced = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    reduced.save(written, "PNG", optimize=True)
    return written.getvalue()


async def _take_all() -> None:
    CAPTURED.mkdir(exist_ok=True)
    prints = await fingerprints()
    told = {
        slug: {"sha256": prints[slug], "layouts": [_written(slug, one) for one in layouts]}
        for slug, layouts in (await take()).items()
    }
    INDEX.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    asyncio.run(_take_all())
    size_kb = sum(path.stat().st_size for path in CAPTURED.iterdir()) // 1024
    print(f"{CAPTURED}: {len(CHECKOUT) * len(WIDTHS_PX)} pictures, {size_kb} kB")


if __name__ == "__main__":
    main()
