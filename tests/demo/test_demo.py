"""The demo as a whole: filled through real requests, true in its map, kept, and gone when ended."""

from __future__ import annotations

import asyncio
import io
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest
from PIL import Image

from app.access.keys import add_key
from app.clock import system_clock
from app.config import Settings
from app.demo.checkout import CHECKOUT, SHIPPING_PAGE, STALL_ZONE, checkout_page
from app.demo.client import Client
from app.demo.people import Ending, people_of
from app.demo.pictures import captured
from app.demo.run import Doors, Ready, running_demo
from app.demo.seeding import SEED, ZONE, events_on
from app.demo.serving import DemoProblem, open_door, port_of
from app.shops import add_site
from app.store import Store
from collector.codes import Outcome
from tests.browser.drive import open_browser
from tests.conftest import own_database
from tests.serving import SECRET

DAYS = 2
STALL = checkout_page(SHIPPING_PAGE).zone(STALL_ZONE).number
CORNER = (5, 5)
"""In the shop's dark green bar, where hardly anybody rests."""

FAINT = 40.0
"""Difference of two RGB colours that an eye passes over."""

SLUGS = {page.slug for page in CHECKOUT}
RUN = "from app.cli import main; main()"
ENDS_AS = {
    Ending.BASKET: Outcome.BROWSED,
    Ending.DETAILS: Outcome.ABANDONED,
    Ending.SHIPPING: Outcome.ABANDONED,
    Ending.PAYMENT: Outcome.ABANDONED,
    Ending.HANDED_OVER: Outcome.HANDED_OVER,
    Ending.COMPLETED: Outcome.COMPLETED,
}
ENDS_WITHIN_S = 60.0
STALL_SELECTOR = "#verzendkosten"


@dataclass(frozen=True, slots=True)
class Shown:
    ready: Ready
    url: str
    base: str
    told: list[str]

    async def fetch(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.url)
        try:
            rows: list[Any] = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()


@asynccontextmanager
async def _demo(
    url: str, days: int = DAYS, say: Callable[[int, int, str], None] | None = None
) -> AsyncIterator[Shown]:
    told: list[str] = []
    listen = say or (lambda _done, _days, line: told.append(line))
    with open_door("127.0.0.1", 0) as gloed, open_door("127.0.0.1", 0) as provider:
        port = port_of(gloed)
        settings = Settings(database_url=url, secret=SECRET, port=port)
        async with running_demo(settings, Doors(gloed, provider), listen, days=days) as ready:
            yield Shown(ready, url, f"http://127.0.0.1:{port}", told)


@pytest.fixture(scope="module")
def filled_url(server_url: str, template: str) -> Iterator[str]:
    """A store that a demo has filled once, for every test that only looks."""

    async def fill(url: str) -> None:
        async with _demo(url) as shown:
            assert len(shown.told) == DAYS + 1

    with own_database(server_url, template) as url:
        asyncio.run(fill(url))
        yield url


@pytest.fixture(scope="module")
async def shown(filled_url: str) -> AsyncIterator[Shown]:
    """That demo, started a second time."""
    async with _demo(filled_url) as again:
        yield again


def _whole_days() -> list[date]:
    """Those that were filled whole: what there is of today depends on the hour of the test."""
    today = system_clock().astimezone(ZONE).date()
    return [today - timedelta(days=DAYS - n) for n in range(DAYS)]


