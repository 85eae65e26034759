"""Real parts for every test: a Postgres, a migrated database of its own, a running Gloed."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import structlog
from hypothesis import settings

from app.clock import SteppedClock
from app.postgres import embedded_store
from app.store import Store, head, libpq_url, migrate
from collector.tables import metadata
from tests.provide import missing
from tests.serving import Running, serving
from tests.shared import shared_line

# A busy machine is no failure; and CI repeats the very examples that the commit was made with.
settings.register_profile("gloed", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("gloed")

# No test trusts a public authority, and httpx would read the bundle of all for each client: 50 ms.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = os.devnull

# The house logs whenever it likes, and a command's output is what that command printed alone.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""A Wednesday, far from midnight and from the change of summer time."""

TRIES = 5

LONG = ("demo", "faults", "browser", "replay", "install", "pages", "app")
"""Folders whose files take long, the longest first: at a run's end no process is left alone with
one of them."""

TESTS = Path(__file__).parent

TEMPLATE = f"gloed_template_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
"""One for each process of the run: they may share a server."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOON)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A Postgres for the whole run: GLOED_TEST_DATABASE_URL, else the embedded one."""
    given = os.environ.get("GLOED_TEST_DATABASE_URL")
    if given:
        yield libpq_url(given)
        return
    home = Path(tempfile.mkdtemp(prefix="gloed-test-"))
    home.chmod(0o755)
    try:
        with embedded_store(home, explicit=True, say=lambda _line: None) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """A migrated database that every test's own is copied from."""
    asyncio.run(_make_template(server_url))
    yield TEMPLATE
    asyncio.run(_administer(server_url, f"DROP DATABASE {TEMPLATE} WITH (FORCE)"))


async def _make_template(url: str) -> None:
    await _administer(url, f"DROP DATABASE IF EXISTS {TEMPLATE}", f"CREATE DATABASE {TEMPLATE}")
    await migrate(with_database(url, TEMPLATE))


@pytest.fixture(scope="session")
def spare_database(server_url: str, template: str) -> Iterator[str]:
    with own_database(server_url, template) as url:
        yield url


@pytest.fixture
def database_url(spare_database: str) -> str:
    """A migrated database with nothing in it: one for all tests, because making one takes long.

    What changes the schema takes `own_database_url`.
    """
    asyncio.run(_as_new(spare_database))
    return spare_database


@pytest.fixture
def bare_database_url(database_url: str) -> str:
    """Without a partition of any day, too."""
    asyncio.run(_without_partitions(database_url))
    return database_url


@pytest.fixture
def own_database_url(server_url: str, template: str) -> Iterator[str]:
    with own_database(server_url, template) as url:
        yield url


@contextmanager
def own_database(server_url: str, template: str | None) -> Iterator[str]:
    name = f"gloed_{uuid.uuid4().hex[:12]}"
    copied = f" TEMPLATE {template}" if template else ""
    asyncio.run(_administer(server_url, f"CREATE DATABASE {name}{copied}"))
    try:
        yield with_database(server_url, name)
    finally:
        asyncio.run(_administer(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


async def _as_new(url: str) -> None:
    """Without rows, and without whoever stayed connected. Partitions stay: a day's take 100 ms."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        counters = await connection.fetch("SELECT oid::regclass FROM pg_class WHERE relkind = 'S'")
        async with connection.transaction():
            for table in reversed(metadata.sorted_tables):
                await connection.execute(f"DELETE FROM {table.name}")
            for (name,) in counters:
                await connection.execute(f"ALTER SEQUENCE {name} RESTART")
            await connection.execute("UPDATE alembic_version SET version_num = $1", head())
    finally:
        await connection.close()


async def _without_partitions(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        parts = await connection.fetch(
            "SELECT inhrelid::regclass FROM pg_inherits "
            "JOIN pg_class ON oid = inhrelid WHERE relkind = 'r'"
        )
        if parts:
            await connection.execute(f"DROP TABLE {', '.join(name for (name,) in parts)}")
    finally:
        await connection.close()


async def _administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    address, mark, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{mark}{query}"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = Store(database_url)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture(scope="session")
def house(server_url: str, template: str) -> Iterator[Running]:
    """One Gloed on a real port for the whole run; tests take it through `gloed`."""
    with (
        own_database(server_url, template) as url,
        serving(url, SteppedClock(NOON), trusted_proxies=("127.0.0.1",)) as running,
    ):
        yield running


@pytest.fixture
def gloed(house: Running) -> Running:
    return emptied(house)


def emptied(house: Running) -> Running:
    """The running Gloed, empty, at noon; requests may forward the visitor's address."""
    house.clock.set(NOON)
    house.do(_empty(house.store))
    house.context.catalogue.forget()
    return house


async def _empty(store: Store) -> None:
    """Delete every row; the running Gloed's jobs may be at the same ones, and then go first."""
    names = [table.name for table in reversed(metadata.sorted_tables) if table.name != "salt"]
    for _ in range(TRIES):
        with suppress(asyncpg.DeadlockDetectedError):
            async with store.transaction() as connection:
                for name in names:
                    await connection.execute(f"DELETE FROM {name}")
            return
    raise AssertionError(f"the store could not be emptied in {TRIES} tries")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first; within a folder all stays as it was."""
    items.sort(key=lambda item: _place(item.path.relative_to(TESTS).parts[0]))


def _place(folder: str) -> int:
    return LONG.index(folder) if folder in LONG else len(LONG)


def pytest_report_header() -> list[str]:
    """What is left out on this machine is said once, at the head of the run."""
    lacking = missing()
    left_out = [f"not on this machine, tests left out: {', '.join(lacking)}"] if lacking else []
    return [shared_line(), *left_out]
