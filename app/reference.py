"""Pages that are generated from the code: `python -m app.reference docs` writes them anew.

`stored.md` is the closed list of what is kept, from the tables and their comments; `settings.md`
every setting, from `app.config.Settings`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import sqlalchemy as sa
from pydantic.fields import FieldInfo
from sqlalchemy.engine import make_url

from app.config import PREFIX, Settings
from collector.tables import LOCAL, PARTITIONED, RAW, metadata

STORED_HEAD = """\
# What is stored

The closed list: every table and column of the store, and nothing is kept beside it. No address, no
user agent, no cookie and no text that a visitor typed is among them; a visitor is a keyed hash that
recognises nobody once its day's salt is gone. Generated from `collector/tables/` by `make docs`;
a test fails for a column that is not listed here. Beside them `alembic_version` holds the number of
the schema.
"""
SETTINGS_HEAD = """\
# Settings

All are environment variables, read once at the start; one that is misspelt stops the start and
names the nearest. `gloed serve --host --port --workers` overrides three of them. Generated from
`app/config.py` by `make docs`.
"""
TYPES: Mapping[Any, str] = {str: "text", int: "number", Path: "path"}
BAR = r"\|"
"""A bar within a cell."""

POSTGRES = make_url("postgresql+asyncpg://").get_dialect()()


def stored() -> str:
    """The text of `stored.md`."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    return "\n".join([STORED_HEAD, *map(_table, tables)])


def settings() -> str:
    """The text of `settings.md`."""
    rows = [
        (f"`{PREFIX}{name.upper()}`", _kind(field), _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return f"{SETTINGS_HEAD}\n{_rows(('variable', 'takes', 'unset', 'means'), rows)}"


PAGES: Mapping[str, Callable[[], str]] = {"stored.md": stored, "settings.md": settings}


def write(directory: Path) -> list[Path]:
    """Write every page into `directory`; the paths."""
    written = []
    for name, text in PAGES.items():
        path = directory / name
        path.write_text(text())
        written.append(path)
    return written


def _table(table: sa.Table) -> str:
    rows = [
        (f"`{column.name}`", _type(column), _part(table, column), column.comment or "")
        for column in table.columns
    ]
    return f"## {table.name}\n\n{_about(table)}\n\n{_rows(('column', 'type', '', 'holds'), rows)}"


def _about(table: sa.Table) -> str:
    if table.name in RAW:
        return "Written by the collector; a partition for each day, dropped when its time is over."
    if table.name in PARTITIONED:
        return "Recomputed from the raw rows; a partition for each day, dropped likewise."
    if "UNLOGGED" in table._prefixes:
        return "In no backup and in no replica: what it holds cannot be restored."
    if table.name in LOCAL and table.name != "erasure":
        return "Belongs to this installation, and grows with nothing."
    if table.name in ("dropped", "erasure"):
        return "Counted or noted as it happens, and let go by age (`app/retention.py`)."
    return "Kept until it is deleted."


def _type(column: sa.Column[Any]) -> str:
    return column.type.compile(POSTGRES).replace(' COLLATE "C"', "").lower()


def _part(table: sa.Table, column: sa.Column[Any]) -> str:
    if column.name in table.primary_key.columns:
        return "key"
    return "may be null" if column.nullable else ""


def _kind(field: FieldInfo) -> str:
    kind, parts = field.annotation, get_args(field.annotation)
    if get_origin(kind) is Literal:
        return ", ".join(map(str, parts))
    if get_origin(kind) is tuple:
        return "list, comma separated"
    # Of what may be left out the first part is what it takes.
    plain = TYPES[parts[0] if parts else kind]
    limits = {
        name: getattr(part, name)
        for part in field.metadata
        for name in ("ge", "le")
        if hasattr(part, name)
    }
    return f"{plain}, {limits['ge']} to {limits['le']}" if limits else plain


def _default(field: FieldInfo) -> str:
    return f"`{field.default}`" if field.default not in (None, ()) else "–"


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    return "".join(map(_row, (names, ["---"] * len(names), *rows)))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |\n"


if __name__ == "__main__":
    for path in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        sys.stdout.write(f"{path}\n")
