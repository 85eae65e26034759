"""What the optional script costs the main thread while a mouse moves over a page of the demo shop.

CPU time of the page's main thread in each second of movement, as Chromium traces it: of the page
without the script, with a listener that does nothing, and with the script. The second is what any
page pays that listens to the pointer at all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from app.demo.checkout import checkout_page
from app.demo.shop import BASE, Shop
from collector.sites import Page
from snippets.html import Scripted, script_html
from snippets.script.build import script
from tests.browser.by_playwright import PlaywrightEngine
from tests.browser.drive import open_browser
from tests.browser.sheet_shop import SITE_KEY
from tests.serving import served

ROUNDS = 8
MOVES_S = 2.0
SETTLED_S = 0.5
FRAME_S = 1 / 60
DEMO_PAGE = "winkelwagen"

LISTENER = "addEventListener('pointermove', () => {}, {capture: true, passive: true})"
LONG_TASKS = (
    "(window.longTasks = 0, new PerformanceObserver(l => longTasks += l.getEntries().length)"
    ".observe({type: 'longtask', buffered: true}), 0)"
)


def _scripted() -> str:
    known = checkout_page(DEMO_PAGE)
    page = Page(1, known.slug, known.title, known.phase, known.goal, None, known.zones)
    return script_html(site_key=SITE_KEY, page=page, scripted=Scripted(script()))


FORMS: dict[str, Callable[[], str]] = {
    "without": str,
    "listener": lambda: '<script src="/listener.js"></script>',
    "with": _scripted,
}


def _allowing_scripts(app: Any) -> Any:
    """The demo's pages forbid scripts; this one time they do not."""

    async def answered(scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                kept = [one for one in headers if one[0] != b"content-security-policy"]
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, sent)

    return answered


def _shop(pasted: str) -> Starlette:
    async def snippet(_slug: str, _ref: str) -> str:
        return pasted

    return Shop("https://provider.example", snippet).app()


@contextmanager
def _serving() -> Iterator[str]:
    def answer(body: bytes, status: int = 200) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            await request.body()
            return Response(body, status, media_type="text/javascript")

        return answered

    pages = [Mount(f"/{form}", _shop(pasted())) for form, pasted in FORMS.items()]
    app = Starlette(
        routes=[
            Route("/listener.js", answer(LISTENER.encode())),
            Route("/g/x/{key}/{mark}", answer(script().js)),
            Route("/g/{key}", answer(b"", 204), methods=["POST"]),
            Mount(BASE, _shop("")),
            *pages,
        ]
    )
    with served(_allowing_scripts(app)) as (url, _):
        yield url


def _moved(browser: PlaywrightEngine, url: str) -> dict[str, float]:
    browser.goto(url)
    browser.evaluate(LONG_TASKS)
    time.sleep(SETTLED_S)
    before, began = browser.cpu(), time.monotonic()
    frame = 0
    while time.monotonic() - began < MOVES_S:
        frame += 1
        browser.move(100 + frame * 7 % 900, 80 + frame * 5 % 600)
        time.sleep(FRAME_S)
    after, lasted_s = browser.cpu(), time.monotonic() - began
    spent = {
        name: (after[metric] - before[metric]) * 1000 / lasted_s
        for name, metric in (
            ("task", "TaskDuration"),
            ("js", "ScriptDuration"),
            ("layout", "LayoutDuration"),
        )
    }
    return {**spent, "long": float(browser.evaluate("longTasks")), "moves": frame / lasted_s}


def script_cost(browser: PlaywrightEngine) -> dict[str, float]:
    """Milliseconds for each second of movement: medians of differences within rounds.

    script_task: all that the page with the script does more than the page without. listener_task:
    the same of the empty listener. script_js: what the script itself runs for, entering it
    included; listener_js: entering an empty one. script_layout: reads of layout that it forces.
    """
    rounds = []
    with _serving() as url:
        for _ in range(ROUNDS):
            rounds.append({form: _moved(browser, f"{url}/{form}/{DEMO_PAGE}") for form in FORMS})

    def more(name: str, form: str, than: str) -> float:
        return round(statistics.median(one[form][name] - one[than][name] for one in rounds), 2)

    return {
        "script_task_ms_per_s": more("task", "with", "without"),
        "listener_task_ms_per_s": more("task", "listener", "without"),
        "script_js_ms_per_s": more("js", "with", "without"),
        "listener_js_ms_per_s": more("js", "listener", "without"),
        "script_beyond_listener_js_ms_per_s": more("js", "with", "listener"),
        "script_layout_ms_per_s": more("layout", "with", "without"),
        "script_long_tasks": max(one["with"]["long"] - one["without"]["long"] for one in rounds),
        "moves_per_s": round(statistics.median(one["with"]["moves"] for one in rounds)),
    }


def main() -> None:
    with open_browser("chromium") as browser:
        assert isinstance(browser, PlaywrightEngine)
        for name, value in script_cost(browser).items():
            print(f"{name:40}{value:8.2f}")


if __name__ == "__main__":
    main()
