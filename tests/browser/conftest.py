"""Engines to run a browser test in, and a page that tells what reached it."""

import os
from collections.abc import Iterator

import pytest

from tests import provide
from tests.browser.drive import ENGINES, Browser, open_browser


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn; left out where the machine lacks it, except in CI."""
    name: str = request.param
    if not provide.has(name):
        message = f"{name} is missing: {provide.remedy(name)}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return name


@pytest.fixture
def browser(engine: str) -> Iterator[Browser]:
    with open_browser(engine) as opened:
        yield opened
