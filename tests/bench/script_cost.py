"""What the optional script costs the main thread while a mouse moves, as a difference to a page
without it: milliseconds of tasks and of scripts in each second of movement, and long tasks."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from snippets.html import Scripted, script_html
from snippets.script.build import script
from tests.browser.by_playwright import PlaywrightEngine
from tests.browser.sheet_shop import BODY, PAGE, SHOP_CSS, SITE_KEY

ROUNDS = 5
MOVES_S = 4.0
FRAME_S = 1 / 60
LONG_TASKS = (
    "(window.longTasks = 0, new PerformanceObserver(l => longTasks += l.getEntries().length)"
    ".observe({type: 'longtask', buffered: true}), 0)"
)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if "/x/" in self.path:
            self._answer("text/javascript", script().js)
            return
        pasted = script_html(site_key=SITE_KEY, page=PAGE, scripted=Scripted(script()))
        self._answer(
            "text/html; charset=utf-8",
            f'<!doctype html><title>Checkout</title><link rel="icon" href="data:,">'
            f"<style>{SHOP_CSS}</style>{BODY}{pasted if self.path == '/with' else ''}".encode(),
        )

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer("text/plain", b"", 204)

    def _answer(self, kind: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _moved(browser: PlaywrightEngine, url: str) -> dict[str, float]:
    browser.goto(url)
    browser.evaluate(LONG_TASKS)
    time.sleep(0.5)
    before, began = browser.work(), time.monotonic()
    frame = 0
    while time.monotonic() - began < MOVES_S:
        frame += 1
        browser.move(100 + frame * 7 % 900, 80 + frame * 5 % 600)
        time.sleep(FRAME_S)
    after, lasted_s = browser.work(), time.monotonic() - began
    spent = {
        name: (after[metric] - before[metric]) * 1000 / lasted_s
        for name, metric in (("task", "TaskDuration"), ("script", "ScriptDuration"))
    }
    return {**spent, "long": float(browser.evaluate("longTasks")), "moves": frame / lasted_s}


def script_cost(browser: PlaywrightEngine) -> dict[str, float]:
    """Medians of the differences of pairs: ms for each second, and tasks over 50 ms with it."""
    pairs = []
    with _serving() as url:
        for _ in range(ROUNDS):
            pairs.append((_moved(browser, f"{url}/without"), _moved(browser, f"{url}/with")))
    found = {
        f"script_{name}_ms_per_s": round(
            statistics.median(bears[name] - bare[name] for bare, bears in pairs), 2
        )
        for name in ("task", "script")
    }
    found["script_long_tasks"] = max(bears["long"] for _, bears in pairs)
    found["moves_per_s"] = round(statistics.median(bears["moves"] for _, bears in pairs))
    return found
