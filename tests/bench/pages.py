"""What each page costs: CPU of the whole process for one answer, and the questions to the store.

The first look reads and draws; a later one finds what was drawn. Beside what is asked stand the
journeys that ask nothing: begins and ends of transactions, and what the driver wants to know.
`python -m tests.bench.pages` prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from app.clock import SteppedClock
from app.pages.labels import VIEWS
from app.pages.reading.tabs import OWN_PAGE, STYLES
from app.postgres import embedded_store
from app.store import migrate
from tests.conftest import NOON
from tests.counting import Asked, asked_of
from tests.pages.conftest import signed_in, visited_shop
from tests.serving import Running, serving

LATER_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page: statements, further journeys to the store and CPU of its first look, and of a
    later one (the median)."""

    page: str
    first_statements: int
    first_frames: int
    first_ms: float
    later_statements: int
    later_frames: int
    later_ms: float


@contextmanager
def gloed() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="gloed-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with embedded_store(home, explicit=True, say=lambda _line: None) as url:
            asyncio.run(migrate(url))
            with serving(url, SteppedClock(NOON), trusted_proxies=("127.0.0.1",)) as running:
                yield running


def look(running: Running, path: str, headers: Mapping[str, str]) -> tuple[Asked, float]:
    began = time.process_time()
    asked = asked_of(running, path, headers)
    spent_ms = 1000 * (time.process_time() - began)
    assert asked.answer.status_code == 200, (path, asked.answer.status_code)
    return asked, spent_ms


def cost(running: Running, path: str, headers: Mapping[str, str], name: str) -> Cost:
    first, first_ms = look(running, path, headers)
    later = [look(running, path, headers) for _ in range(LATER_LOOKS)]
    return Cost(
        page=name,
        first_statements=len(first.statements),
        first_frames=len(first.frames),
        first_ms=round(first_ms, 1),
        later_statements=max(len(asked.statements) for asked, _ in later),
        later_frames=max(len(asked.frames) for asked, _ in later),
        later_ms=round(statistics.median(ms for _, ms in later), 1),
    )


def addresses(key: str) -> dict[str, str]:
    site = f"/sites/{key}"
    page = f"{site}/pages/shipping"
    maps = {name: f"{page}?kind={name}" for name in VIEWS if name not in (*STYLES, *OWN_PAGE)}
    styles = {name: f"{page}?style={name}&kind=click" for name in STYLES}
    own = {name: f"{page}/{name}" for name in (*OWN_PAGE, "shares", "layouts")}
    few = {"too few": f"{site}/pages/payment", "too narrow": f"{page}?device=desktop"}
    rest = {name: f"{site}/{name}" for name in ("check", "privacy", "snippet", "settings")}
    rooms = {name: f"{site}/settings/{name}" for name in ("pages", "changes", "access")}
    return {"shops": "/", "shop": site} | maps | styles | few | own | rest | rooms


def main() -> None:
    with gloed() as running:
        site = visited_shop(running)
        with signed_in(running) as client:
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = {"cookie": cookie, "accept": "text/html", "accept-language": "en"}
        found = addresses(site.public_key).items()
        costs = [cost(running, path, headers, name) for name, path in found]
    heads = ("asked", "beside", "CPU ms")
    print(f"{'page':<12}" + "".join(f"{head:>8}" for head in (*heads, *heads)))
    for one in costs:
        name, *told = astuple(one)
        print(f"{name:<12}" + "".join(f"{number:>8}" for number in told))
    print(json.dumps({one.page: asdict(one) for one in costs}))


if __name__ == "__main__":
    main()
