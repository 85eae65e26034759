"""One thin way to drive three engines with real input: what a shopper does, and reading the result.

`with open_browser("firefox") as browser:` opens it headless in a fresh profile and closes all it
started, also after an exception. Chromium goes by Playwright, Firefox by WebDriver BiDi, WebKit by
WebDriver; where Debian's browsers are absent, Playwright's own builds of them serve.

Coordinates of `move`, `click` and `tap` are CSS pixels of the viewport, those of `box` CSS pixels
of the page; the two agree while the page is not scrolled. Input goes in as the browser's own
events, so style rules see it although the pages forbid scripts. Input returns when the browser has
taken it, which can be a frame before a style rule or a scroll position shows it.

Focus rules do not apply in the first window of a headless Firefox, nor in a WebKit window that the
screen's own pointer is not in; `firefox.py` and `webkit.py` say how this driver gets them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests import provide
from tests.browser.by_playwright import PlaywrightEngine
from tests.browser.engine import Box, BrowserError, Unsupported, Window
from tests.browser.firefox import Firefox
from tests.browser.webkit import WebKit

__all__ = [
    "ENGINES",
    "NOT_DRIVABLE",
    "Box",
    "Browser",
    "BrowserError",
    "Unsupported",
    "open_browser",
]

ENGINES = ("chromium", "firefox", "webkit")

NOT_DRIVABLE = "not drivable"
"""Under this property a test records what an engine's driver cannot do, and why: it is printed with
the run's summary (`conftest.py`)."""


class Browser(Protocol):
    """A page in a browser, and a hand on its mouse and keyboard."""

    name: str

    def version(self) -> str: ...

    def goto(self, url: str) -> None:
        """Open a page and wait for its load event."""

    def viewport(self, w: int, h: int) -> None: ...

    def move(self, x: float, y: float, steps: int = 1) -> None:
        """Move the pointer in a straight line, reported at `steps` points of it."""

    def down(self) -> None:
        """Press the left button where the pointer is."""

    def up(self) -> None: ...

    def click(self, x: float, y: float) -> None: ...

    def tap(self, x: float, y: float) -> None:
        """Touch the page for a moment. Chromium opened with touch=True; else Unsupported."""

    def wheel(self, dy: int) -> None:
        """Turn the wheel by dy CSS pixels where the pointer is; positive goes down the page."""

    def scroll_to(self, y: float) -> None:
        """Scroll the page's top to y by script, for positions rather than for input."""

    def type(self, text: str) -> None: ...

    def key(self, name: str) -> None:
        """Press one key or chord: "Tab", "Shift+Tab", "Enter", "ArrowDown", "a"."""

    def evaluate(self, js: str) -> Any:
        """The JSON value of an expression. For reading; works where pages forbid scripts."""

    def box(self, selector: str) -> Box:
        """x0, y0, x1, y1 of the first element the selector matches, in page pixels."""

    def screenshot(self) -> bytes:
        """What the viewport shows, as PNG, one pixel per CSS pixel."""

    def pdf(self) -> bytes:
        """The page as it is printed. Chromium and Firefox; else Unsupported."""

    def accessibility(self) -> Any:
        """What a screen reader is given: roles and names in order. Chromium; else Unsupported."""

    def close(self) -> None:
        """End everything that was started; closing again does nothing."""


@contextmanager
def open_browser(
    name: str,
    *,
    width: int = 1280,
    height: int = 800,
    touch: bool = False,
    insecure: bool = False,
    scripts: bool = True,
    downloads: Path | None = None,
) -> Iterator[Browser]:
    """Open one of ENGINES headless; `insecure` accepts self-signed certificates, `scripts=False`
    switches the browser's own scripting off, and what is downloaded lies in `downloads`."""
    browser = _opened(name, Window(width, height, touch, insecure, scripts, downloads))
    try:
        yield browser
    finally:
        browser.close()


def _opened(name: str, window: Window) -> Browser:
    if name not in ENGINES:
        raise BrowserError(f"no engine is named {name!r}; use one of {', '.join(ENGINES)}")
    if window.touch and name != "chromium":
        raise Unsupported(f"{name} cannot be given a touch screen; use chromium")
    programs = provide.programs(name)
    if programs is not None:
        return _of_the_system(name, programs, window)
    if provide.has(name):
        return PlaywrightEngine(name, None, window)
    raise BrowserError(f"{name} is not on this machine: {provide.remedy(name)}")


def _of_the_system(name: str, programs: dict[str, Path], window: Window) -> Browser:
    match name:
        case "chromium":
            return PlaywrightEngine(name, programs["chromium"], window)
        case "firefox":
            return Firefox(programs["firefox-esr"], window)
        case _:
            return WebKit(
                programs["WebKitWebDriver"], programs["MiniBrowser"], programs["Xvfb"], window
            )
