"""The anonymous visitor: a keyed hash under the day's salt, recognisable to nobody afterwards.

Source: the daily salt of Plausible Analytics' session identification, with the site inside the
hash (no linking across shops) and a salt that is deleted within 48 h of its day's
beginning.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from collector.connections import ASK_WITHIN_S, AWAY, GRACE_S, Connections
from collector.errands import Errands
from collector.errors import NotStored
from collector.keyed import Keyed

SALT_BYTES = 32
_KEEP_SALT = "INSERT INTO salt (day, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_READ_SALT = "SELECT secret FROM salt WHERE day = $1"
SALT_LIVES = timedelta(hours=37)
"""Counted from midnight UTC of its day: until every zone of the earth is half an hour into the
next day (UTC-12 at 12:30), and under 48 h after the day began wherever it began by UTC+11."""

DAY_BEGINS_EARLY = timedelta(hours=14)
"""Before midnight UTC, in UTC+14: a salt is not made for a day that no clock on earth shows."""

SHOW_S = 10.0
"""A held salt is shown to the store this often. The table is unlogged, so a crash empties it:
it is written back from what is held, and collectors that were apart agree again."""

OVERLAP_MIN = 30
OVERLAP = timedelta(minutes=OVERLAP_MIN)
"""In a day's first half hour a visit may have begun the day before."""


def visitor_of(salt: bytes, site_id: int, address: str, agent: str) -> int:
    """64-bit signed number of who sent this today."""
    return visitor_under(Keyed(salt), site_id, address, agent)


def visitor_under(salt: Keyed, site_id: int, address: str, agent: str) -> int:
    """The same under a salt that was made ready."""
    told = f"{site_id}\0{address}\0{agent}".encode("utf-8", "replace")
    return int.from_bytes(salt.digest(told)[:8], "big", signed=True)


def visitor_check(visitor: int) -> int:
    """16 signed bits: enough to see a copied token, too few to follow anybody."""
    return (visitor & 0xFFFF) - 0x8000


def ref_hash(secret: bytes, site_id: int, ref: str) -> bytes:
    """The shop's own reference, kept only as HMAC under a key of the site."""
    key = hmac.digest(secret, b"ref\0" + str(site_id).encode(), hashlib.sha256)
    return hmac.digest(key, ref.encode(), hashlib.sha256)[:16]


def life_of_salt(day: date) -> tuple[datetime, datetime]:
    """From when on `day` goes on somewhere on earth, until it has ended everywhere for half an
    hour."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return midnight - DAY_BEGINS_EARLY, midnight + SALT_LIVES


def salt_is_alive(day: date, moment: datetime) -> bool:
    begins_at, ends_at = life_of_salt(day)
    return begins_at <= moment < ends_at


@dataclass(frozen=True, slots=True)
class _Held:
    secret: bytes
    keyed: Keyed
    begins_at: datetime
    ends_at: datetime
    shown_at: float
    """When the store was last shown it, by the monotonic clock."""

    being_shown: bool = False

    def is_alive(self, moment: datetime) -> bool:
        return self.begins_at <= moment < self.ends_at


class Salts:
    """The salts a collector holds: fetched or made once a day, forgotten with their time."""

    def __init__(self, store: Connections) -> None:
        self._store = store
        self._held: dict[date, _Held] = {}
        self._errands: Errands[bytes] = Errands()

    def held(self, day: date) -> bytes | None:
        held = self._held.get(day)
        return held.secret if held else None

    def at_hand(self, day: date, moment: datetime) -> Keyed | None:
        """The day's salt made ready, where it is held and was shown lately: mostly it is, as it is
        shown again while it is at hand still, and nobody waits for that."""
        held = self._held.get(day)
        if held is None or not held.is_alive(moment):
            return None
        age_s = time.monotonic() - held.shown_at
        if age_s >= SHOW_S / 2 and not held.being_shown:
            self._held[day] = replace(held, being_shown=True)
            self._errands.begin(day, lambda: self._agree(day, moment))
        return held.keyed if age_s < SHOW_S else None

    async def salt(self, day: date, moment: datetime) -> bytes | None:
        """The day's salt at `moment`; None where its time is over, or has not come.

        Raises NotStored when it is not held and the store cannot be asked.
        """
        if self.at_hand(day, moment) is not None:
            return self.held(day)
        self.forget(moment)
        if not salt_is_alive(day, moment):
            return None
        held = self._held.get(day)
        try:
            # What is held need not wait for a silent store: the errand goes on without us.
            within_s = None if held is None else GRACE_S
            return await self._errands.run(day, lambda: self._agree(day, moment), within_s)
        except AWAY as away:
            if held is None:
                raise NotStored("the day's salt cannot be read now") from away
            self._hold(day, held.secret, moment)
            return held.secret

    def forget(self, moment: datetime) -> None:
        for day in [day for day in self._held if not salt_is_alive(day, moment)]:
            del self._held[day]

    async def _agree(self, day: date, moment: datetime) -> bytes:
        """Show the store what is held, or something fresh: the first to commit names it for all."""
        mine = self.held(day) or secrets.token_bytes(SALT_BYTES)
        async with asyncio.timeout(ASK_WITHIN_S), self._store.connection() as connection:
            await connection.execute(_KEEP_SALT, day, mine)
            kept: bytes = await connection.fetchval(_READ_SALT, day) or mine
        self._hold(day, kept, moment)
        return kept

    def _hold(self, day: date, secret: bytes, moment: datetime) -> None:
        begins_at, ends_at = life_of_salt(day)
        if day not in self._held:
            # Nobody need ask for it again: an idle collector forgets it all the same.
            left_s = (ends_at - moment).total_seconds()
            asyncio.get_running_loop().call_later(left_s, self._held.pop, day, None)
        held = self._held.get(day)
        # The same object for the same secret: what was made under it is known to be good by that.
        keyed = held.keyed if held is not None and held.secret == secret else Keyed(secret)
        self._held[day] = _Held(secret, keyed, begins_at, ends_at, time.monotonic())
