"""A real browser for captures: found, opened as phone or desktop, waited for, measured.

A phone is emulated with two device pixels per CSS pixel, as most have, so that a page chooses the
images it gives to phones. Its picture is taken at one pixel per CSS pixel all the same: places on
it are page px without any scaling, and under a heat map nobody sees the difference.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, TypeVar, get_args

from app.picturing.boxes import Placement
from app.shops import ShopError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

T = TypeVar("T")

PHONE_BELOW_PX = 768
PHONE_HEIGHT_PX = 844
DESKTOP_HEIGHT_PX = 800
PHONE_PIXEL_RATIO = 2

Engine = Literal["chromium", "firefox", "webkit"]
ENGINES: tuple[Engine, ...] = get_args(Engine)

PROGRAMS = ("chromium", "google-chrome-stable", "google-chrome", "chromium-browser")
FLAGS = ("--disable-gpu", "--font-render-hinting=none", "--force-color-profile=srgb")
"""Pixels that depend on the page and the fonts alone, not on the machine's screen."""

TOUCH_FLAG = (
    "--blink-settings=primaryPointerType=2,availablePointerTypes=2"
    ",primaryHoverType=1,availableHoverTypes=1"
)
"""Fingers that cannot hover, for the whole browser. A touch screen that is emulated in one tab is
gone from (pointer: coarse) and (hover: none) while Chromium draws a picture of the full page."""

COARSE, FINE_AND_HOVERS = 1, 6
"""Firefox's bits of what a pointer can do, for its `ui.*PointerCapabilities`."""

OPENS_WITHIN_S = 30.0
QUIET_WITHIN_S = 10.0
"""Some shops never stop asking their server; after this the page counts as complete."""

SETTLES_WITHIN_S = 10.0
BETWEEN_LOOKS_S = 0.2

MEASURE = """selectors => {
  scrollTo({left: 0, top: 0, behavior: 'instant'});
  for (const image of document.images) image.loading = 'eager';
  for (const animation of document.getAnimations()) {
    try { animation.finish(); } catch { animation.cancel(); }
  }
  const page = document.scrollingElement ?? document.documentElement;
  const visible = element => {
    const {width, height} = element.getBoundingClientRect();
    return width > 0 && height > 0 && element.checkVisibility({visibilityProperty: true});
  };
  const scrolls = element => {
    const {overflowX, overflowY} = getComputedStyle(element);
    return (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth)
      || (/auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight);
  };
  const placement = element => {
    let found = 'flow';
    for (let at = element; at && at !== document.documentElement; at = at.parentElement) {
      if (/fixed|sticky/.test(getComputedStyle(at).position)) return 'fixed';
      if (at !== element && at !== document.body && scrolls(at)) found = 'inner';
    }
    return found;
  };
  const shown = selectors.map(one => [...document.querySelectorAll(one)].filter(visible));
  const box = elements => {
    if (!elements.length) return null;
    const place = placement(elements[0]);
    const alike = elements.filter(element => placement(element) === place);
    const boxes = alike.map(element => element.getBoundingClientRect());
    return [
      Math.min(...boxes.map(one => one.left)) + scrollX,
      Math.min(...boxes.map(one => one.top)) + scrollY,
      Math.max(...boxes.map(one => one.right)) + scrollX,
      Math.max(...boxes.map(one => one.bottom)) + scrollY,
      place,
    ];
  };
  return {
    ready: document.fonts.status === 'loaded' && [...document.images].every(i => i.complete),
    width_px: page.clientWidth,
    height_px: page.scrollHeight,
    boxes: shown.map(box),
    counts: shown.map(elements => elements.length),
  };
}"""
"""Run in the page, again and again until two looks are equal. Nothing in it waits: a saved page is
opened with its scripts off, where no promise would ever be kept."""


class CaptureError(ShopError):
    """The page could not be captured, or the capture not handed on; the message says what to do."""


class Look(TypedDict):
    """What MEASURE answers; a box is its edges in page px and its placement, None if not seen.

    A zone may be several elements, as the radios of a choice: its box is the one around them, and
    `counts` says how many they are.
    """

    ready: bool
    width_px: int
    height_px: int
    boxes: list[tuple[float, float, float, float, Placement] | None]
    counts: list[int]


class Browsers:
    """A phone's browser and a desktop's, each started when first wanted and kept until `close`.

    They live in a thread of their own: Playwright's blocking interface leaves an event loop running
    in the thread that calls it. In the system's Chromium or Chrome, else Playwright's; of Firefox
    and WebKit always Playwright's own. `close` ends all that was started.
    """

    def __init__(self, engine: Engine = "chromium") -> None:
        self.engine = engine
        self._thread = ThreadPoolExecutor(1, "capture")
        self._open = ExitStack()
        self._started: dict[bool, Browser] = {}
        self._playwright: Playwright | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def close(self) -> None:
        with self._thread:
            self._thread.submit(self._open.close).result()

    def visit(
        self,
        url: str,
        width_px: int,
        see: Callable[[Page], T],
        *,
        scripts: bool,
        storage_state: Path | None,
    ) -> T:
        """What `see` makes of the page at this width, loaded: a phone below PHONE_BELOW_PX.

        Every visit is a stranger's: no cookie or cached file of the one before. The browser's
        errors become CaptureError.
        """
        return self._thread.submit(self._visit, url, width_px, see, scripts, storage_state).result()

    def _visit(
        self,
        url: str,
        width_px: int,
        see: Callable[[Page], T],
        scripts: bool,
        storage_state: Path | None,
    ) -> T:
        try:
            from playwright.sync_api import Error
        except ImportError as missing:
            raise CaptureError(
                "a capture needs a browser's driver: pip install 'gloed[capture]'"
            ) from missing
        phone = is_phone(width_px)
        try:
            browser = self._browser(phone)
            with browser.new_context(
                viewport={"width": width_px, "height": _height_px(phone)},
                user_agent=_agent(self.engine, browser.version, phone),
                device_scale_factor=PHONE_PIXEL_RATIO if phone else 1,
                # Firefox has no such mode, and says so by an error.
                is_mobile=phone and self.engine != "firefox",
                has_touch=phone,
                java_script_enabled=scripts,
                storage_state=storage_state,
                reduced_motion="reduce",
                color_scheme="light",
                service_workers="block",
                accept_downloads=False,
            ) as context:
                page = context.new_page()
                _open(page, url)
                return see(page)
        except Error as problem:
            raise CaptureError(f"the browser gave up: {_first_line(problem)}") from problem

    def _browser(self, phone: bool) -> Browser:
        from playwright.sync_api import sync_playwright

        if self._playwright is None:
            self._playwright = self._open.enter_context(sync_playwright())
        if phone not in self._started:
            browser = _launched(self._playwright, self.engine, phone)
            self._started[phone] = self._open.enter_context(browser)
        return self._started[phone]


