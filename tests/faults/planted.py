"""Sixteen kinds of secrets through every way in, and then a search of all that lies on disk.

`python -m tests.faults.planted` serves as people do, walks, lets Postgres fall silent so that the
spool is used, kills workers and Postgres, stops cleanly, and looks for every secret, in the
spellings in which it could hide: in rows, in a backup, in files of the store and its log of writes,
in the spool, in what was logged, in pages, and in the chunks of pictures. It prints what it
searched, as its last line a JSON object, and fails for any find, and where a row is missing of what
was taken: a run that took nothing would find nothing.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx
from PIL import Image

from app.access.keys import add_key, new_sign_in_link
from app.clock import system_clock
from app.configuration import configure
from app.postgres.accounts import lent_account
from app.postgres.binaries import find_binaries, reachable
from app.shops import find_site
from app.store import Store
from collector.sites import Site
from tests.build import make_shop
from tests.collector.test_privacy import every_row, spellings
from tests.faults.house import House, house
from tests.faults.planting import PATIENCE_S, SECRETS, Planter
from tests.serving import FROM_OURS

TABLES = ("beacon", "batch")
"""Whose rows are one for each thing that was taken; a goal told twice is one row."""

SALTLESS = "--no-unlogged-table-data"
"""As the manual has it: without, the day's salts were in the backup."""

LEAST_PAGES = 8
"""So many of the owner's pages and pictures there are, at the least."""

_LINK = re.compile(r'(?:href|src)="([^"]*)"')


