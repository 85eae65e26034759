"""`python -m tests.pictures FOLDER`: every page of the demo, photographed to be looked at.

In each look (light, dark, a phone, a phone in the dark, paper) as a file of the page's name; and
what is wider than its window, down to the narrowest that pages must fit, is told.
`--only map,stalls` takes these alone. `python -m tests.pictures --best docs/pictures` takes the few
that stand in the documentation.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from app.clock import system_clock
from app.demo.checkout import SHIPPING_PAGE
from app.postgres import embedded_store
from app.store import Store
from collector.sites import Site
from tests import provide
from tests.build import PHONE, Walker, make_shop
from tests.demo.standing import Standing, standing

NARROWEST_PX = 320
"""WCAG 2.2, 1.4.10: below it nobody has to fit."""

MOST_PX = 12_000
"""Of a picture's height: what is below tells nothing new of the look."""

MOST_BYTES = 250_000
COLOURS = 256


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at: what Playwright calls a context's options, and on which medium."""

    options: Mapping[str, Any]
    paper: bool = False


WIDE = {"viewport": {"width": 1280, "height": 800}}
HAND = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}
LOOKS = {
    "light": Look({**WIDE, "locale": "en-GB"}),
    "dark": Look({**WIDE, "locale": "nl-NL", "color_scheme": "dark"}),
    "phone": Look({**HAND, "locale": "nl-NL"}),
    "phone-dark": Look({**HAND, "locale": "en-GB", "color_scheme": "dark"}),
    "paper": Look({**WIDE, "locale": "nl-NL"}, paper=True),
}


@dataclass(frozen=True, slots=True)
class Best:
    """A picture of the documentation: a page in one look, down to where it has been told."""

    page: str
    look: str
    height_px: int


BEST = {
    "shop": Best("site", "light", 720),
    "map": Best("map", "light", 1240),
    "abandoners": Best("stalls", "light", 1860),
    "side-by-side": Best("compare", "dark", 1180),
    "phone": Best("map-phones", "phone-dark", 1300),
}


def addresses(key: str, young: str, tried: str, layout: str) -> dict[str, str]:
    """Every page of the router that is looked at, and its states, by the name of its picture."""
    shop, map_ = f"/sites/{key}", f"/sites/{key}/pages/{SHIPPING_PAGE}"
    few, trial = f"/sites/{young}/pages/shipping", f"/sites/{tried}"
    kinds = ("click", "move", "scroll", "attention", "rageclick", "deadclick")
    return {
        "home": "/",
        "site": shop,
        "map": map_,
        "map-phones": f"{map_}?device=phone",
        **{f"map-{kind}": f"{map_}?kind={kind}" for kind in kinds},
        "map-zones": f"{map_}?style=zones&marks=folds",
        "map-confetti": f"{map_}?style=confetti&kind=click",
        "map-wrong": f"{map_}?bandwidth=wide&device=toaster",
        "map-narrow": f"{map_}?device=tablet&os=linux",
        "stalls": f"{map_}/stalls",
        "stalls-devices": f"{map_}/stalls?a=device:phone&b=device:desktop",
        "form": f"/sites/{key}/pages/gegevens/form",
        "compare": f"{map_}/compare",
        "shares": f"{map_}/shares",
        "no-shares": f"{few}/shares",
        "layouts": f"{map_}/layouts",
        "canvas": f"{map_}/layouts/{layout}",
        "settings": f"{shop}/settings",
        "pages": f"{shop}/settings/pages",
        "zones": f"{shop}/settings/pages/{SHIPPING_PAGE}",
        "paths": f"{shop}/settings/paths",
        "changes": f"{shop}/settings/changes",
        "access": f"{shop}/settings/access",
        "snippet": f"{shop}/snippet?page={SHIPPING_PAGE}",
        "privacy": f"{shop}/privacy",
        "check": f"{shop}/check",
        "few-map": few,
        "few-stalls": f"{few}/stalls",
        "few-form": f"{few}/form",
        "few-compare": f"{few}/compare",
        "trial-site": trial,
        "trial-map": f"{trial}/pages/shipping",
        "trial-stalls": f"{trial}/pages/shipping/stalls",
        "trial-silent": f"{trial}/pages/payment",
        "trial-settings": f"{trial}/settings",
        "trial-check": f"{trial}/check",
        "nothing-here": "/nothing-here",
        "share-ended": "/shared/x",
        "link-ended": "/sign-in/x",
    }


SIGNED_OUT = {"sign-in": "/sign-in"}
OPENED = "map-zones"
"""The page that a guest is shown."""


@contextmanager
def demo() -> Iterator[Standing]:
    with tempfile.TemporaryDirectory(prefix="gloed-pictures-") as home:
        Path(home).chmod(0o755)  # as root the store runs as somebody else
        with embedded_store(Path(home), explicit=True, say=print) as url, standing(url) as stands:
            yield stands


def beside(stands: Standing) -> tuple[Site, Site]:
    """A live shop with too few visits, and one on trial; some of their pages nobody opened."""

    async def made() -> tuple[Site, Site]:
        store = Store(stands.database_url)
        await store.open()
        try:
            now = system_clock()
            young = await make_shop(store, now, "Bloemen van Ans", live=True)
            return young, await make_shop(store, now, "Fietsenwinkel De Ketting")
        finally:
            await store.close()

    young, tried = asyncio.run(made())
    for number in range(3):
        Walker(stands.base, PHONE, f"10.9.0.{number}").open(young, "shipping")
    walker = Walker(stands.base, PHONE, "10.9.1.1")
    walker.tell(walker.open(tried, "shipping"), "w400", "coarse", "2.h5")
    return young, tried