async def _map(shown: Shown, name: str = "heatmap", **asked: str) -> dict[str, Any]:
    connected = Store(shown.url)
    await connected.open()
    try:
        key = await add_key(connected, 1, "read", "test", system_clock())
    finally:
        await connected.close()
    path = f"/api/v1/sites/{shown.ready.site_key}/pages/{SHIPPING_PAGE}/{name}.json"
    async with httpx.AsyncClient(base_url=shown.base, timeout=60) as client:
        answer = await client.get(path, params=asked, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(("device", "layout"), [("phone", 0), ("desktop", 1)])
async def test_the_shipping_costs_are_the_hottest_spot_of_their_page(
    shown: Shown, device: str, layout: int
) -> None:
    heat = await _map(shown, kind="stall", device=device)
    page = captured()[SHIPPING_PAGE][layout]
    box = next(box for box in page.boxes if box.number == STALL)
    assert (heat["width_px"], heat["height_px"]) == (page.width_px, page.height_px)
    assert box.x0_px <= heat["peak"]["x_px"] <= box.x1_px
    assert box.y0_px <= heat["peak"]["y_px"] <= box.y1_px
    assert heat["zones"][0]["name"] == STALL_ZONE
    assert heat["coverage"] > 0.95


async def test_those_who_abandon_stall_there_and_those_who_complete_do_not(shown: Shown) -> None:
    seconds = {}
    for outcome in ("abandoned", "completed"):
        zones = (await _map(shown, kind="stall", outcome=outcome))["zones"]
        seconds[outcome] = sum(zone["total"] for zone in zones if zone["name"] == STALL_ZONE)
    assert seconds["abandoned"] > 8
    assert seconds["completed"] < 1


async def test_the_planted_stall_is_the_first_zone_of_the_contrast(shown: Shown) -> None:
    """Two days are too few for a verdict, and enough for a rank; a week of the demo has both."""
    told = await _map(shown, "zones")
    first = told["zones"][0]
    assert (told["stage"], told["contrast"], first["name"]) == ("ranked", True, STALL_ZONE)
    assert first["a"]["seconds"]["low"] > 2 * first["b"]["seconds"]["high"]
    assert first["ratio"]["low"] > 2
    assert told["verdict"]["until"] is None
    fields = (await _map(shown, "fields"))["fields"]
    assert [field["name"] for field in fields] == ["Bezorgwijze"]


async def test_every_visit_ends_as_it_was_planned(shown: Shown) -> None:
    """A phone that comes back from its bank by another network is still one visit."""
    first = _whole_days()[0]  # of the second, references may still complete
    planned = Counter(ENDS_AS[p.ending] for p in people_of(first, ZONE, Random(SEED)))
    rows = await shown.fetch(f"SELECT outcome FROM visit WHERE day = '{first}'")
    assert Counter(Outcome(row["outcome"]) for row in rows) == planned


async def test_everything_the_visitors_did_is_in_the_store_and_nothing_was_dropped(
    shown: Shown,
) -> None:
    for number, day in enumerate(_whole_days()):
        _, events = events_on(day, Random(SEED + number), system_clock())
        opened = sum(e.name is None and e.page in SLUGS for e in events)
        rows = await shown.fetch(f"SELECT name FROM beacon WHERE day = '{day}'")
        told = Counter(row["name"] == "open" for row in rows)
        assert told == {True: opened, False: sum(e.name is not None for e in events)}
    assert not await shown.fetch("SELECT * FROM dropped")


async def test_visits_bear_the_hours_of_their_days(shown: Shown) -> None:
    rows = await shown.fetch("SELECT day, started_at, ended_at FROM visit")
    assert len(rows) >= DAYS * len(people_of(_whole_days()[0], ZONE, Random(SEED)))
    assert all(row["started_at"].astimezone(ZONE).date() == row["day"] for row in rows)
    assert all(row["ended_at"] <= system_clock() for row in rows)


async def test_a_second_start_keeps_what_there_is_and_fills_nothing(shown: Shown) -> None:
    before = await shown.fetch("SELECT view_id FROM beacon WHERE name = 'open' ORDER BY 1")
    assert shown.told == []
    assert len(before) == len({row["view_id"] for row in before}) > 0
    assert len(await shown.fetch("SELECT * FROM site")) == 1


async def test_the_overlay_needs_no_header_and_lies_on_the_pages_picture(shown: Shown) -> None:
    page = captured()[SHIPPING_PAGE][0]
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(shown.ready.overlay_url)
    assert answer.headers["content-type"] == "image/png"
    alone, laid, under = map(_pixels, (answer.content, shown.ready.overlay_png, page.png))
    assert alone.size == laid.size == under.size
    stall = next(box for box in page.boxes if box.number == STALL)
    middle = int(stall.x0_px + stall.x1_px) // 2, int(stall.y0_px + stall.y1_px) // 2
    assert _distance(laid, under, CORNER) < FAINT < _distance(laid, under, middle)
    assert _distance(alone, under, CORNER) > FAINT


def _pixels(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGBA").convert("RGB")


def _distance(one: Image.Image, other: Image.Image, place: tuple[int, int]) -> float:
    colours = (image.getpixel(place) for image in (one, other))
    return math.dist(*colours)  # type: ignore[arg-type]


async def test_who_walks_the_shop_sees_a_view_of_their_own(shown: Shown) -> None:
    """The clock is the real one again, and the snippet's link opens a view of today."""
    counted = "SELECT count(*) FROM beacon WHERE name = 'open'"
    before = (await shown.fetch(counted))[0][0]
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:154.0) Gecko/20100101 Firefox/154.0"
    async with httpx.AsyncClient(
        base_url=shown.base, follow_redirects=True, headers={"User-Agent": agent}
    ) as client:
        basket = await client.post("/shop/winkelwagen", data={"product": "sidamo"})
        link = basket.text.partition('href="/g/')[2].partition('"')[0]
        sheet = await client.get(f"/g/{link}")
    assert "url(1.h)" in sheet.text
    assert (await shown.fetch(counted))[0][0] == before + 1
    newest = (await shown.fetch("SELECT max(at) FROM beacon"))[0][0]
    assert abs(system_clock() - newest) < timedelta(minutes=5)


async def test_a_demo_that_was_stopped_while_it_filled_begins_anew(database_url: str) -> None:
    class Stopped(Exception):
        pass

    def stop(_done: int, _days: int, _line: str) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        async with _demo(database_url, days=1, say=stop):
            pass
    async with _demo(database_url, days=1) as shown:
        day = _whole_days()[-1]
        rows = await shown.fetch(f"SELECT visit_id FROM visit WHERE day = '{day}'")
        assert len(shown.told) == 2
        assert len(rows) == len(people_of(day, ZONE, Random(SEED)))
        assert len(await shown.fetch("SELECT * FROM site")) == 1


async def test_a_store_with_other_shops_is_not_taken_through_past_days(database_url: str) -> None:
    store = Store(database_url)
    await store.open()
    await add_site(store, "Fietsenwinkel", system_clock())
    await store.close()
    with pytest.raises(DemoProblem, match="GLOED_DATA_DIR"):
        async with _demo(database_url):
            pass


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    with open_door("127.0.0.1", 0) as taken, open_door("127.0.0.1", port_of(taken)) as other:
        assert port_of(other) > port_of(taken)


async def test_a_walker_that_gets_no_answer_says_so() -> None:
    with open_door("127.0.0.1", 0) as mute:

        async def hang_up() -> None:
            line, _ = await asyncio.get_running_loop().sock_accept(mute)
            line.close()

        client = Client("127.0.0.1", port_of(mute))
        with pytest.raises(DemoProblem, match="did not answer /g"):
            await asyncio.gather(client.ask("/g", {}), hang_up())
        await client.aclose()


class Command:
    """`gloed demo` in a process of its own, on a data directory of its own."""

    def __init__(self, home: Path, *more: str) -> None:
        self._home = home
        environment = {n: v for n, v in os.environ.items() if not n.startswith("GLOED_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, "demo", "--port", "0", "--days", "1", *more],
            cwd=home,
            env={**environment, "GLOED_DATA_DIR": str(home / "data")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def wait_for(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        pytest.fail(f"{words!r} was never said: {''.join(self.lines)}")

    def postgres(self) -> int:
        return int((self._home / "data/pg/postmaster.pid").read_text().split()[0])

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.__exit__(None, None, None)

    def end(self, signum: signal.Signals) -> int:
        if signum == signal.SIGINT:
            os.killpg(self.process.pid, signum)  # Ctrl-C is told to all that a terminal runs
        else:
            self.process.send_signal(signum)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        return self.process.wait(ENDS_WITHIN_S)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Where also the account that root lends to Postgres can go; filled by the first command."""
    made = Path(tempfile.mkdtemp(prefix="gloed-demo-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def filled(home: Path) -> list[str]:
    """What the first `gloed demo --once` says."""
    with Command(home, "--once") as demo:
        demo.wait_for("Laid over the page:")
        assert demo.process.wait(ENDS_WITHIN_S) == 0
        return demo.lines


def _is_gone(pid: int) -> bool:
    until = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_the_first_start_fills_the_shop_and_the_next_ones_keep_it(
    home: Path, filled: list[str]
) -> None:
    assert any("visitors" in line for line in filled)
    with Command(home, "--once") as again:
        again.wait_for("Laid over the page:")
        assert again.process.wait(ENDS_WITHIN_S) == 0
        assert not any("visitors" in line for line in again.lines)


@pytest.mark.parametrize(
    ("signum", "status"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_the_command_writes_its_overlay_and_leaves_no_process_behind(
    home: Path, filled: list[str], signum: signal.Signals, status: int
) -> None:
    overlay = home / "demo.overlay.png"
    overlay.unlink()
    with Command(home) as demo:
        shop = demo.wait_for("The shop:").split()[-1]
        demo.wait_for("Laid over the page:")
        assert overlay.read_bytes().startswith(b"\x89PNG")
        assert httpx.get(shop).status_code == 200
        postgres = demo.postgres()
        assert demo.end(signum) == status
        assert _is_gone(postgres)
        assert not any("Traceback" in line for line in demo.lines), demo.lines
        with pytest.raises(httpx.ConnectError):
            httpx.get(shop)


def _press_in_a_browser(address: str, told: threading.Event) -> None:
    """Walk in by a real browser, press the shipping costs, and stay until that has arrived."""
    with open_browser("chromium") as browser:
        browser.goto(address)
        x0, y0, x1, y1 = browser.box(STALL_SELECTOR)
        browser.click((x0 + x1) / 2, (y0 + y1) / 2)
        assert told.wait(ENDS_WITHIN_S), "the press did not arrive"


async def _arrives(shown: Shown, statement: str, more_than: int) -> None:
    deadline = time.monotonic() + ENDS_WITHIN_S
    while (await shown.fetch(statement))[0][0] <= more_than and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


async def test_ones_own_press_is_in_the_next_rendering(shown: Shown) -> None:
    def pressed(told: dict[str, Any]) -> float:
        return sum(float(zone["total"]) for zone in told["zones"] if zone["name"] == STALL_ZONE)

    asked = {"kind": "click", "device": "desktop"}
    before = await _map(shown, **asked)
    presses = "SELECT count(*) FROM beacon WHERE name LIKE '%.p1'"
    arrived = (await shown.fetch(presses))[0][0]
    address = f"{shown.base}/shop/verzending?bestelling=abcd-1234&mand=sidamo.2-filterkan.1"
    told = threading.Event()
    walk = asyncio.create_task(asyncio.to_thread(_press_in_a_browser, address, told))
    await _arrives(shown, presses, arrived)
    told.set()
    await walk
    after = await _map(shown, **asked)
    assert after["page_views"] == before["page_views"] + 1
    assert pressed(after) == pressed(before) + 1
