"""Which signals each kind of browser sends without a script, as the closing job last left it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.folding.hearing import Signal
from app.marked import N_
from app.store import Store
from collector.codes import Browser, Device, System
from collector.sites import Site
from collector.wire import Capture

_ENGINES = """
    SELECT device, browser, os, count(*) AS views, count(*) FILTER (WHERE signals > 0) AS sent,
           bit_or(can) AS can
    FROM view WHERE site_id = $1 AND day >= $2 AND captures & $3 > 0
    GROUP BY device, browser, os HAVING count(DISTINCT visit_id) >= $5
    ORDER BY views DESC, device, browser, os LIMIT $4
"""
MOST_ENGINES = 12

BY_NAME = {
    N_("zones"): Signal.ZONES,
    N_("validity"): Signal.VALIDITY,
    N_("depth"): Signal.DEPTH,
    N_("bands"): Signal.BANDS,
    N_("cells"): Signal.CELLS,
    N_("the leave"): Signal.LEAVE,
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One kind of browser: its page views, how many of them sent signals, what it can tell."""

    device: str
    browser: str
    os: str
    views: int
    sent: int
    works: tuple[str, ...]
    silent: tuple[str, ...]


async def engines(store: Store, site: Site, since: date, least: int = 1) -> list[Engine]:
    """Those that came in `least` visits or more, most page views first.

    A phone that opened a page is here a minute later.
    """
    told = (site.site_id, since, 1 << Capture.CSS, MOST_ENGINES, least)
    return [
        Engine(
            device=_name(Device(row["device"])),
            browser=_name(Browser(row["browser"])),
            os=_name(System(row["os"])),
            views=row["views"],
            sent=row["sent"],
            works=tuple(name for name, bit in BY_NAME.items() if row["can"] & bit),
            silent=tuple(name for name, bit in BY_NAME.items() if not row["can"] & bit),
        )
        for row in await store.fetch(_ENGINES, *told)
    ]


def _name(code: Device | Browser | System) -> str:
    return code.name.lower()
