"""Reference values and data that lie beside the repository, not in it: too large, not ours.

Tests that need them are left out where the folder is absent, and say so; where everything must
run (the environment says CI=true), its absence fails them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "GLOED_TEST_SHARED"
BESIDE = Path(__file__).resolve().parents[2] / "shared"


def _find() -> Path | None:
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return BESIDE if BESIDE.is_dir() else None


SHARED: Path | None = _find()
MUST_RUN = os.environ.get("CI") == "true"

needs_shared = pytest.mark.skipif(
    SHARED is None and not MUST_RUN,
    reason=f"no folder of reference values: set {VARIABLE} to it",
)
"""Mark of a test that reads from the shared folder, through `shared_file`."""


def shared_file(*parts: str) -> Path:
    """Give a file of the shared folder, or fail the test that asks for it."""
    if SHARED is None:
        pytest.fail(f"CI=true, and there is no folder of reference values: set {VARIABLE} to it")
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.fail(f"{path} does not exist: {VARIABLE} must name the folder of reference values")
    return path


def shared_line() -> str:
    """One line for the head of a test run."""
    if SHARED is not None:
        return f"reference values: {SHARED}"
    fate = "tests that need them fail" if MUST_RUN else "tests that need them are left out"
    return f"reference values: none ({VARIABLE} is not set), {fate}"