def _launched(playwright: Playwright, engine: Engine, phone: bool) -> Browser:
    from playwright.sync_api import Error

    if engine == "chromium":
        return _chromium(playwright, phone)
    points = COARSE if phone else FINE_AND_HOVERS
    prefs = {f"ui.{which}PointerCapabilities": points for which in ("primary", "all")}
    try:
        if engine == "firefox":
            return playwright.firefox.launch(firefox_user_prefs=dict(prefs))
        return playwright.webkit.launch()
    except Error as problem:
        raise CaptureError(
            f"there is no {engine} to capture with: playwright install {engine} "
            f"({_first_line(problem)})"
        ) from problem


def _chromium(playwright: Playwright, phone: bool) -> Browser:
    from playwright.sync_api import Error

    refused = []
    for program in (*_system_programs(), None):
        try:
            return playwright.chromium.launch(
                executable_path=program,
                args=[*FLAGS, TOUCH_FLAG] if phone else list(FLAGS),
                # Chromium refuses its sandbox to root, and nobody else should go without.
                chromium_sandbox=os.geteuid() != 0,
            )
        except Error as problem:
            refused.append(f"{program or 'its own'}: {_first_line(problem)}")
    raise CaptureError(
        "there is no browser to capture with: playwright install chromium "
        f"(tried {'; '.join(refused)})"
    )


def _system_programs() -> list[str]:
    return [found for name in PROGRAMS if (found := shutil.which(name))]


def is_phone(width_px: int) -> bool:
    return width_px < PHONE_BELOW_PX


def _height_px(phone: bool) -> int:
    return PHONE_HEIGHT_PX if phone else DESKTOP_HEIGHT_PX


CALLED = "(gloed capture; a crawler)"
"""Added to the agents of engines that do not say by themselves that nobody sits before them."""


def _agent(engine: Engine, version: str, phone: bool) -> str | None:
    """Known as nobody's by every collector; None for the engine's own, which says it too."""
    if engine == "chromium":
        return _phone_agent(version) if phone else None
    if engine == "firefox":
        system = "Android 14; Mobile" if phone else "X11; Linux x86_64"
        major = version.partition(".")[0]
        return f"Mozilla/5.0 ({system}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0 {CALLED}"
    system = "iPhone; CPU iPhone OS 18_5 like Mac OS X" if phone else "Macintosh; Intel Mac OS X"
    mobile = " Mobile/15E148" if phone else ""
    return (
        f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}"
        f"{mobile} Safari/605.1.15 {CALLED}"
    )


def _phone_agent(version: str) -> str:
    """Says Headless, as Chromium itself does on a desktop: no collector counts the visit."""
    chrome = f"HeadlessChrome/{version.partition('.')[0]}.0.0.0"
    return (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"{chrome} Mobile Safari/537.36"
    )


def _open(page: Page, url: str) -> None:
    from playwright.sync_api import Error, TimeoutError

    try:
        answer = page.goto(url, wait_until="domcontentloaded", timeout=OPENS_WITHIN_S * 1000)
    except Error as problem:
        raise CaptureError(
            f"{url} does not open: {_first_line(problem)}; try it in a browser on this machine"
        ) from problem
    if answer is not None and answer.status >= 400:
        raise CaptureError(
            f"{url} answers {answer.status}: give an address that opens, with --storage-state "
            "where it needs a sign-in or a cart"
        )
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=QUIET_WITHIN_S * 1000)


def look(page: Page, selectors: Sequence[str]) -> Look:
    """Measure the page once it stands still, or as it is when it never does."""
    until = time.monotonic() + SETTLES_WITHIN_S
    before: Any = None
    while True:
        seen: Look = page.evaluate(MEASURE, list(selectors))
        if (seen["ready"] and seen == before) or time.monotonic() > until:
            return seen
        before = seen
        page.wait_for_timeout(BETWEEN_LOOKS_S * 1000)


def shoot(page: Page, width_px: int, height_px: int) -> bytes:
    """PNG of the page from its top left corner, in CSS px, nothing moving in it."""
    return page.screenshot(
        full_page=True,
        clip={"x": 0, "y": 0, "width": width_px, "height": height_px},
        scale="css",
        animations="disabled",
        caret="hide",
    )


def _first_line(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0]