@dataclass(slots=True)
class Search:
    """Where was looked, in how many bytes, and what was found there."""

    searched: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def look(self, place: str, told: bytes) -> None:
        self.searched[place] = self.searched.get(place, 0) + len(told)
        for kind, secret in [*SECRETS.items(), *(("key", key) for key in self.keys)]:
            self.found += [f"{kind} in {place}" for way in spellings(secret) if way in told]

    def look_below(self, place: str, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.look(place, path.read_bytes())


def shown(url: str, signed_in: str, site: Site, views: int) -> Iterator[bytes]:
    """Pages, answers and pictures, as the owner sees them, from link to link."""
    api = f"/api/v1/sites/{site.public_key}/pages/shipping"
    with httpx.Client(base_url=url, follow_redirects=True, timeout=PATIENCE_S) as client:
        assert client.get(signed_in).status_code == 200, "the link asks for a press"
        assert client.post(signed_in, headers=FROM_OURS).status_code == 200
        told = client.get(f"{api}/heatmap.json").json()
        assert told["page_views"] == views, (told["page_views"], views)
        ways = ["/", f"{api}/heatmap.json", f"{api}/heatmap.png?picture=page&legend=nl"]
        ways += [f"{api}/layouts", f"{api}/heatmap.csv", "/metrics"]
        seen: set[str] = set()
        while ways:
            if (way := ways.pop()) in seen:
                continue
            seen.add(way)
            answer = client.get(way)
            assert answer.status_code < 500, (way, answer.text)
            ways += _ways_on(answer)
            yield answer.content + written_in(answer)
        assert len(seen) >= LEAST_PAGES, seen


def _ways_on(answer: httpx.Response) -> list[str]:
    """Where a page leads to in this house."""
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return []
    links = (answer.url.join(unescape(link)) for link in _LINK.findall(answer.text))
    return [str(link.copy_with(fragment=None)) for link in links if link.host == answer.url.host]


def written_in(answer: httpx.Response) -> bytes:
    """What a picture says beside its pixels: chunks of text may be packed."""
    if not answer.headers.get("content-type", "").startswith("image/png"):
        return b""
    with Image.open(io.BytesIO(answer.content)) as picture:
        picture.load()
        return repr((picture.info, dict(picture.getexif()))).encode()


async def _set_up(served: House) -> tuple[Site, dict[str, str], str]:
    store = Store(served.store_url)
    await store.open()
    try:
        now = system_clock()
        site = await make_shop(store, now)
        asks = {"consent": {"cookie": "toestemming", "pattern": "yes-*"}}
        await configure(store, site, asks)
        found = await find_site(store, site.public_key)
        scopes = ("goal", "write")
        keys = {scope: await add_key(store, site.site_id, scope, "", now) for scope in scopes}
        return found, keys, await new_sign_in_link(store, now)
    finally:
        await store.close()


async def _rows(served: House) -> tuple[dict[str, bytes], Counter[str]]:
    """Every row as it may be searched, and how many there are of what was taken."""
    store = Store(served.store_url)
    await store.open()
    try:
        await store.execute("CHECKPOINT")
        counted = {name: await store.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES}
        return await every_row(store), Counter(counted)
    finally:
        await store.close()


def backup(served: House) -> bytes:
    """As the manual tells people to make one."""
    home = served.home
    account = lent_account(home / "pg")
    programs, _ = reachable(find_binaries(None, None), account, home)
    command = [programs.path("pg_dump"), SALTLESS, served.store_url]
    own = account.identity() if account else {}
    done = subprocess.run(command, capture_output=True, check=False, cwd="/", **own)
    assert done.returncode == 0, done.stderr.decode()
    salts = done.stdout.partition(b"COPY public.salt ")[2].partition(b"\\.")[0]
    assert salts.count(b"\n") <= 1, "the backup holds salts"
    return done.stdout


def planted() -> tuple[Search, Planter]:
    """The whole run."""
    search = Search()
    with house(workers=2, GLOED_TRUSTED_PROXIES="127.0.0.1") as served:
        url = f"http://127.0.0.1:{served.port}"
        asyncio.run(served.until(lambda: _is_ready(url), "it opens"))
        site, keys, link = asyncio.run(_set_up(served))
        search.keys += keys.values()
        planter = Planter(url, site, keys)
        planter.walk()
        with served.postgres_paused():
            planter.walk_in_silence()
            assert not served.drained(), "nothing came into the spool"
            search.look_below("the spool", served.spool)
        asyncio.run(served.until(served.drained, "the spool is replayed"))
        for told in shown(url, link, site, planter.views):
            search.look("pages and pictures", told)
        _search_store(search, served, planter, "after the walk")
        for worker in served.workers():
            served.kill_worker(worker)
        served.kill_postgres()
        asyncio.run(served.until(lambda: served.postmaster() and len(served.workers()) == 2, "up"))
        asyncio.run(served.until(lambda: _is_ready(url), "it is open again"))
        planter.walk()
        _search_store(search, served, planter, "after a kill")
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(PATIENCE_S)
        search.look_below("all files after a clean stop", served.home)
    return search, planter


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _search_store(search: Search, served: House, planter: Planter, when: str) -> None:
    rows, counted = asyncio.run(_rows(served))
    assert counted == Counter({name: planter.taken[name] for name in TABLES}), (counted, planter)
    for table in ("goal", "path", "layout", "picture", "dropped"):
        assert rows[table], f"nothing came into {table}"
    for told in rows.values():
        search.look(f"rows {when}", told)
    search.look(f"a backup {when}", backup(served))
    search.look_below(f"files of the store and its log of writes {when}", served.home / "pg")
    search.look(f"log {when}", (served.home / "log").read_bytes())


def main() -> int:
    search, planter = planted()
    for place, size in search.searched.items():
        print(f"{place:60} {size / 1e6:8.1f} MB")
    print(f"taken: {dict(planter.taken)}; refused: {dict(planter.refused)}")
    for found in sorted(set(search.found)):
        print(f"FOUND: {found}")
    account = {"kinds": len(SECRETS), "places": len(search.searched), "hits": len(search.found)}
    print(json.dumps({**account, "taken": sum(planter.taken.values())}))
    return 1 if search.found else 0


if __name__ == "__main__":
    sys.exit(main())
