"""What Gloed's collector is compared with: two plainer ways to take the same batch.

`per_point` answers after the commit like Gloed, and keeps a row for each point. `framework` is a
FastAPI route with a pydantic body; it stores nothing at all.
"""

from __future__ import annotations

import asyncio
import os
from itertools import accumulate
from typing import Any

import asyncpg
import msgspec
from fastapi import FastAPI
from pydantic import BaseModel

from collector.decode import BatchBody

TABLE = """
    CREATE TABLE IF NOT EXISTS point (
        at timestamptz NOT NULL DEFAULT now(), view_id int8 NOT NULL, page_id int4 NOT NULL,
        seq int2 NOT NULL, n int2 NOT NULL, t_ms int4 NOT NULL, x_px int2 NOT NULL,
        y_px int4 NOT NULL
    )
"""
COLUMNS = ("view_id", "page_id", "seq", "n", "t_ms", "x_px", "y_px")


class Points:
    """Rows of the points that came while the last commit ran, committed together."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._rows: list[tuple[int, ...]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()

    async def keep(self, rows: list[tuple[int, ...]]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rows += rows
        self._waiting.append(done)
        self._wake.set()
        await done

    async def write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            rows, waiting, self._rows, self._waiting = self._rows, self._waiting, [], []
            await self._connection.copy_records_to_table("point", records=rows, columns=COLUMNS)
            for one in waiting:
                one.set_result(None)


_decode = msgspec.json.Decoder(BatchBody).decode
_points: list[Points] = []


async def per_point(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await _live(receive, send)
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await _points[0].keep(_rows(_decode(body)))
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})
    return None


def _rows(told: BatchBody) -> list[tuple[int, ...]]:
    xs, ys, ts = (accumulate(told.r[axis::3]) for axis in range(3))
    view_id = hash(told.t or told.id)
    places = zip(ts, xs, ys, strict=True)
    return [(view_id, 1, told.s, n, *place) for n, place in enumerate(places)]


async def _live(receive: Any, send: Any) -> None:
    await receive()
    connection = await asyncpg.connect(os.environ["BENCH_DATABASE_URL"])
    await connection.execute(TABLE)
    _points.append(Points(connection))
    writing = asyncio.create_task(_points[0].write())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    writing.cancel()
    await connection.close()
    await send({"type": "lifespan.shutdown.complete"})


class Body(BaseModel):
    """A batch, as one would write it down for FastAPI."""

    v: int
    s: int
    vp: tuple[int, int]
    pg: tuple[int, int]
    t: str | None = None
    id: str | None = None
    m: int | None = None
    p: str | None = None
    u: str | None = None
    ref: str | None = None
    r: list[int] = []
    e: list[list[int]] = []


framework = FastAPI(openapi_url=None)


@framework.post("/g/{site}", status_code=204)
async def batch(site: str, body: Body) -> None:
    return None
