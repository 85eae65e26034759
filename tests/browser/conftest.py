"""Engines to run a browser test in, and a page that tells what reached it."""

from collections.abc import Iterator

import pytest

from tests.absent import need
from tests.browser.drive import ENGINES, NOT_DRIVABLE, Browser, open_browser


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn; left out where the machine lacks it, except in CI."""
    name: str = request.param
    need(name)
    return name


@pytest.fixture(scope="module")
def browser(engine: str) -> Iterator[Browser]:
    """One of each engine for a file's tests; each opens a view of its own in it."""
    with open_browser(engine) as opened:
        yield opened


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What no driver could do is printed with its reason, not passed over."""
    reports = terminalreporter.stats.get("passed", [])
    told = sorted(
        {str(why) for one in reports for what, why in one.user_properties if what == NOT_DRIVABLE}
    )
    for why in told:
        terminalreporter.write_line(f"{NOT_DRIVABLE}: {why}")
