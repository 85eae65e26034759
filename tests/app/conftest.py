"""A shop on the running Gloed, and somebody who asks its API."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.access.keys import add_key
from app.jobs import run_due
from app.store import Store
from collector.sites import Site
from tests.build import Walker, make_shop
from tests.serving import Running

PATIENCE_S = 60.0
"""The first picture of a run waits for a process that draws."""


OPEN_DAYS = 2
"""Today and yesterday."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks the API of one shop, with a key of it unless another header is given."""

    gloed: Running
    site: Site
    key: str
    client: httpx.Client

    def __call__(
        self, path: str, method: str = "GET", *, key: str | None = "own", **more: Any
    ) -> httpx.Response:
        """`path` below /api/v1; a `{site}` in it is the shop's key."""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers["authorization"] = f"Bearer {self.key if key == 'own' else key}"
        url = "/api/v1" + path.replace("{site}", self.site.public_key)
        return self.client.request(method, url, headers=headers, **more)

    def new_key(self, scope: str = "read", site: Site | None = None) -> str:
        site_id = (site or self.site).site_id
        store, now = self.gloed.store, self.gloed.clock()
        return self.gloed.do(add_key(store, site_id, scope, "", now))


@pytest.fixture
async def own_store(own_database_url: str) -> AsyncIterator[Store]:
    opened = Store(own_database_url)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def ask(gloed: Running) -> Iterator[Asker]:
    site = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    key = gloed.do(add_key(gloed.store, site.site_id, "read", "tests", gloed.clock()))
    with httpx.Client(base_url=gloed.url, timeout=PATIENCE_S) as client:
        yield Asker(gloed, site, key, client)


@pytest.fixture
def walked(ask: Asker) -> Asker:
    """A visitor hesitated at the shipping cost and pressed on."""
    walker = Walker(ask.gloed.url)
    token = walker.open(ask.site, "shipping")
    walker.tell(token, "w1280", "g720", "y300", "2.h5", "3.p1")
    settle(ask.gloed)
    return ask


def settle(gloed: Running) -> None:
    """Let the jobs of this moment run, so that those of the running Gloed change nothing later."""
    done = "SELECT count(*) FROM job WHERE name = 'close' AND state = 'done' AND last_run_at = $1"
    while True:
        gloed.do(run_due(gloed.store, gloed.clock()))
        if gloed.do(gloed.store.fetchval(done, gloed.clock())) >= OPEN_DAYS:
            return
        time.sleep(0.05)  # the running Gloed is at one of them just now


def is_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Check that the answer is this problem, as docs/problems.md tells them all; its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:gloed:problem:{slug}"
    assert body["status"] == status
    assert body["instance"] == answer.request.url.path
    assert body["title"]
    assert body["detail"]
    assert len(answer.content) <= 4096
    return body
