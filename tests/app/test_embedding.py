"""Gloed under a path of another application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from app.clock import SteppedClock
from app.embedding import mount
from app.main import Gloed
from tests.build import Walker, make_shop
from tests.serving import served, settings_for


@pytest.fixture
def host(database_url: str, clock: SteppedClock) -> Iterator[tuple[str, Gloed, list[str]]]:
    told: list[str] = []

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        told.append("host started")
        yield
        told.append("host stopped")

    outer = FastAPI(lifespan=own)

    @outer.get("/")
    async def home() -> dict[str, str]:
        return {"shop": "open"}

    gloed = mount(outer, "/insight", settings_for(database_url), clock=clock)
    with served(outer) as (url, loop):
        gloed.state.loop = loop
        yield url, gloed, told
    told.append(f"gloed stopped: {gloed.state.gloed is None}")
    assert told == ["host started", "host stopped", "gloed stopped: True"]


async def test_a_mounted_gloed_collects_answers_and_tells_its_own_errors(
    host: tuple[str, Gloed, list[str]],
) -> None:
    import asyncio

    url, gloed, _ = host
    context = gloed.state.gloed
    future = asyncio.run_coroutine_threadsafe(
        make_shop(context.store, context.clock()), gloed.state.loop
    )
    site = await asyncio.wrap_future(future)
    context.catalogue.forget()
    walker = Walker(url + "/insight")
    opened = await asyncio.to_thread(walker.get, f"/g/{site.public_key}/shipping")
    assert opened.status_code == 302
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/")).json() == {"shop": "open"}
        sheet = await client.get(str(httpx.URL(str(opened.url)).join(opened.headers["location"])))
        assert sheet.headers["content-type"].startswith("text/css")
        assert (await client.get("/insight/healthz")).json() == {"status": "ok"}
        refused = await client.get("/insight/api/v1/sites")
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await client.get("/g/x/y/z")).status_code == 404


@pytest.mark.parametrize("path", ["/", "insight", ""])
def test_a_path_that_is_none_is_refused(path: str, database_url: str) -> None:
    with pytest.raises(ValueError, match="begin with"):
        mount(FastAPI(), path, settings_for(database_url))
