"""The whole collector while something is wrong: harmless bodies, honest statuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.keys import add_key, find_key
from app.clock import SteppedClock
from app.store import Store, connect
from collector.catalogue import Catalogue
from collector.intake import Collector
from collector.partitions import make_partitions
from collector.parts import Parts
from collector.sites import Page, Site
from collector.spool import Spool
from collector.visitor import Salts
from collector.warm import warm
from collector.wire import GIF, MAX_BODY_BYTES
from collector.writer import Writer
from snippets.errors import SheetError
from snippets.sheet import stylesheet
from tests.build import DESKTOP, batch_body, make_shop
from tests.collector.build import AT, DAY
from tests.collector.store_line import StoreLine

pytestmark = pytest.mark.anyio
CSS = "text/css; charset=utf-8"
PROBLEM = "application/problem+json"
FAR_UNDER_ANY_LIMIT_S = 30.0
EVERYTHING = """
    SELECT (SELECT count(*) FROM beacon) + (SELECT count(*) FROM batch)
         + (SELECT count(*) FROM goal)
"""


@pytest.fixture
async def shop(store: Store) -> Site:
    async with store.connection() as connection:
        await make_partitions(connection, [DAY])
    return await make_shop(store, AT)


@pytest.fixture
async def line(shop: Site, database_url: str) -> AsyncIterator[StoreLine]:
    async with StoreLine(database_url).opened() as opened:
        yield opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.committer.RECONNECT_S", (0.01,))


@asynccontextmanager
async def collecting(
    store: Store, url: str, spool: Spool | None = None, **more: Any
) -> AsyncIterator[Collector]:
    """A collector on `store`, whose writer goes its own way through `url`."""
    writer = Writer(lambda: connect(url), spool=spool)
    await writer.start()

    async def may_report(site: Site, authorization: str) -> bool:
        key = await find_key(store, authorization, AT)
        return key is not None and key.site_id == site.site_id and key.allows("goal")

    parts: dict[str, Any] = {
        "catalogue": Catalogue(store),
        "writer": writer,
        "salts": Salts(store),
        "secret": b"a secret of the fleet, 32 bytes..",
        "clock": SteppedClock(AT),
        "sheet": stylesheet,
        "trusted": (),
        "may_report_goals": may_report,
    }
    try:
        yield Collector(Parts(**{**parts, **more}))
    finally:
        await writer.stop()


def client_of(collector: Collector) -> httpx.AsyncClient:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await collector(scope, scope["path"].removeprefix("/g"), receive, send)

    transport = httpx.ASGITransport(app=app)
    headers = {"user-agent": DESKTOP, "content-type": "text/plain"}
    return httpx.AsyncClient(transport=transport, base_url="http://shop/g", headers=headers)


async def token_of(client: httpx.AsyncClient, shop: Site) -> str:
    answer = await client.get(f"/{shop.public_key}/cart")
    return str(answer.headers["location"]).split("/")[-2]


def a_body(**more: Any) -> bytes:
    return json.dumps(batch_body(m=int(AT.timestamp()) // 60, **more)).encode()


async def test_while_the_store_is_away_without_a_spool_every_form_says_not_stored_and_harms_nobody(
    store: Store, shop: Site, line: StoreLine
) -> None:
    async with collecting(store, line.url) as collector, client_of(collector) as client:
        token = await token_of(client, shop)
        line.fault, line.closed = "cut before", True
        doubt = await client.get(f"/{token}/1.h")
        assert (doubt.status_code, doubt.content) == (504, GIF)

        opening = await client.get(f"/{shop.public_key}/cart")
        beacon = await client.get(f"/{token}/2.h")
        goal = await client.get(f"/done/{shop.public_key}/order-1")
        batch = await client.post(f"/{shop.public_key}", content=a_body())
        for answer in (opening, beacon, goal, batch):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["cache-control"] == "no-store"
            assert "x-gloed-drop" not in answer.headers
        assert (opening.content, opening.headers["content-type"]) == (b"", CSS)
        assert (beacon.content, beacon.headers["content-type"]) == (GIF, "image/gif")
        assert (goal.content, goal.headers["content-type"]) == (GIF, "image/gif")
        assert batch.headers["content-type"] == PROBLEM
        # What needs no writing goes on.
        assert (await client.get(f"/{token}/s")).status_code == 200

        line.closed = False
        assert (await client.get(f"/{token}/2.h")).status_code == 200
        assert (await client.post(f"/{shop.public_key}", content=a_body())).status_code == 204
    kept = await store.fetch("SELECT name FROM beacon WHERE name <> 'open'")
    assert [row["name"] for row in kept] == ["2.h"]
    assert await store.fetchval("SELECT count(*) FROM batch") == 1


async def test_duplicates_sent_to_two_collectors_across_midnight_are_one_row_each(
    store: Store, shop: Site, database_url: str
) -> None:
    """Before and after midnight in the shop, by either collector's clock, at once and later."""
    midnight = datetime(2026, 11, 19, tzinfo=shop.time_zone).astimezone(UTC)
    before, after = (SteppedClock(midnight + s * timedelta(seconds=20)) for s in (-1, 1))
    async with (
        collecting(store, database_url, clock=before) as one,
        collecting(store, database_url, clock=after) as other,
        client_of(one) as early,
        client_of(other) as late,
    ):
        token = await token_of(early, shop)
        own_id = batch_body(id="00000000000000bb", m=int(midnight.timestamp()) // 60 - 1)
        bodies = [json.dumps(own_id | {"s": seq}).encode() for seq in range(20)]
        bodies += [json.dumps(by_token(token, seq)).encode() for seq in range(20)]
        asked: list[Any] = []
        for client in (early, late, late, early):
            asked += [client.get(f"/{token}/{zone}.h") for zone in range(1, 21)]
            asked += [client.post(f"/{shop.public_key}", content=body) for body in bodies]
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {200, 204}
        assert {answer.headers.get("x-gloed-drop") for answer in answers} == {None, "repeat"}
    for table, rows in (("beacon", 21), ("batch", 40)):
        kept = await store.fetch(f"SELECT day FROM {table}")
        assert [row["day"] for row in kept] == [DAY] * rows


def by_token(token: str, seq: int) -> dict[str, Any]:
    body = batch_body(s=seq, t=token)
    return {name: value for name, value in body.items() if name not in ("id", "p")}


async def test_a_collector_that_was_warm_goes_on_while_the_store_says_nothing(
    store: Store, shop: Site, line: StoreLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.committer.SLOW_S", 0.2)
    monkeypatch.setattr("collector.catalogue.REFRESH_S", 0.0)
    monkeypatch.setattr("collector.visitor.SHOW_S", 0.0)
    asked = Silent(store)
    spool = Spool(tmp_path / "spool", 64 * 1024 * 1024, lambda: AT)
    catalogue, salts = Catalogue(asked), Salts(asked)
    parts = collecting(store, line.url, spool, catalogue=catalogue, salts=salts)
    async with parts as collector, client_of(collector) as client:
        await warm(catalogue, salts, AT)
        asked.silent, line.fault, line.closed = True, "hold", True
        async with asyncio.timeout(FAR_UNDER_ANY_LIMIT_S):
            token = await token_of(client, shop)
            assert (await client.get(f"/{token}/1.h")).status_code == 200
            assert (await client.get(f"/{token}/s")).status_code == 200
            assert (await client.get(f"/done/{shop.public_key}/order-1")).status_code == 200
            answer = await client.post(f"/{shop.public_key}", content=a_body())
            assert answer.status_code == 204
        assert await store.fetchval("SELECT count(*) FROM beacon") == 0
        line.release()
        asked.silent = line.closed = False
        while await store.fetchval(EVERYTHING) < 4:
            await asyncio.sleep(0.02)
    assert await store.fetchval(EVERYTHING) == 4


class Silent:
    """The store by a line that may go silent."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.silent = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        if self.silent:
            await asyncio.Event().wait()
        async with self._store.connection() as connection:
            yield connection


async def test_salts_are_there_before_their_day_begins(store: Store, shop: Site) -> None:
    late = datetime(2026, 11, 18, 23, 30, tzinfo=shop.time_zone).astimezone(UTC)
    salts = Salts(store)
    await warm(Catalogue(store), salts, late)
    assert salts.held(DAY) is not None
    assert salts.held(DAY + timedelta(days=1)) is not None
    noon = Salts(store)
    await warm(Catalogue(store), noon, AT)
    assert noon.held(DAY) is not None
    assert noon.held(DAY + timedelta(days=1)) is None


@pytest.mark.parametrize("form", ["open", "batch"])
async def test_a_commit_in_doubt_is_answered_by_what_claims_nothing(
    store: Store, shop: Site, line: StoreLine, form: str
) -> None:
    async with collecting(store, line.url) as collector, client_of(collector) as client:
        await token_of(client, shop)
        line.fault, line.closes_when_cut = "cut after", True
        if form == "open":
            answer = await client.get(f"/{shop.public_key}/cart")
            assert (answer.content, answer.headers["content-type"]) == (b"", CSS)
        else:
            answer = await client.post(f"/{shop.public_key}", content=a_body())
            assert answer.headers["content-type"] == PROBLEM
        assert answer.status_code == 504


async def test_a_store_away_at_the_start_makes_no_shop_unknown(
    store: Store, shop: Site, database_url: str
) -> None:
    closed = Store(database_url)
    await closed.open()
    await closed.close()
    async with collecting(closed, database_url) as collector, client_of(collector) as client:
        opening = await client.get(f"/{shop.public_key}/cart")
        batch = await client.post(f"/{shop.public_key}", content=a_body())
        goal = await client.post(f"/{shop.public_key}/goal", content=b"{}")
        for answer in (opening, batch, goal):
            assert answer.status_code == 503, answer.headers


async def test_what_is_decided_on_twice_as_the_first_time_it_had_to_wait_is_counted_once(
    store: Store, shop: Site, database_url: str
) -> None:
    async with collecting(store, database_url) as collector, client_of(collector) as client:
        forwarded = {"x-forwarded-for": "198.51.100.9"}
        cold = await client.get(f"/{shop.public_key}/cart", headers=forwarded)
        assert cold.status_code == 302
    counts = await store.fetch("SELECT reason, n FROM dropped")
    assert [(row["reason"], row["n"]) for row in counts] == [("untrusted_proxy", 1)]
    assert await store.fetchval("SELECT count(*) FROM beacon") == 1


async def test_a_key_that_cannot_be_looked_up_now_is_not_called_wrong(
    store: Store, shop: Site, database_url: str
) -> None:
    async def away(_site: Site, _authorization: str) -> bool:
        raise ConnectionRefusedError

    parts = collecting(store, database_url, may_report_goals=away)
    async with parts as collector, client_of(collector) as client:
        answer = await client.post(f"/{shop.public_key}/goal", content=b'{"ref":"order-1"}')
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)


async def test_a_sheet_that_cannot_be_made_is_an_empty_one(
    store: Store, shop: Site, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_page: Page) -> Any:
        raise SheetError("the stylesheet of page 'geheim' was refused")

    parts = collecting(store, database_url, sheet=broken)
    async with parts as collector, client_of(collector) as client:
        token = await token_of(client, shop)
        answer = await client.get(f"/{token}/s")
        assert (answer.content, answer.headers["content-type"]) == (b"", CSS)
        assert answer.status_code == 503
        # Its beacons are kept all the same: an older sheet may be on its way.
        assert (await client.get(f"/{token}/1.h")).status_code == 200
    told = "".join(capfd.readouterr())
    assert "SheetError" in told
    assert "geheim" not in told


class Body:
    """Chunks as a server hands them in, and how many of them were asked for."""

    def __init__(self, *chunks: bytes, ends: bool = True) -> None:
        self._chunks = list(chunks)
        self._ends = ends
        self.read = 0

    async def __call__(self) -> dict[str, Any]:
        if not self._chunks:
            return {"type": "http.disconnect"}
        self.read += 1
        chunk = self._chunks.pop(0)
        return {
            "type": "http.request",
            "body": chunk,
            "more_body": bool(self._chunks) or not self._ends,
        }


async def posted(collector: Collector, shop: Site, body: Body) -> int:
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    headers = [(b"user-agent", DESKTOP.encode()), (b"content-type", b"text/plain")]
    scope = {"method": "POST", "headers": headers, "client": ("192.0.2.1", 1)}
    await collector(scope, f"/{shop.public_key}", body, send)
    assert [message["type"] for message in told] == ["http.response.start", "http.response.body"]
    return int(told[0]["status"])


async def test_a_body_is_refused_at_its_limit_and_read_no_further(
    store: Store, shop: Site, database_url: str
) -> None:
    async with collecting(store, database_url) as collector:
        endless = Body(*[bytes(1024)] * 1000)
        assert await posted(collector, shop, endless) == 413
        assert endless.read == MAX_BODY_BYTES // 1024 + 1
        right = a_body()
        padded = right[:-1].ljust(MAX_BODY_BYTES - 1) + b"}"
        assert await posted(collector, shop, Body(*map(bytes, zip(padded, strict=True)))) == 204
        assert await posted(collector, shop, Body(padded + b" ")) == 413


async def test_a_body_that_is_cut_short_keeps_nothing(
    store: Store, shop: Site, database_url: str
) -> None:
    async with collecting(store, database_url) as collector:
        assert await posted(collector, shop, Body(a_body(), ends=False)) == 400
        assert await posted(collector, shop, Body()) == 400
    assert await store.fetchval("SELECT count(*) FROM batch") == 0


async def test_who_hangs_up_while_waiting_leaves_the_row_and_no_trouble(
    store: Store, shop: Site, line: StoreLine
) -> None:
    async with collecting(store, line.url) as collector, client_of(collector) as client:
        token = await token_of(client, shop)
        line.at_commit.clear()
        line.fault = "hold"
        asking = asyncio.create_task(client.get(f"/{token}/1.h"))
        await line.at_commit.wait()
        asking.cancel()
        line.release()
        again = await client.get(f"/{token}/1.h")
        assert again.headers["x-gloed-drop"] == "repeat"
    assert await store.fetchval("SELECT count(*) FROM beacon WHERE name = '1.h'") == 1


async def test_the_key_of_a_goal_must_be_of_this_shop_and_for_goals(
    store: Store, shop: Site, database_url: str
) -> None:
    neighbour = await make_shop(store, AT, "Boekhandel")
    good = await add_key(store, shop.site_id, "goal", "server", AT)
    wrong = [
        await add_key(store, neighbour.site_id, "goal", "server", AT),
        await add_key(store, shop.site_id, "read", "dashboard", AT),
        await add_key(store, shop.site_id, "write", "deploy", AT),
        good[:-1],
        "",
        "é",
    ]
    async with collecting(store, database_url) as collector, client_of(collector) as client:

        async def told(authorization: str | None, body: bytes = b'{"ref":"order-1"}') -> int:
            given = {} if authorization is None else {"authorization": authorization.encode()}
            answer = await client.post(f"/{shop.public_key}/goal", content=body, headers=given)  # type: ignore[arg-type]
            return answer.status_code

        assert [await told(f"Bearer {key}") for key in wrong] == [401] * len(wrong)
        assert [await told(given) for given in (None, good, f"Basic {good}")] == [401] * 3
        assert await store.fetchval("SELECT count(*) FROM goal") == 0
        assert await told(f"Bearer {good}", b"{}") == 400
        assert await told(f"Bearer {good}") == 204
        assert await told(f"bearer {good}") == 204
        unknown = await client.post("/gs_aaaaaaaaaaaaaaaa/goal", content=b'{"ref":"order-1"}')
        assert unknown.status_code == 401
    rows = await store.fetch("SELECT source, result, length(ref_hash) AS n FROM goal")
    assert [tuple(row) for row in rows] == [(3, 1, 16)]