class Photographer:
    """One browser without scripts, signed in by a link."""

    def __init__(self, browser: Browser, stands: Standing, link: str) -> None:
        self._browser, self._stands = browser, stands
        self._cookies = self._signed_in(link)

    def _signed_in(self, link: str) -> Any:
        context = self._browser.new_context()
        page = context.new_page()
        page.goto(self._stands.base + link)
        page.locator("form.door button").click()
        cookies = context.cookies()
        context.close()
        return cookies

    def shared(self, path: str) -> str:
        """A link for people without an account to what this page shows."""
        with self.looking(LOOKS["light"]) as page:
            self.shown(page, path)
            page.locator("details.share > summary").click()
            page.locator("details.share button").click()
            link = page.locator(".shares form a").first.get_attribute("href")
        assert link is not None
        return urlsplit(link).path

    @contextmanager
    def looking(self, look: Look, *, signed_in: bool = True) -> Iterator[Page]:
        context = self._browser.new_context(java_script_enabled=False, **look.options)
        if signed_in:
            context.add_cookies(self._cookies)
        page = context.new_page()
        if look.paper:
            page.emulate_media(media="print")
        try:
            yield page
        finally:
            context.close()

    def shown(self, page: Page, path: str) -> None:
        page.goto(self._stands.base + path)

    def layout(self) -> str:
        """The name of a picture of the demo's worst page."""
        with self.looking(LOOKS["light"]) as page:
            key = self._stands.ready.site_key
            self.shown(page, f"/sites/{key}/pages/{SHIPPING_PAGE}/layouts")
            link = page.locator(".layouts h3 a").first.get_attribute("href")
        assert link is not None
        return link.rpartition("/")[2]


def wanted(pages: Mapping[str, str], only: str | None) -> Mapping[str, str]:
    names = only.split(",") if only else pages
    return {name: path for name, path in pages.items() if name in names}


def take_all(
    photographer: Photographer,
    pages: Mapping[str, str],
    signed_out: Mapping[str, str],
    folder: Path,
) -> None:
    for name, look in LOOKS.items():
        into = folder / name
        into.mkdir(parents=True, exist_ok=True)
        with photographer.looking(look) as page:
            for title, path in pages.items():
                _take(photographer, page, path, into / f"{title}.png")
        with photographer.looking(look, signed_in=False) as page:
            for title, path in signed_out.items():
                _take(photographer, page, path, into / f"{title}.png")
        print(f"{into}: {len(pages) + len(signed_out)} pictures")


def _take(photographer: Photographer, page: Page, path: str, into: Path) -> None:
    photographer.shown(page, path)
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    into.write_bytes(_down_to(page, min(height, MOST_PX)))


def _down_to(page: Page, height_px: int) -> bytes:
    """The page from its top, at least a screen of it."""
    size = page.viewport_size
    assert size is not None
    return page.screenshot(
        full_page=True,
        clip={"x": 0, "y": 0, "width": size["width"], "height": max(height_px, size["height"])},
    )


def too_wide(photographer: Photographer, pages: Mapping[str, str]) -> list[str]:
    """Pages that have to be scrolled sideways in the narrowest window."""
    narrow = Look({"viewport": {"width": NARROWEST_PX, "height": 640}, "locale": "nl-NL"})
    found = []
    with photographer.looking(narrow) as page:
        for title, path in pages.items():
            photographer.shown(page, path)
            wide = int(page.evaluate("document.documentElement.scrollWidth"))
            if wide > NARROWEST_PX:
                found.append(f"{title}: {wide} px")
    return found


def take_best(photographer: Photographer, pages: Mapping[str, str], folder: Path) -> None:
    """In few colours: the repository keeps every version of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, best in BEST.items():
        with photographer.looking(LOOKS[best.look]) as page:
            photographer.shown(page, pages[best.page])
            small = _small(_down_to(page, best.height_px))
        assert len(small) < MOST_BYTES, f"{name} has {len(small)} bytes: choose another place"
        (folder / f"{name}.png").write_bytes(small)
        print(f"{folder / name}.png: {len(small) // 1000} kB")


def _small(png: bytes) -> bytes:
    with Image.open(io.BytesIO(png)) as image:
        reduced = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    reduced.save(written, "PNG", optimize=True)
    return written.getvalue()


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m tests.pictures")
    reader.add_argument("folder", type=Path, help="where the pictures go")
    reader.add_argument("--only", metavar="NAMES", help="these pages alone, with commas between")
    reader.add_argument("--best", action="store_true", help="those of the documentation alone")
    asked = reader.parse_args()
    programs = provide.programs("chromium")
    with demo() as stands:
        # Before Playwright: it keeps an event loop in this thread.
        (young, tried), link = beside(stands), stands.sign_in_link()
        doors = SIGNED_OUT | {"sign-in-link": stands.sign_in_link()}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=programs["chromium"] if programs else None,
                args=["--no-sandbox", "--disable-gpu"],
            )
            photographer = Photographer(browser, stands, link)
            key, layout = stands.ready.site_key, photographer.layout()
            pages_of = addresses(key, young.public_key, tried.public_key, layout)
            pages = wanted(pages_of, asked.only)
            doors["guest"] = photographer.shared(pages_of[OPENED])
            signed_out = wanted(doors, asked.only)
            if asked.best:
                take_best(photographer, pages, asked.folder)
            else:
                take_all(photographer, pages, signed_out, asked.folder)
                for told in too_wide(photographer, pages):
                    print(f"wider than {NARROWEST_PX} px: {told}")
            browser.close()


if __name__ == "__main__":
    main()
