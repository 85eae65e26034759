"""The one catalogue of errors: complete, documented, and silent about what is ours."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

import app
import collector
import heatmap
import snippets
from app.access.keys import KeyProblem
from app.config import SettingsError
from app.demo.serving import DemoProblem
from app.drawing.redraw import Refused
from app.mapping.live import NotKnown
from app.pages import problem_page
from app.postgres import PostgresError
from app.problems import BY_STATUS, CATALOGUE, INTERNAL, install_problems, row_of
from app.replay import ReplayError
from app.retention import PartitionBusy
from app.store import StoreProblem
from collector.connections import AWAY

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "problems.md"
UNSERVED = (
    DemoProblem,
    KeyProblem,
    NotKnown,
    PartitionBusy,
    PostgresError,
    Refused,
    ReplayError,
    SettingsError,
    StoreProblem,
)
"""What is raised before anything is served, by a job, in a process that serves nobody, or caught
by whoever asked."""


def own_errors() -> Iterator[type[Exception]]:
    for package in (app, collector, heatmap, snippets):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if isinstance(value, type) and issubclass(value, Exception):
                    if value.__module__ == module.__name__:
                        yield value


def test_every_error_of_ours_has_a_row_or_never_reaches_a_request() -> None:
    errors = set(own_errors())
    assert len(errors) > 25
    lacking = {error for error in errors if not issubclass(error, (*CATALOGUE, *UNSERVED))}
    assert not lacking


def test_every_type_has_a_heading_that_tells_its_status_and_none_is_left_over() -> None:
    sections = DOCUMENT.read_text().split("\n## ")[1:]
    told = {part.partition("\n")[0]: part.partition("\n")[2] for part in sections}
    rows = {(slug, status) for slug, _, status in (*CATALOGUE.values(), INTERNAL)}
    rows |= {(slug, status) for status, slug in BY_STATUS.items()}
    assert set(told) == {slug for slug, _ in rows}
    assert list(told) == sorted(told)
    for slug, status in rows:
        assert told[slug].startswith(f"{status}"), (slug, status)


def test_a_subclass_is_told_by_the_nearest_row() -> None:
    class Special(ValueError, SettingsError):
        pass

    for kind, row in CATALOGUE.items():
        derived = type("Derived", (kind,), {"__init__": lambda self: None})
        assert row_of(derived()) == row
    with pytest.raises(StopIteration):
        row_of(Special())


RAISED: list[tuple[Exception, int, str]] = [
    (RuntimeError("password=hunter2"), 500, "internal"),
    (ValueError("/etc/passwd"), 500, "internal"),
    (ConnectionRefusedError(111, "10.0.0.7:5432 hunter2"), 503, "store"),
    (TimeoutError(), 503, "store"),
    (asyncpg.InterfaceError("pool is closing hunter2"), 503, "store"),
    (asyncpg.QueryCanceledError("hunter2"), 503, "store"),
    (asyncpg.CannotConnectNowError("hunter2"), 503, "store"),
    (asyncpg.ConnectionDoesNotExistError("hunter2"), 503, "store"),
    (asyncpg.TooManyConnectionsError("hunter2"), 503, "store"),
    (asyncpg.UndefinedTableError("hunter2"), 500, "internal"),
]


@pytest.fixture
async def raising() -> AsyncIterator[httpx.AsyncClient]:
    """An application that answers each path with one of the errors above."""
    made = FastAPI()
    install_problems(made, problem_page)

    @made.get("/{number}")
    async def fail(number: int) -> None:
        raise RAISED[number][0]

    transport = httpx.ASGITransport(made, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gloed") as client:
        yield client


async def test_what_is_ours_stays_with_us(raising: httpx.AsyncClient) -> None:
    for number, (problem, status, slug) in enumerate(RAISED):
        answer = await raising.get(f"/{number}")
        body: dict[str, Any] = answer.json()
        assert (answer.status_code, body["type"]) == (status, f"urn:gloed:problem:{slug}"), problem
        assert answer.headers["content-type"] == "application/problem+json"
        assert "hunter2" not in answer.text
        assert "Error" not in answer.text
        assert ("retry-after" in answer.headers) == (status == 503)


def test_whatever_the_collector_takes_for_an_absent_store_is_no_fault_of_the_pages() -> None:
    from app.problems import AWAY as ABSENT

    assert set(AWAY) >= {OSError, asyncpg.InterfaceError}
    assert {OSError, asyncpg.InterfaceError} <= set(ABSENT)
