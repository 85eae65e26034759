"""Ledger against store: is what was acknowledged there, once, and to the point what was sent?"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.replay.account import Account, Fate, Key, read_account
from app.replay.content import EVENT_FIELDS, Content
from app.replay.errors import ReplayError
from app.store import connect
from collector.decode import view_id_text
from collector.errors import PackingError, UnknownPacking
from collector.packing import unpack_events, unpack_trails

ROWS_AT_ONCE = 500
"""Rows fetched together: a few MB, however long the replay was."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of batches, by (view, seq)."""

    acked: int
    stored: int
    """Batches of the ledger's views that the store holds."""
    lost: int
    """Acknowledged, but not stored."""
    twice: int
    """Rows beyond a batch's first."""
    refused_but_stored: int
    """Refused or dropped at every try, but stored."""
    differing: int
    """Stored otherwise than sent: a point, an event, a size, the page or the opening."""
    unanswered: int
    """Sent and never answered: may be stored or not."""
    never_sent: int
    """Stored for a view of the ledger, which knows nothing of it."""

    @property
    def exact(self) -> bool:
        wrong = (self.lost, self.twice, self.refused_but_stored, self.differing, self.never_sent)
        return not any(wrong)


async def verify(store: str | Any, site_key: str, ledger_path: Path) -> Verdict:
    """Compare a replay's ledger with what `store`, a URL or an asyncpg connection, holds of it.

    Raises ReplayError where the file is no ledger of this site, or the store knows no such site.
    """
    account = read_account(ledger_path)
    if account.header.site != site_key:
        raise ReplayError(
            f"the ledger {ledger_path} is of site {account.header.site}, not of {site_key}"
        )
    async with _connected(store) as connection:
        return await _compared(connection, account)


async def _compared(connection: Any, account: Account) -> Verdict:
    rows: Counter[Key] = Counter()
    differing: set[Key] = set()
    async for row in _rows(connection, account):
        key = (view_id_text(row["view_id"]), row["seq"])
        rows[key] += 1
        entry = account.entries.get(key)
        if entry is not None and entry.sent.digest != _digest(row):
            differing.add(key)
    fates = Counter(entry.fate for entry in account.entries.values())
    absent = Counter(entry.fate for key, entry in account.entries.items() if key not in rows)
    turned_away = (Fate.REFUSED, Fate.DROPPED)
    return Verdict(
        acked=fates[Fate.ACKED],
        stored=len(rows),
        lost=absent[Fate.ACKED],
        twice=rows.total() - len(rows),
        refused_but_stored=sum(fates[fate] - absent[fate] for fate in turned_away),
        differing=len(differing),
        unanswered=fates[Fate.UNANSWERED],
        never_sent=len(rows.keys() - account.entries.keys()),
    )


async def _rows(connection: Any, account: Account) -> AsyncIterator[Mapping[str, Any]]:
    """Every row of the ledger's views, on whatever day, streamed."""
    site_id = await connection.fetchval(
        "SELECT site_id FROM site WHERE public_key = $1", account.header.site
    )
    if site_id is None:
        raise ReplayError(f"the store knows no site {account.header.site}: is it the right store?")
    views = [_signed(text) for text in {view for view, _ in account.entries}]
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(_STORED, site_id, views, prefetch=ROWS_AT_ONCE):
            yield row


_STORED = """
    SELECT view_id, seq, opened_min, viewport_width_px, viewport_height_px,
           page_width_px, page_height_px, enc, trail, ev, slug
    FROM batch LEFT JOIN page USING (site_id, page_id)
    WHERE site_id = $1 AND view_id = ANY($2::bigint[])
"""


def _digest(row: Mapping[str, Any]) -> str | None:
    """None for a row that is damaged: it is none that was sent."""
    try:
        return _content(row).digest()
    except UnknownPacking as problem:
        raise ReplayError(str(problem)) from problem
    except PackingError:
        return None


def _content(row: Mapping[str, Any]) -> Content:
    points = unpack_trails([row["trail"]], [row["enc"]]).records
    events = unpack_events([row["ev"]], [row["enc"]]).records
    return Content(
        row["slug"],
        row["opened_min"],
        (row["viewport_width_px"], row["viewport_height_px"]),
        (row["page_width_px"], row["page_height_px"]),
        points.tolist(),
        events[list(EVENT_FIELDS)].tolist(),
    )


def _signed(view_id: str) -> int:
    return int.from_bytes(bytes.fromhex(view_id), "big", signed=True)


@asynccontextmanager
async def _connected(store: str | Any) -> AsyncIterator[Any]:
    if not isinstance(store, str):
        yield store
        return
    connection = await connect(store)
    try:
        yield connection
    finally:
        await connection.close()
