"""The bandwidth that a page's maps have unless they are asked for another."""

from __future__ import annotations

from app.shops import ShopError, take_turn, touch
from app.store import Store
from collector.sites import Page, Site
from heatmap.bandwidth import MAX_BANDWIDTH_PX, MIN_BANDWIDTH_PX


async def put_bandwidth(store: Store, site: Site, page: Page, bandwidth_px: float | None) -> None:
    """None: the usual rule for the pointer. Raises ShopError beyond what is drawn."""
    if bandwidth_px is not None and not MIN_BANDWIDTH_PX <= bandwidth_px <= MAX_BANDWIDTH_PX:
        raise ShopError(
            f"a bandwidth is {MIN_BANDWIDTH_PX:g} to {MAX_BANDWIDTH_PX:g} px, got {bandwidth_px:g}"
        )
    if bandwidth_px == page.bandwidth_px:
        return
    async with store.transaction() as connection:
        await take_turn(connection, site)
        await connection.execute(
            "UPDATE page SET bandwidth_px = $3 WHERE site_id = $1 AND page_id = $2",
            site.site_id,
            page.page_id,
            bandwidth_px,
        )
        await touch(connection, site.site_id)
