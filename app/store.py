"""The store's connections and its migrations. One pool for reading, own connections for writing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.config import DEFAULT_DATA_DIR, Settings
from app.postgres import embedded_store, stands
from collector.errands import Errands

T = TypeVar("T")
OLDEST_POSTGRES = 15
POOL_SIZE = 8
MIGRATION_LOCK = 0x676C6F66
STATEMENT_TIMEOUT_MS = 30_000
"""No page and no flush needs longer; what does is stuck."""

BACK_WITHIN_S = 10.0
"""A connection whose question was given up comes back once the store has taken that back too. Of
one that is silent this is never, and the connection is thrown away instead."""

PASSING = ("", "08", "53", "55", "57")
"""Classes of SQLSTATE that waiting may mend: no answer at all, connection, resources, not
accepting now, an operator's doing."""

SESSION = {
    "synchronous_commit": "on",
    "timezone": "UTC",
    "application_name": "gloed",
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
}


READING = {**SESSION, "plan_cache_mode": "force_custom_plan"}
"""What is read is mostly partitioned by day, and a plan leaves out partitions by constants alone.
One that is made once for any days guesses a few rows, and takes ten times as long where there are
many; to plan each time costs a millisecond or two."""


class StoreProblem(Exception):
    """The store cannot be used as it is; the message says what to do."""


class StoreAway(StoreProblem):
    """The store takes no connection now: it starts, stops or is full."""


class OtherRevision(StoreProblem):
    """The store's schema is that of an older or newer version."""


def libpq_url(url: str) -> str:
    """What asyncpg takes, from any spelling of a Postgres URL."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise StoreProblem(
            f"GLOED_DATABASE_URL must begin with postgresql://, got {scheme!r}: "
            "write postgresql://user:password@host/database"
        )
    try:
        make_url(f"postgresql://{rest}")
    except (ValueError, sa.exc.ArgumentError):
        # Without what was given: it may hold a password.
        raise StoreProblem(
            "GLOED_DATABASE_URL cannot be read: write postgresql://user:password@host/database, "
            "with signs such as / @ : in the password percent-encoded"
        ) from None
    return f"postgresql://{rest}"


def require_store(settings: Settings) -> None:
    """Raises StoreProblem where the embedded store was never begun: a command that only looks must
    not make an empty one in whatever folder it is run."""
    home = settings.data_dir or DEFAULT_DATA_DIR
    if settings.embedded and not stands(home):
        raise StoreProblem(
            f"there is no store in {home.resolve()}: go to the folder where it was begun, set "
            "GLOED_DATA_DIR, or begin one with `gloed site add`"
        )


@contextmanager
def open_store(settings: Settings, say: Callable[[str], None]) -> Iterator[str]:
    """URL of the store: the one that was set, or the embedded Postgres, run or joined."""
    if settings.database_url is not None:
        yield libpq_url(settings.database_url)
        return
    with embedded_store(
        settings.data_dir or DEFAULT_DATA_DIR,
        explicit=settings.data_dir is not None,
        say=say,
        binaries=settings.postgres_bin,
    ) as url:
        yield url


async def connect(url: str) -> Any:
    """One connection of one's own, as the writer and the jobs need it."""
    return await asyncpg.connect(url, server_settings=SESSION)


class _Pooled(asyncpg.Connection):  # type: ignore[misc]
    """Gives back a session as it was taken, at the price of a journey, only where it can have been
    changed: a statement of ours alone changes none."""

    __slots__ = ("_lent",)

    def lend(self) -> None:
        self._lent = True

    def get_reset_query(self) -> str:
        if not getattr(self, "_lent", False):
            return ""
        self._lent = False
        query: str = super().get_reset_query()
        return query


class Store:
    """A pool on one URL; made by the composition root, closed by it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool: Any = None
        self._errands: Errands[Any] = Errands()

    async def open(self, *, at_once: bool = True) -> None:
        """Connect; with `at_once` off not before the first question, which the store may miss."""
        self._pool = await asyncpg.create_pool(
            self.url,
            min_size=1 if at_once else 0,
            max_size=POOL_SIZE,
            server_settings=READING,
            connection_class=_Pooled,
        )

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def _at_hand(self) -> AsyncIterator[Any]:
        """A connection whose session stays as it is."""
        connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection, timeout=BACK_WITHIN_S)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with self._at_hand() as connection:
            connection.lend()
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Any]:
        """A connection that sees one state of the store, whatever is written meanwhile."""
        async with (
            self._at_hand() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def within(
        self, seconds: float, name: str, ask: Callable[[], Coroutine[None, None, T]]
    ) -> T:
        """What `ask` finds; whoever asks by the same name meanwhile shares it.

        Raises TimeoutError where the store is silent. A timeout around the question itself would
        last longer, until its connection is given up.
        """
        found: T = await self._errands.run(name, ask, seconds)
        return found

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        async with self._at_hand() as connection:
            rows: list[Any] = await connection.fetch(statement, *values)
        return rows

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        async with self._at_hand() as connection:
            return await connection.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        async with self._at_hand() as connection:
            return await connection.fetchval(statement, *values)

    async def execute(self, statement: str, *values: Any) -> str:
        async with self._at_hand() as connection:
            done: str = await connection.execute(statement, *values)
        return done


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.set_main_option("path_separator", "os")
    return config


def _migrations() -> Path:
    import migrations

    return Path(next(iter(migrations.__path__)))


def head() -> str:
    found = ScriptDirectory.from_config(_alembic()).get_current_head()
    assert found is not None
    return found


async def migrate(url: str) -> tuple[str | None, str]:
    """Bring the store to the newest revision; (before, after). Concurrent callers take turns."""
    async with _engine(url) as connection:
        await _check_version(connection)
        await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        before = await connection.run_sync(_revision)
        await connection.run_sync(_upgrade)
        return before, head()


async def revision(url: str) -> str | None:
    """The store's revision, None for an empty one."""
    async with _engine(url) as connection:
        await _check_version(connection)
        return await connection.run_sync(_revision)


async def at_head(url: str, *, owned: bool) -> None:
    """Migrate a store that is ours; of another's say what to do."""
    if owned:
        await migrate(url)
    elif (found := await revision(url)) != head():
        kind = OtherRevision if found else StoreProblem
        raise kind(
            f"the store is at revision {found or 'none'}, this version needs {head()}: "
            "run `gloed migrate`"
        )


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool
    )
    try:
        connection = await _connected(engine)
        try:
            async with connection.begin():
                yield connection
        except sa.exc.DBAPIError as lost:
            if _state(lost)[:2] in PASSING:
                raise StoreAway(f"the store was lost: {lost.orig}") from lost
            raise
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    try:
        return await engine.connect()
    except sa.exc.DBAPIError as refused:
        kind = StoreAway if _state(refused)[:2] in PASSING else StoreProblem
        raise kind(f"the store refuses the connection: {refused.orig}") from refused


def _state(refused: sa.exc.DBAPIError) -> str:
    return str(getattr(refused.orig, "sqlstate", None) or "")


async def _check_version(connection: AsyncConnection) -> None:
    number = int((await connection.execute(sa.text("SHOW server_version_num"))).scalar_one())
    if number // 10000 < OLDEST_POSTGRES:
        raise StoreProblem(
            f"Gloed needs Postgres {OLDEST_POSTGRES} or newer, this is {number // 10000}: "
            "upgrade it, or unset GLOED_DATABASE_URL to use the embedded one"
        )


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: sa.Connection) -> None:
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
