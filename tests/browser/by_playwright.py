"""Engines driven by Playwright: Debian's Chromium, or Playwright's own build of any of the three.

Playwright's blocking interface keeps an event loop running in the thread that calls it, where
`asyncio.run` then fails and a second browser cannot be opened. So each browser has a thread of its
own; the driver can be used beside asyncio and several at a time.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import CDPSession, Download, Error, Page, sync_playwright

from tests.browser.engine import PATIENCE_S, BrowserError, Engine, Unsupported, Window
from tests.browser.processes import private_environment, private_home

CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-smooth-scrolling",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # refuses to run as root, and containers withhold what it needs
]

# Some failures, a download say, bring no page about them.
ERROR_PAGE_MS = 2000

T = TypeVar("T")


class PlaywrightEngine(Engine):
    def __init__(self, name: str, program: Path | None, window: Window) -> None:
        with ExitStack() as stack:
            home = stack.enter_context(private_home(name))
            self._thread = stack.enter_context(ThreadPoolExecutor(1, f"playwright-{name}"))
            self._touch = window.touch
            self._session: CDPSession | None = None
            self._cpu_session: CDPSession | None = None
            opening = _opened(name, program, window, home)
            self._page = self._do(opening.__enter__)
            stack.callback(self._do, lambda: opening.__exit__(None, None, None))
            if window.downloads is not None:
                self._page.on("download", _keeping(window.downloads))
            super().__init__(name, stack.pop_all())

    def _do(self, step: Callable[[], T]) -> T:
        try:
            return self._thread.submit(step).result()
        except Error as cause:
            raise BrowserError(cause.message) from cause

    def version(self) -> str:
        browser = self._page.context.browser
        return browser.version if browser else "unknown"

    def goto(self, url: str) -> None:
        self._do(lambda: self._go(url))

    def _go(self, url: str) -> None:
        try:
            self._page.goto(url)
        except Error:
            if self.name == "chromium":
                # Its page about the failure comes after the failure; the next goto would meet it.
                with suppress(Error):
                    self._page.wait_for_url("chrome-error://**", timeout=ERROR_PAGE_MS)
            raise

    def viewport(self, w: int, h: int) -> None:
        self._do(lambda: self._page.set_viewport_size({"width": w, "height": h}))

    def move(self, x: float, y: float, steps: int = 1) -> None:
        self._do(lambda: self._page.mouse.move(x, y, steps=steps))

    def down(self) -> None:
        self._do(lambda: self._page.mouse.down())

    def up(self) -> None:
        self._do(lambda: self._page.mouse.up())

    def click(self, x: float, y: float) -> None:
        self._do(lambda: self._page.mouse.click(x, y))

    def tap(self, x: float, y: float) -> None:
        if not self._touch:
            raise Unsupported(f"{self.name} was opened without a touch screen; pass touch=True")
        self._do(lambda: self._page.touchscreen.tap(x, y))

    def wheel(self, dy: int) -> None:
        self._do(lambda: self._page.mouse.wheel(0, dy))

    def type(self, text: str) -> None:
        self._do(lambda: self._page.keyboard.type(text))

    def key(self, name: str) -> None:
        self._do(lambda: self._page.keyboard.press(name))

    def evaluate(self, js: str) -> Any:
        return self._do(lambda: self._page.evaluate(js))

    def screenshot(self) -> bytes:
        return self._do(lambda: self._page.screenshot())

    def pdf(self) -> bytes:
        if self.name != "chromium":
            return super().pdf()
        return self._do(lambda: self._page.pdf())

    def accessibility(self) -> Any:
        if self.name != "chromium":
            return super().accessibility()
        nodes = self._do(lambda: self._told_session().send("Accessibility.getFullAXTree"))["nodes"]
        return [
            (node.get("role", {}).get("value"), node.get("name", {}).get("value"), node["ignored"])
            for node in nodes
        ]

    def work(self) -> dict[str, float]:
        """What Chromium says of its own work, in seconds since the browser opened: style, layout.

        Raises Unsupported for another engine.
        """
        if self.name != "chromium":
            raise Unsupported(f"{self.name} does not tell of its own work; use chromium")
        return self._do(self._told_work)

    def cpu(self) -> dict[str, float]:
        """As `work`, in CPU time of the page's main thread: what else runs here is not in it."""
        if self.name != "chromium":
            raise Unsupported(f"{self.name} does not tell of its own work; use chromium")
        return self._do(self._told_cpu)

    def _told_cpu(self) -> dict[str, float]:
        if self._cpu_session is None:
            self._cpu_session = self._page.context.new_cdp_session(self._page)
            self._cpu_session.send("Performance.enable", {"timeDomain": "threadTicks"})
        told = self._cpu_session.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in told}

    def _told_session(self) -> CDPSession:
        if self._session is None:  # kept: it measures only while somebody asks
            self._session = self._page.context.new_cdp_session(self._page)
            self._session.send("Performance.enable")
        return self._session

    def _told_work(self) -> dict[str, float]:
        told = self._told_session().send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in told}


def _keeping(folder: Path) -> Callable[[Download], None]:
    """Playwright gives downloads names of its own, and throws them away with the browser."""

    def keep(download: Download) -> None:
        download.save_as(folder / download.suggested_filename)

    return keep


@contextmanager
def _opened(name: str, program: Path | None, window: Window, home: Path) -> Iterator[Page]:
    """Start Playwright and one browser with one page, all in the thread that calls this."""
    chromium = name == "chromium"
    with sync_playwright() as playwright:
        kind = getattr(playwright, name)
        context = kind.launch_persistent_context(
            # Our own directories: those Playwright makes stay behind when its browser dies.
            home / "profile",
            artifacts_dir=home / "artifacts",
            executable_path=program,
            args=CHROMIUM_FLAGS if chromium else None,
            env=private_environment(home),
            timeout=PATIENCE_S * 1000,
            viewport={"width": window.width_px, "height": window.height_px},
            ignore_https_errors=window.insecure,
            java_script_enabled=window.scripts,
            # A phone in all that style sheets can ask: coarse pointer, no hover.
            has_touch=window.touch,
            **(_as_chrome(program or Path(kind.executable_path), window) if chromium else {}),
        )
        try:
            yield context.pages[0]
        finally:
            context.close()


def _as_chrome(program: Path, window: Window) -> dict[str, Any]:
    """What a shopper's Chrome says of itself: headless, it calls itself a program, and a shop's
    statistics leave programs out."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+", said.stdout)
    assert found is not None, said.stdout
    system, mobile = (
        ("Linux; Android 10; K", "Mobile ") if window.touch else ("X11; Linux x86_64", "")
    )
    agent = (
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{found.group()}.0.0.0 {mobile}Safari/537.36"
    )
    return {"is_mobile": window.touch, "user_agent": agent}
