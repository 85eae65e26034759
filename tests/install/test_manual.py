"""docs/install.md names files and settings that exist."""

from __future__ import annotations

import re

import pytest

from app.config import Settings
from tests.install.fronts import DOCUMENTED

MANUAL = DOCUMENTED.with_suffix(".md")
TEXT = MANUAL.read_text()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_a_linked_file_exists(target: str) -> None:
    assert (MANUAL.parent / target).exists()


def test_every_file_that_is_to_be_copied_is_linked() -> None:
    linked = set(re.findall(r"\]\(install/([^)#]+)\)", TEXT))
    of_compose = {"Caddyfile.compose", "first-start.sh"}
    assert linked == {path.name for path in DOCUMENTED.iterdir()} - of_compose


def test_every_section_that_is_linked_exists() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.*)$", TEXT)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings


def test_every_setting_it_names_is_one() -> None:
    _, _, table = TEXT.partition("## Settings")
    rows = re.findall(r"(?m)^\| (`[A-Z_`, ]+`) \|", table.partition("## ")[0])
    named = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    named |= set(re.findall(r"GLOED_([A-Z_0-9]+)", TEXT)) - {"DOMAIN", "IPV6"}
    assert len(rows) > 4
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_backup_it_tells_of_is_without_the_keys_of_days() -> None:
    told = re.findall(r"pg_dump [^`]*", TEXT)
    assert told
    assert [line for line in told if "--no-unlogged-table-data" not in line] == []
