"""Sixteen kinds of secrets through every way in, and then a search of all that lies on disk.

`python -m tests.faults.planted` serves as people do, walks, lets Postgres fall silent so that the
spool is used, kills workers and Postgres, stops cleanly, and looks for every secret, in the
spellings in which it could hide: in rows, in files of the store and its log of writes, in the
spool, in what was logged, in pages, and in the chunks of pictures. It prints what it searched, as
its last line a JSON object, and fails for any find.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
from PIL import Image, PngImagePlugin

from app.access.keys import add_key, new_sign_in_link
from app.clock import system_clock
from app.configuration import configure
from app.shops import find_site
from app.store import Store
from collector.sites import Site
from tests.build import DESKTOP, Walker, batch_body, make_shop
from tests.collector.test_privacy import every_row, spellings
from tests.faults.house import House, house

WAITED_S = 120.0

SECRETS: Mapping[str, str] = {
    "address": "203.0.113.77",
    "address of IPv6": "2001:db8:ca:ca::77",
    "agent": "Kanarie/7.7",
    "cookie": "sessiekanarie0cafe",
    "consent": "yes-kanarietoestemming",
    "e-mail": "kanarie@voorbeeld.nl",
    "card": "4111111111111111",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJrYW5hcmllIjoxfQ.c2lnbmF0dXVyLWthbmFyaWU",
    "order": "kanarie-bestelling-9",
    "number": "48151623421",
    "search": "kanariezoekterm",
    "credentials": "kanariewachtwoord",
    "language": "nl-kanarietaal",
    "typed text": "kanarietikt mijn adres",
    "metadata": "kanarie-in-de-foto",
    "password": "kanarie wachtzin van vijf woorden",
}
"""By kind. A reference of the shop and a key are kept as hashes, a password as none at all."""


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


def headers() -> dict[str, str]:
    s = SECRETS
    page = f"https://jan:{s['credentials']}@shop.nl/account/{s['e-mail']}/{s['number']}"
    return {
        "cookie": f"sessie={s['cookie']}; toestemming={s['consent']}",
        "accept-language": s["language"],
        "referer": f"{page}?q={s['search']}&card={s['card']}#{s['token']}",
        "forwarded": f"for={s['address']}",
        "x-real-ip": s["address of IPv6"],
    }


def walk(url: str, site: Site, keys: Mapping[str, str]) -> None:
    """Every way in, each with everything that must not be kept; answers are as they may be."""
    for n, address in enumerate((SECRETS["address"], SECRETS["address of IPv6"])):
        agent = f"{DESKTOP} {SECRETS['agent']}"
        walker = Walker(url, agent, address, headers())
        token = walker.open(site, "shipping", SECRETS["order"])
        walker.tell(token, "1.h5", "3.p1", f"y{n + 1}00")
        _post(walker, site, token)
        walker.get(f"/g/hold/{site.public_key}/shipping")
        walker.get(f"/g/done/{site.public_key}/{SECRETS['order']}")
        walker.get(f"/g/x/{site.public_key}/{SECRETS['token']}")
        for odd in (SECRETS["e-mail"], SECRETS["card"], quote(SECRETS["typed text"])):
            walker.get(f"/g/{token}/{odd}")
            walker.get(f"/g/{site.public_key}/{odd}")
            walker.get(f"/nowhere/{odd}?{quote(SECRETS['search'])}={odd}")
        _house(walker, url, site, keys)


def _post(walker: Walker, site: Site, token: str) -> None:
    minute = int(system_clock().timestamp()) // 60
    for n, part in enumerate(("card", "e-mail", "number", "token")):
        path = f"/a/{quote(SECRETS[part])}?q={quote(SECRETS['search'])}"
        body = batch_body(m=minute, id=f"{time.monotonic_ns():016x}", u=path, ref=SECRETS["order"])
        walker.post(site, body)
        walker.post(site, batch_body(t=token, s=n))
    walker.post(site, {**batch_body(t=token), "typed": SECRETS["typed text"]})
    walker.post(site, f'{{"v": "{SECRETS["typed text"]}')


def _house(walker: Walker, url: str, site: Site, keys: Mapping[str, str]) -> None:
    """The house's own doors: goals, layouts, sign-in, and questions that nobody may ask."""
    sent = {**headers(), "user-agent": walker.agent}
    goal = {**sent, "authorization": f"Bearer {keys['goal']}"}
    told = {"ref": SECRETS["order"], "result": "failed"}
    httpx.post(f"{url}/g/{site.public_key}/goal", json=told, headers=goal)
    page = f"{url}/api/v1/sites/{site.public_key}/pages/shipping"
    write = {**sent, "authorization": f"Bearer {keys['write']}"}
    body = {"width_px": 64, "height_px": 48, "pointer": "fine", "boxes": [], "picture": photo()}
    kept = httpx.put(f"{page}/layouts", json=body, headers=write, timeout=WAITED_S)
    assert kept.status_code == 200, kept.text
    for query in (f"?kind={SECRETS['card']}", f"?{quote(SECRETS['e-mail'])}=1"):
        assert httpx.get(f"{page}/heatmap.json{query}", headers=write).status_code == 422
    form = {"name": "owner", "password": SECRETS["password"]}
    own = {**sent, "origin": url, "sec-fetch-site": "same-origin"}
    httpx.post(f"{url}/sign-in", data=form, headers=own, timeout=WAITED_S)
    wrong = {**sent, "authorization": f"Bearer {SECRETS['token']}"}
    assert httpx.get(f"{page}/heatmap.png", headers=wrong).status_code == 401


