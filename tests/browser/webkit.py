"""WebKitGTK's MiniBrowser on a virtual screen, driven by WebKitWebDriver over W3C WebDriver.

The nearest relative of Safari that runs on Linux, not Safari itself: no iOS touch, no tracking
prevention, another network stack.
"""

import base64
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.browser.engine import PATIENCE_S, BrowserError, Unsupported, Window
from tests.browser.processes import (
    SCREEN_H,
    SCREEN_W,
    display,
    private_environment,
    private_home,
    running,
    wait_for,
)
from tests.browser.w3c import ActionsEngine

# Software drawing on a screen without a graphics card, and no session services: the machine has
# none, and looking for them costs seconds or starts a bus that outlives the browser.
ENVIRONMENT = {
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/dev/null",
    "GDK_BACKEND": "x11",
    "GSETTINGS_BACKEND": "memory",
    "GSK_RENDERER": "cairo",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "NO_AT_BRIDGE": "1",
    "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
    # Needs user namespaces, which containers withhold; the pages are our own.
    "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
}
# Without a window manager the window under the screen's own pointer is the active one, and that
# pointer rests in the middle of the screen: a window lies with its title bar there, so that focus
# rules apply and nothing in the page is hovered.
GRIP_PX = 10

RESIZES = 5
"""The window is resized by a manager of its own, whose answer may come before it is drawn."""

ARGUMENTS = ["--automation", "--javascript-can-open-windows-automatically=true"]
WITHOUT_SCRIPTS = "--enable-javascript=false"


class WebKit(ActionsEngine):
    def __init__(self, driver: Path, minibrowser: Path, xvfb: Path, window: Window) -> None:
        with ExitStack() as stack:
            home = stack.enter_context(private_home("webkit"))
            if window.downloads is not None:
                _keep_downloads(home, window.downloads)
            screen = stack.enter_context(display(xvfb, home))
            self._client = _started(stack, driver, home, screen)
            self._scrolled_px = 0
            self._session = ""
            self._version = self._opened(stack, minibrowser, window)
            self._bare_window()
            self.viewport(window.width_px, window.height_px)
            super().__init__("webkit", stack.pop_all())

    def _opened(self, stack: ExitStack, minibrowser: Path, window: Window) -> str:
        scripting = [] if window.scripts else [WITHOUT_SCRIPTS]
        options = {"binary": str(minibrowser), "args": [*ARGUMENTS, *scripting]}
        wanted = {
            "acceptInsecureCerts": window.insecure,
            "webkitgtk:browserOptions": options,
        }
        created = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{created['sessionId']}"
        stack.callback(self._call, "DELETE", "")
        version: str = created["capabilities"]["browserVersion"]
        return version

    def _bare_window(self) -> None:
        """Go on in a window without a toolbar, whose width would keep phones' sizes out."""
        first = self._call("GET", "/window")
        self.evaluate("void window.open('about:blank', '', 'toolbar=no,location=no')")
        (bare,) = (handle for handle in self._call("GET", "/window/handles") if handle != first)
        self._call("DELETE", "/window")
        self._call("POST", "/window", {"handle": bare})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        # WebDriver wants a JSON body with every POST, also where there is nothing to say.
        content = body or {} if method == "POST" else None
        try:
            answer = self._client.request(method, self._session + path, json=content).json()
        except httpx.HTTPError as cause:
            raise BrowserError(f"webkit gave no answer to {method} {path}: {cause!r}") from cause
        # WebKitWebDriver puts some errors beside "value" instead of inside it.
        told = answer.get("value", answer)
        if isinstance(told, dict) and "error" in told:
            raise BrowserError(f"webkit refused {path}: {told['error']}, {told['message']}")
        return told

    def _perform(self, source: dict[str, Any]) -> None:
        self._call("POST", "/actions", {"actions": [source]})

    def _scroll(self, delta_y_px: int) -> None:
        # WebKit takes a delta for a state of the wheel and scrolls by what changed since the last
        # one: two equal deltas scroll once. It is told the running total.
        self._scrolled_px += delta_y_px
        super()._scroll(self._scrolled_px)

    def version(self) -> str:
        return self._version

    def goto(self, url: str) -> None:
        before = self.evaluate("performance.timeOrigin")
        self._call("POST", "/url", {"url": url})
        # The driver reports no failure. MiniBrowser shows a text about an address it cannot reach
        # under the name about:blank, and stays where it was if it distrusts the certificate.
        now, shown = self.evaluate("[performance.timeOrigin, location.href]")
        if shown == "about:blank" != url or (now == before and "#" not in url):
            said = self.evaluate("document.body.innerText") if shown == "about:blank" else ""
            raise BrowserError(f"webkit could not open {url}: {said or 'it gives no reason'}")

    def viewport(self, w: int, h: int) -> None:
        """Size the window so that the page gets w x h; the frame around it is found by trying."""
        ask_w, ask_h = w, h
        for _ in range(RESIZES):
            self._resize(ask_w, ask_h)
            got_w, got_h = self.evaluate("[innerWidth, innerHeight]")
            if (got_w, got_h) == (w, h):
                return
            ask_w, ask_h = ask_w + w - got_w, ask_h + h - got_h
        raise Unsupported(f"webkit's window cannot be {w} x {h}: {got_w} x {got_h} is nearest")

    def _resize(self, width_px: int, height_px: int) -> None:
        place = {"x": max(0, (SCREEN_W - width_px) // 2), "y": SCREEN_H // 2 - GRIP_PX}
        self._call("POST", "/window/rect", {**place, "width": width_px, "height": height_px})

    def evaluate(self, js: str) -> Any:
        return self._call("POST", "/execute/sync", {"script": f"return ({js})", "args": []})

    def screenshot(self) -> bytes:
        return base64.b64decode(self._call("GET", "/screenshot"))


def _started(stack: ExitStack, driver: Path, home: Path, screen: str) -> httpx.Client:
    """Start the driver; returns a client that speaks to it once it answers."""
    port = _free_port()
    log = home / "webdriver.log"
    env = private_environment(home, DISPLAY=screen, **ENVIRONMENT)
    command = [str(driver), f"--port={port}"]
    process = stack.enter_context(running(command, env=env, log=log))
    client = stack.enter_context(
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, trust_env=False)
    )
    wait_for(process, log, lambda: True if _answers(client) else None)
    return client


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/status").is_success
    except httpx.TransportError:
        return False


def _keep_downloads(home: Path, folder: Path) -> None:
    """Where the desktop says that they belong."""
    settings = home / ".config" / "user-dirs.dirs"
    settings.parent.mkdir()
    settings.write_text(f'XDG_DOWNLOAD_DIR="{folder}"\n')


def _free_port() -> int:
    """A port nobody holds now: the driver takes no 0, and ends at once if another was quicker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
