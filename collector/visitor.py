"""The anonymous visitor: a keyed hash under the day's salt, recognisable to nobody afterwards.

Source: the daily salt of Plausible Analytics' session identification, with the site inside the
hash (no linking across shops) and a salt that is deleted within 48 h of its day's
beginning.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from collector.connections import Connections
from collector.errors import NotStored

SALT_BYTES = 32
_KEEP_SALT = "INSERT INTO salt (day, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_READ_SALT = "SELECT secret FROM salt WHERE day = $1"
SALT_LIVES = timedelta(hours=37)
"""Counted from midnight UTC of its day: until every zone of the earth is half an hour into the
next day (UTC-12 at 12:30), and under 48 h after the day began wherever it began by UTC+11."""

OVERLAP = timedelta(minutes=30)
"""In a day's first half hour a visit may have begun the day before."""


def visitor_of(salt: bytes, site_id: int, address: str, agent: str) -> int:
    """64-bit signed number of who sent this today."""
    told = b"\0".join((str(site_id).encode(), address.encode(), agent.encode("utf-8", "replace")))
    return int.from_bytes(hmac.digest(salt, told, hashlib.sha256)[:8], "big", signed=True)


def visitor_check(visitor: int) -> int:
    """16 signed bits: enough to see a copied token, too few to follow anybody."""
    return (visitor & 0xFFFF) - 0x8000


def ref_hash(secret: bytes, site_id: int, ref: str) -> bytes:
    """The shop's own reference, kept only as HMAC under a key of the site."""
    key = hmac.digest(secret, b"ref\0" + str(site_id).encode(), hashlib.sha256)
    return hmac.digest(key, ref.encode(), hashlib.sha256)[:16]


class Salts:
    """The salts a collector holds: fetched or made once a day, forgotten with their time."""

    def __init__(self, store: Connections) -> None:
        self._store = store
        self._held: dict[date, bytes] = {}

    def held(self, day: date) -> bytes | None:
        return self._held.get(day)

    async def salt(self, day: date) -> bytes:
        if day not in self._held:
            self._held[day] = await self._fetch(day)
        return self._held[day]

    async def _fetch(self, day: date) -> bytes:
        fresh = secrets.token_bytes(SALT_BYTES)
        try:
            async with self._store.connection() as connection:
                # Two collectors may race: the first to commit names the day's salt for all.
                await connection.execute(_KEEP_SALT, day, fresh)
                kept: bytes = await connection.fetchval(_READ_SALT, day)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
            raise NotStored("the day's salt cannot be read now") from away
        return kept

    def forget_before(self, moment: datetime) -> None:
        for day in [day for day in self._held if not salt_is_alive(day, moment)]:
            del self._held[day]

    async def write_back(self, connection: Any, moment: datetime) -> None:
        """After a crash the unlogged table is empty: what a collector still holds is put back."""
        self.forget_before(moment)
        for day, secret in self._held.items():
            await connection.execute(_KEEP_SALT, day, secret)


def salt_is_alive(day: date, moment: datetime) -> bool:
    return moment < datetime(day.year, day.month, day.day, tzinfo=UTC) + SALT_LIVES
