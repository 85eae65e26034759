"""Locked dependencies are past the releases that mended what is known to be dangerous to us."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

LOCK = Path(__file__).resolve().parents[1] / "uv.lock"
FLOORS = {
    "starlette": ("0.49.1", "CVE-2025-62727: a Range header that takes the processor"),
    "python-multipart": ("0.0.27", "CVE-2026-42561: part headers without end"),
    "pillow": ("13.0.0", "CVE-2026-112403: heap overflow while a JPEG is decoded"),
    "jinja2": ("3.1.6", "CVE-2025-27516: a way out of the sandbox"),
    "h11": ("0.16.0", "CVE-2025-43859: malformed chunks are taken"),
}
"""Oldest good release of each, and why. Pillow's set of October 2026 is past at 13.0.0."""


def locked() -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for package in tomllib.loads(LOCK.read_text())["package"]:
        if "version" in package:
            found.setdefault(package["name"], []).append(Version(package["version"]))
    return found


@pytest.mark.parametrize(("name", "floor"), [(name, floor) for name, (floor, _) in FLOORS.items()])
def test_no_locked_release_is_older_than_its_floor(name: str, floor: str) -> None:
    assert min(locked()[name]) >= Version(floor), FLOORS[name][1]


def test_every_locked_file_is_known_by_its_hash() -> None:
    """What is installed is what was locked, whoever answers for the registry."""
    packages = tomllib.loads(LOCK.read_text())["package"]
    files = [
        file
        for package in packages
        for file in (*package.get("wheels", ()), *filter(None, [package.get("sdist")]))
    ]
    assert len(files) > 100
    assert all(file.get("hash", "").startswith("sha256:") for file in files)
    sources = {next(iter(package["source"])) for package in packages}
    assert sources <= {"registry", "editable"}, "nothing from a branch or a folder"
