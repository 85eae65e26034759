"""Links that show one page's map, or its picture alone, to whoever holds them: signed, so nothing
can be guessed; with an end, and each with a row in the store, so that it can be ended before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from app.access.keys import KeyProblem, Signer
from app.store import Store

LONGEST = timedelta(days=366)
MAP = "map"
VIEWS = {MAP: "", "stalls": "/stalls", "form": "/form", "compare": "/compare"}
"""What a page can be opened with, and what that adds to its address."""

PICTURES = {MAP: "heatmap.png", "stalls": "stalls.png", "compare": "compare.png"}
"""The views that are a picture too."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a link shows: one page of one shop, and of it the picture alone if `picture`.

    view, query  which of the page's views it opens with, and what is asked of it there
    """

    share_id: int
    site_id: int
    page: str
    picture: bool
    expires_at: datetime
    view: str = MAP
    query: Mapping[str, str] = field(default_factory=dict, hash=False)

    def may(self, scope: str, site_id: int, page: str | None = None) -> bool:
        """A link to a picture opens that picture by its signature, and no door."""
        shown = self.site_id == site_id and self.page == page
        return shown and scope == "read" and not self.picture


async def add_share(
    store: Store,
    site_id: int,
    page: str,
    lives: timedelta,
    now: datetime,
    *,
    picture: bool,
    view: str = MAP,
    query: Mapping[str, str] | None = None,
) -> Share:
    if not timedelta(0) < lives <= LONGEST:
        raise KeyProblem(f"a share lives 1 to {LONGEST.days} days, got {lives.days}")
    until = (now + lives).replace(microsecond=0)
    number = await store.fetchval(
        "INSERT INTO share (expires_at, site_id, target) VALUES ($1, $2, $3) RETURNING share_id",
        until,
        site_id,
        json.dumps({"page": page, "picture": picture, "view": view, "query": dict(query or {})}),
    )
    return Share(number, site_id, page, picture, until, view, dict(query or {}))


SHARE = """
    SELECT * FROM share WHERE share_id = {share_id} AND revoked_at IS NULL AND expires_at > {now}
"""
"""The share, while it is neither over nor revoked; with the places of its values."""


async def find_share(store: Store, share_id: int, now: datetime) -> Share | None:
    row = await store.fetchrow(SHARE.format(share_id="$1", now="$2"), share_id, now)
    return None if row is None else share_in(row)


async def shares_in_use(store: Store, now: datetime) -> list[Share]:
    rows = await store.fetch(
        "SELECT * FROM share WHERE revoked_at IS NULL AND expires_at > $1 ORDER BY share_id", now
    )
    return [share_in(row) for row in rows]


async def shares_of(store: Store, site_id: int, page: str, now: datetime) -> list[Share]:
    """Those of one page that are in use, the newest first."""
    rows = await store.fetch(
        "SELECT * FROM share WHERE site_id = $1 AND target->>'page' = $2 "
        "AND revoked_at IS NULL AND expires_at > $3 ORDER BY share_id DESC",
        site_id,
        page,
        now,
    )
    return [share_in(row) for row in rows]


async def revoke_share(store: Store, share_id: int, now: datetime) -> None:
    done = await store.execute(
        "UPDATE share SET revoked_at = $2 WHERE share_id = $1 AND revoked_at IS NULL "
        "AND expires_at > $2",
        share_id,
        now,
    )
    if done == "UPDATE 0":
        raise KeyProblem(f"there is no share {share_id} in use; `gloed share list` shows them")


def share_link(signer: Signer, site_key: str, share: Share) -> str:
    """Its address on this Gloed: the same each time, so it can be shown again."""
    if not share.picture:
        return f"/shared/{signer.share(share.share_id, share.expires_at)}"
    path = f"/api/v1/sites/{site_key}/pages/{share.page}/{PICTURES[share.view]}"
    return signer.signed(path, dict(share.query), share.expires_at, share.share_id)


def opened_by(site_key: str, share: Share) -> str:
    """Where a share of a page leads, from the root of Gloed."""
    page = f"sites/{site_key}/pages/{share.page}{VIEWS[share.view]}"
    return f"{page}?{urlencode(share.query)}" if share.query else page


def share_in(row: Any) -> Share:
    target = json.loads(row["target"])
    return Share(
        share_id=row["share_id"],
        site_id=row["site_id"],
        page=target["page"],
        picture=target["picture"],
        expires_at=row["expires_at"],
        view=target["view"],
        query=target["query"],
    )
