"""The shops as this process knows them: kept in memory, read again on a miss and now and then."""

from __future__ import annotations

import time

import asyncpg
import structlog

from collector.connections import Connections
from collector.errors import NotStored
from collector.sites import Site, read_sites

log = structlog.get_logger()

REFRESH_S = 5.0
"""A changed page or zone is in force after this long at the latest."""

MISS_S = 0.5
"""A flood of unknown keys may ask the store no more often than this."""


class Catalogue:
    def __init__(self, store: Connections) -> None:
        self._store = store
        self._by_key: dict[str, Site] = {}
        self._by_id: dict[int, Site] = {}
        self._read_at: float | None = None

    async def by_key(self, key: str) -> Site | None:
        await self._refresh(missing=key not in self._by_key)
        return self._by_key.get(key)

    async def by_id(self, site_id: int) -> Site | None:
        await self._refresh(missing=site_id not in self._by_id)
        return self._by_id.get(site_id)

    def forget(self) -> None:
        """Read again at the next question: the shop was changed in this process."""
        self._read_at = None

    async def _refresh(self, *, missing: bool) -> None:
        age_s = time.monotonic() - self._read_at if self._read_at is not None else float("inf")
        if age_s < (MISS_S if missing else REFRESH_S):
            return
        try:
            async with self._store.connection() as connection:
                sites = await read_sites(connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
            if self._read_at is None or missing:
                # Only a definite answer makes a site unknown.
                raise NotStored("the store cannot be asked now") from away
            log.warning("sites_not_read", why=str(away))
            return
        self._by_key = {site.public_key: site for site in sites}
        self._by_id = {site.site_id: site for site in sites}
        self._read_at = time.monotonic()
