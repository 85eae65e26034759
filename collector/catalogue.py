"""The shops as this process knows them: kept in memory, read again on a miss and now and then."""

from __future__ import annotations

import asyncio
import time
from math import inf

import structlog

from collector.connections import ASK_WITHIN_S, AWAY, GRACE_S, Connections
from collector.errands import Errands
from collector.errors import NotStored
from collector.sites import Site, read_sites

log = structlog.get_logger()

REFRESH_S = 5.0
"""A changed page or zone is in force after this long at the latest."""

AHEAD_S = REFRESH_S / 2
"""Read again this long after the last time, while everybody is still served from it."""

MISS_S = 0.5
"""A flood of unknown keys may ask the store no more often than this."""

AGAIN_S = 1.0
"""Pause after a try in vain, during which what is known is used as it is."""


class Catalogue:
    def __init__(self, store: Connections) -> None:
        self._store = store
        self._by_key: dict[str, Site] = {}
        self._by_id: dict[int, Site] = {}
        self._read_at = -inf
        self._failed_at = -inf
        self._forgotten_at = -inf
        self._errands: Errands[None] = Errands()

    async def by_key(self, key: str, slug: str | None = None) -> Site | None:
        """The shop of a public key. A key or page that is not known may be new: it is asked for.

        Raises NotStored when that cannot be asked: only a definite answer makes a shop unknown.
        """
        site = self._by_key.get(key)
        missing = site is None or (slug is not None and slug not in site.pages)
        if self._fresh and not missing:
            return site
        await self._freshen(missing=missing)
        return self._by_key.get(key)

    async def by_id(self, site_id: int, page_id: int) -> Site | None:
        """Likewise, of what a token names: another collector may have given it out."""
        site = self._by_id.get(site_id)
        missing = site is None or site.page(page_id) is None
        if self._fresh and not missing:
            return site
        await self._freshen(missing=missing)
        return self._by_id.get(site_id)

    def at_hand(self, site_id: int) -> Site | None:
        """The shop of a number, where nobody need be asked: mostly."""
        return self._by_id.get(site_id) if self._fresh else None

    def at_hand_by_key(self, key: str) -> Site | None:
        return self._by_key.get(key) if self._fresh else None

    async def sites(self) -> tuple[Site, ...]:
        """Every shop. Raises NotStored when none is known and that cannot be asked."""
        missing = not self._by_id
        if self._due(missing=missing):
            await self._refresh(missing=missing)
        return tuple(self._by_id.values())

    @property
    def warm(self) -> bool:
        """Whether shops are known, and served on while the store is away."""
        return self._read_at > -inf

    def forget(self) -> None:
        """Read again at the next question: the shop was changed in this process."""
        self._forgotten_at = time.monotonic()

    async def _freshen(self, *, missing: bool) -> None:
        if self._due(missing=missing):
            await self._refresh(missing=missing)
        else:
            self._read_ahead()

    async def _refresh(self, *, missing: bool) -> None:
        known = not missing and not self._stale()
        try:
            # What is known need not wait for a silent store: the errand goes on without us.
            within_s = GRACE_S if known else None
            # Who asks after a change must not be told what was read before it.
            await self._errands.run(self._forgotten_at, self._read, within_s)
        except AWAY as away:
            self._failed_at = time.monotonic()
            if missing:
                raise NotStored("the store cannot be asked now") from away
            log.warning("sites_not_read", why=type(away).__name__)

    @property
    def _fresh(self) -> bool:
        """Whether what is known need not even be read ahead, as it is for most who ask."""
        return self._forgotten_at < self._read_at > time.monotonic() - AHEAD_S

    def _due(self, *, missing: bool) -> bool:
        now = time.monotonic()
        if missing:
            return self._stale() or now - self._read_at >= MISS_S
        return now - self._failed_at >= AGAIN_S and (
            self._stale() or now - self._read_at >= REFRESH_S
        )

    def _read_ahead(self) -> None:
        """Where anybody asks, what is known is renewed while it is good: nobody waits for it."""
        now = time.monotonic()
        if now - self._read_at >= AHEAD_S and now - self._failed_at >= AGAIN_S:
            self._errands.begin(self._forgotten_at, self._read)

    def _stale(self) -> bool:
        return self._read_at <= self._forgotten_at

    async def _read(self) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(ASK_WITHIN_S), self._store.connection() as connection:
                found = await read_sites(connection)
        except AWAY:
            self._failed_at = time.monotonic()
            raise
        # What did not change stays the same object: whatever was decided for it is known by that.
        known = [self._by_id.get(site.site_id, site) for site in found]
        sites = [old if old == new else new for old, new in zip(known, found, strict=True)]
        self._by_key = {site.public_key: site for site in sites}
        self._by_id = {site.site_id: site for site in sites}
        self._read_at = began
