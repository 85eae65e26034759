"""Links that show one page's map, or its picture alone, to whoever holds them: signed, so nothing
can be guessed; with an end, and each with a row in the store, so that it can be ended before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.access.keys import KeyProblem
from app.store import Store

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Share:
    """What a link shows: one page of one shop, and of it the picture alone if `picture`."""

    share_id: int
    site_id: int
    page: str
    picture: bool
    expires_at: datetime

    def may(self, scope: str, site_id: int, page: str | None = None) -> bool:
        """A link to a picture opens that picture by its signature, and no door."""
        shown = self.site_id == site_id and self.page == page
        return shown and scope == "read" and not self.picture


async def add_share(
    store: Store, site_id: int, page: str, lives: timedelta, now: datetime, *, picture: bool
) -> Share:
    if not timedelta(0) < lives <= LONGEST:
        raise KeyProblem(f"a share lives 1 to {LONGEST.days} days, got {lives.days}")
    until = (now + lives).replace(microsecond=0)
    number = await store.fetchval(
        "INSERT INTO share (expires_at, site_id, target) VALUES ($1, $2, $3) RETURNING share_id",
        until,
        site_id,
        json.dumps({"page": page, "picture": picture}),
    )
    return Share(number, site_id, page, picture, until)


async def find_share(store: Store, share_id: int, now: datetime) -> Share | None:
    """The share, while it is neither over nor revoked."""
    row = await store.fetchrow(
        "SELECT * FROM share WHERE share_id = $1 AND revoked_at IS NULL AND expires_at > $2",
        share_id,
        now,
    )
    return None if row is None else _share(row)


async def shares_in_use(store: Store, now: datetime) -> list[Share]:
    rows = await store.fetch(
        "SELECT * FROM share WHERE revoked_at IS NULL AND expires_at > $1 ORDER BY share_id", now
    )
    return [_share(row) for row in rows]


async def revoke_share(store: Store, share_id: int, now: datetime) -> None:
    done = await store.execute(
        "UPDATE share SET revoked_at = $2 WHERE share_id = $1 AND revoked_at IS NULL "
        "AND expires_at > $2",
        share_id,
        now,
    )
    if done == "UPDATE 0":
        raise KeyProblem(f"there is no share {share_id} in use; `gloed share list` shows them")


def _share(row: Any) -> Share:
    target = json.loads(row["target"])
    return Share(
        row["share_id"], row["site_id"], target["page"], target["picture"], row["expires_at"]
    )
