"""One run of a job in a process of its own, as large as the one that serves: for `closing.py`.

`python -m tests.bench.closing_day close|seal <URL> <key> <day> <now>`; prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from datetime import date, datetime

import app.main  # noqa: F401  What serves also does the jobs: its modules are part of the memory.
from app.closing.day import Closed, close_day
from app.sealing.day import Sealed, seal_day
from app.shops import find_site
from app.store import Store


async def run(job: str, url: str, key: str, day: date, now: datetime) -> dict[str, object]:
    store = Store(url)
    await store.open()
    try:
        site = await find_site(store, key)
        before_mb, before_s, began = peak_mb(), time.process_time(), time.monotonic()
        if job == "seal":
            done: Sealed | Closed = await seal_day(store, site, day)
        else:
            done = await close_day(store, site, day, now)
        return {
            "views": done.views,
            "changed": done.changed,
            "seconds": round(time.monotonic() - began, 1),
            "cpu_s": round(time.process_time() - before_s, 1),
            "idle_mb": before_mb,
            "peak_mb": peak_mb(),
        }
    finally:
        await store.close()


def peak_mb() -> int:
    """Most memory that the process ever held, in millions of bytes (Linux tells kibibytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000


if __name__ == "__main__":
    job, url, key, day, now = sys.argv[1:]
    found = asyncio.run(run(job, url, key, date.fromisoformat(day), datetime.fromisoformat(now)))
    print(json.dumps(found))
