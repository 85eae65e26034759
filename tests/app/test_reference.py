"""The generated pages say what the code says, and the code says what the store is."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from app.config import PREFIX, Settings
from app.reference import PAGES, settings, stored, write
from app.store import Store
from collector.tables import metadata

DOCS = Path(__file__).resolve().parents[2] / "docs"
VERSION_TABLE = "alembic_version"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make docs` and read what it changed"


def test_the_pages_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    paths = write(tmp_path)
    assert {path.name: path.read_text() for path in paths} == {
        name: text() for name, text in PAGES.items()
    }


def test_every_setting_is_described() -> None:
    text = settings()
    for name, field in Settings.model_fields.items():
        assert f"`{PREFIX}{name.upper()}`" in text
        assert field.description, name


def test_every_column_says_what_it_holds() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def listed() -> set[tuple[str, str]]:
    """The tables and columns of stored.md, as a reader finds them there."""
    found = set()
    for section in stored().split("\n## ")[1:]:
        table, _, text = section.partition("\n")
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        found |= {(table, row.split("`")[1]) for row in rows}
    return found


@pytest.mark.anyio
async def test_the_store_has_no_column_that_is_not_listed(
    bare_database_url: str, store: Store
) -> None:
    rows = await store.fetch(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name <> $1",
        VERSION_TABLE,
    )
    assert {tuple(row) for row in rows} == listed()


@pytest.mark.anyio
async def test_the_migrations_lead_to_the_tables_of_the_code(bare_database_url: str) -> None:
    url = make_url(bare_database_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
    await engine.dispose()
    assert differences == []


def _differences(connection: sa.Connection) -> list[object]:
    compared = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=compared), metadata))


def test_the_revisions_have_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(next(iter(migrations.__path__)))))
    config.set_main_option("path_separator", "os")
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