def photo() -> str:
    """A picture whose metadata says too much."""
    written, notes = io.BytesIO(), PngImagePlugin.PngInfo()
    notes.add_text("Author", SECRETS["metadata"])
    notes.add_itxt("Place", SECRETS["e-mail"], zip=False)
    exif = Image.Exif()
    exif[0x010E] = SECRETS["metadata"]
    Image.new("RGB", (64, 48), "white").save(written, "PNG", pnginfo=notes, exif=exif)
    return base64.b64encode(written.getvalue()).decode()


def shown(url: str, signed_in: str, site: Site) -> Iterator[bytes]:
    """Pages, answers and pictures, as the owner sees them."""
    page = f"/sites/{site.public_key}/pages/shipping"
    with httpx.Client(base_url=url, follow_redirects=True, timeout=WAITED_S) as client:
        assert client.get(signed_in).status_code == 200
        for path in ("/", page, f"/sites/{site.public_key}/privacy"):
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            yield answer.content
        for kind in ("heatmap.json", "heatmap.png?picture=page&kind=click&legend=nl", "layouts"):
            answer = client.get(f"/api/v1{page}/{kind}")
            assert answer.status_code == 200, answer.text
            yield answer.content


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


async def _rows(served: House) -> dict[str, bytes]:
    store = Store(served.store_url)
    await store.open()
    try:
        await store.execute("CHECKPOINT")
        return await every_row(store)
    finally:
        await store.close()


def planted() -> Search:
    """The whole run."""
    search = Search()
    with house(workers=2, GLOED_TRUSTED_PROXIES="127.0.0.1") as served:
        url = f"http://127.0.0.1:{served.port}"
        site, keys, link = asyncio.run(_set_up(served))
        search.keys += keys.values()
        walk(url, site, keys)
        with served.postgres_paused():
            _walk_in_silence(url, site)
            assert not served.drained(), "nothing came into the spool"
            search.look_below("the spool", served.spool)
        asyncio.run(served.until(served.drained, "the spool is replayed"))
        for told in shown(url, link, site):
            search.look("pages and pictures", told)
        _search_store(search, served, "after the walk")
        for worker in served.workers():
            served.kill_worker(worker)
        served.kill_postgres()
        asyncio.run(served.until(lambda: served.postmaster() and len(served.workers()) == 2, "up"))
        walk(url, site, keys)
        _search_store(search, served, "after a kill")
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(WAITED_S)
        search.look_below("all files after a clean stop", served.home)
    return search


def _walk_in_silence(url: str, site: Site) -> None:
    """Only what needs no look into the store."""
    walker = Walker(url, f"{DESKTOP} {SECRETS['agent']}", SECRETS["address"], headers())
    token = walker.open(site, "shipping", SECRETS["order"])
    walker.tell(token, "1.h5", "2.f")
    _post(walker, site, token)


def _search_store(search: Search, served: House, when: str) -> None:
    for told in asyncio.run(_rows(served)).values():
        search.look(f"rows {when}", told)
    search.look_below(f"files of the store and its log of writes {when}", served.home / "pg")
    search.look(f"log {when}", (served.home / "log").read_bytes())


def main() -> int:
    search = planted()
    for place, size in search.searched.items():
        print(f"{place:60} {size / 1e6:8.1f} MB")
    for found in sorted(set(search.found)):
        print(f"FOUND: {found}")
    kinds = len(SECRETS)
    print(json.dumps({"kinds": kinds, "places": len(search.searched), "hits": len(search.found)}))
    return 1 if search.found else 0


if __name__ == "__main__":
    sys.exit(main())
