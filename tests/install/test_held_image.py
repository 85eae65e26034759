"""The leave through each web server that the manual offers: at once where it says who hung up."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.clock import SteppedClock
from collector import holding
from collector.sites import Site
from collector.wire import LEAVE
from tests.build import DESKTOP, make_shop
from tests.conftest import own_database
from tests.install.fronts import FRONTS, needs
from tests.install.test_proxies import before
from tests.serving import Running, serving

HELD_S = 1.2
OUT_OF_TIME = 28
"""What curl ends with when its time is over and an answer is not."""

OPENED_AGO_S = 1.0
PATIENCE_S = 10.0
AT_ONCE = timedelta(seconds=1)


@pytest.fixture(scope="module")
def gloed(server_url: str, template: str) -> Iterator[Running]:
    clock = SteppedClock(datetime.now(UTC))
    clock.release()
    with (
        own_database(server_url, template) as url,
        serving(url, clock, trusted_proxies=("127.0.0.1",)) as running,
    ):
        yield running


NOTICES = [name for name in FRONTS if name != "apache2"]
"""Apache looks for its client only when it has something to write."""


def visited(name: str, gloed: Running) -> tuple[Site, datetime]:
    """A page was opened and left; the shop, and when that was."""
    needs("curl")
    site = gloed.do(make_shop(gloed.store, gloed.clock(), name))
    gloed.context.catalogue.forget()
    agent = ("--http2", "--user-agent", DESKTOP)
    with before(name, gloed) as front:
        front.curl(f"/g/{site.public_key}/shipping", *agent)
        time.sleep(OPENED_AGO_S)
        held = f"/g/hold/{site.public_key}/shipping"
        with pytest.raises(subprocess.CalledProcessError) as hung_up:
            front.curl(held, *agent, "--max-time", str(HELD_S), "--output", "/dev/null")
        gone_at = datetime.now(UTC)
        assert hung_up.value.returncode == OUT_OF_TIME
        deadline = time.monotonic() + PATIENCE_S
        while gloed.context.collector.holding.held:
            assert time.monotonic() < deadline, f"{name} did not pass on that its browser left"
            time.sleep(0.02)
    return site, gone_at


def left_at(gloed: Running, site: Site) -> list[datetime]:
    asked = "SELECT at FROM beacon WHERE site_id = $1 AND name = $2"
    return [row["at"] for row in gloed.do(gloed.store.fetch(asked, site.site_id, LEAVE))]


@pytest.mark.parametrize("name", NOTICES)
def test_a_browser_that_hangs_up_has_left_at_that_moment(name: str, gloed: Running) -> None:
    site, gone_at = visited(name, gloed)
    deadline = time.monotonic() + PATIENCE_S
    while not left_at(gloed, site):
        assert time.monotonic() < deadline, "the leave was not kept"
        time.sleep(0.02)
    (at,) = left_at(gloed, site)
    assert abs(at - gone_at) < AT_ONCE


def test_a_web_server_that_notices_late_makes_no_wrong_leave(
    gloed: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "TRICKLE_S", HELD_S / 3)
    site, _ = visited("apache2", gloed)
    assert left_at(gloed, site) == []
