"""Debian's Firefox ESR by WebDriver BiDi, spoken straight to its remote agent (no geckodriver).

A headless Firefox never makes its first window the active one: `document.hasFocus()` stays false
and no `:focus`, `:focus-within` or `:user-invalid` rule applies in it, whatever is clicked. The
page therefore lives in a second window, opened by BiDi; that one is active from the start.
"""

import base64
import itertools
import json
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser.engine import PATIENCE_S, BrowserError, Window
from tests.browser.processes import private_environment, private_home, running, wait_for
from tests.browser.w3c import ActionsEngine

# Bits of ui.primaryPointerCapabilities: a fine pointer (2) that can hover (4). Without a real
# mouse Firefox reports neither, and (hover:hover) rules would be off.
FINE_AND_HOVER = 6

# Value of browser.download.folderList: the directory that browser.download.dir names.
OWN_FOLDER = 2

PREFERENCES: dict[str, bool | int | str] = {
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    # A wheel notch arrives at once: a test reads the position it asked for.
    "general.smoothScroll": False,
    "ui.allPointerCapabilities": FINE_AND_HOVER,
    "ui.primaryPointerCapabilities": FINE_AND_HOVER,
}


class Firefox(ActionsEngine):
    def __init__(self, program: Path, window: Window) -> None:
        with ExitStack() as stack:
            home = stack.enter_context(private_home("firefox"))
            self._socket = stack.enter_context(_connected(_started(stack, program, home, window)))
            self._ids = itertools.count(1)
            self._version, self._context = self._session(window)
            self.viewport(window.width_px, window.height_px)
            super().__init__("firefox", stack.pop_all())

    def _session(self, window: Window) -> tuple[str, str]:
        session = self._command(
            "session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": window.insecure}}
        )
        first = self._command("browsingContext.getTree")["contexts"][0]["context"]
        active = self._command("browsingContext.create", type="window")["context"]
        self._command("browsingContext.close", context=first)
        return session["capabilities"]["browserVersion"], active

    def _command(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        try:
            answer = self._answer(number)
        except (TimeoutError, ConnectionClosed) as cause:
            raise BrowserError(f"firefox gave no answer to {method}: {cause}") from cause
        if answer["type"] == "error":
            raise BrowserError(f"firefox refused {method}: {answer['error']}, {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _answer(self, number: int) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if message.get("id") == number:
                return message

    def _perform(self, source: dict[str, Any]) -> None:
        self._command("input.performActions", context=self._context, actions=[source])

    def version(self) -> str:
        return self._version

    def goto(self, url: str) -> None:
        page = {"context": self._context, "url": url}
        try:
            self._command("browsingContext.navigate", **page, wait="complete")
        except BrowserError as cause:
            raise BrowserError(f"could not open {url}: {cause}") from cause

    def viewport(self, w: int, h: int) -> None:
        size = {"width": w, "height": h}
        self._command("browsingContext.setViewport", context=self._context, viewport=size)

    def evaluate(self, js: str) -> Any:
        answer = self._command(
            "script.evaluate",
            expression=f"JSON.stringify(({js}))",
            target={"context": self._context},
            awaitPromise=False,
        )
        if answer["type"] == "exception":
            raise BrowserError(f"{js} raised {answer['exceptionDetails']['text']}")
        text = answer["result"].get("value")
        return None if text is None else json.loads(text)

    def pdf(self) -> bytes:
        return base64.b64decode(
            self._command("browsingContext.print", context=self._context)["data"]
        )

    def screenshot(self) -> bytes:
        shot = self._command("browsingContext.captureScreenshot", context=self._context)
        return base64.b64decode(shot["data"])


def _preferences(window: Window) -> dict[str, bool | int | str]:
    asked: dict[str, bool | int | str] = {"javascript.enabled": window.scripts}
    if window.downloads is not None:
        asked |= {
            "browser.download.dir": str(window.downloads),
            "browser.download.folderList": OWN_FOLDER,
        }
    return {**PREFERENCES, **asked}


def _started(stack: ExitStack, program: Path, home: Path, window: Window) -> str:
    """Start Firefox in a fresh profile; returns the address its remote agent listens on."""
    told = _preferences(window).items()
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in told)
    (home / "user.js").write_text("".join(lines))
    command = [str(program), "--headless", "--no-remote", "--profile", str(home)]
    log = home / "firefox.log"
    process = stack.enter_context(
        running([*command, "--remote-debugging-port=0"], env=private_environment(home), log=log)
    )
    return wait_for(process, log, lambda: _address(home / "WebDriverBiDiServer.json"))


def _address(announcement: Path) -> str | None:
    """Firefox chooses a free port itself and writes it into its profile."""
    try:
        server = json.loads(announcement.read_text())
    except (FileNotFoundError, json.JSONDecodeError):  # not there yet, or half written
        return None
    return f"ws://{server['ws_host']}:{server['ws_port']}/session"


def _connected(address: str) -> AbstractContextManager[ClientConnection]:
    return connect(
        address,
        compression=None,
        max_size=None,  # a screenshot is one message
        open_timeout=PATIENCE_S,
        ping_interval=None,  # a busy browser is not a lost one
        proxy=None,
    )
