"""What a test needs and the machine lacks: left out at a desk, a failure in CI."""

from __future__ import annotations

from typing import NoReturn

import pytest

from tests import provide
from tests.shared import MUST_RUN


def leave_out(why: str) -> NoReturn:
    """Skip the test; in CI fail it, so that nothing is left out there unnoticed."""
    if MUST_RUN:
        pytest.fail(why)
    pytest.skip(why)


def need(name: str) -> None:
    """Go on where the machine has this browser or server, else leave the test out."""
    if not provide.has(name):
        leave_out(f"{name} is missing: {provide.remedy(name)}")
