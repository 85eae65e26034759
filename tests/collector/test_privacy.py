"""A walk full of canaries, and then every row of every table: none of them may be found."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.access.keys import add_key
from app.closing.day import close_day
from app.store import Store
from collector.codes import Browser, unpack_codes
from collector.sites import Site
from tests.build import DESKTOP, Walker, batch_body, make_shop
from tests.serving import Running

ADDRESSES = ("203.0.113.77", "2001:db8:ca:ca::77", "198.51.100.201")
EMAIL = "kanarie@voorbeeld.nl"
ORDER = "48151623421"
REFERENCE = "kanarie-order-9"
AGENT = f"{DESKTOP} Kanarie/7.7"
COOKIE = "sessie=kanariekoekje; cookie-consent=yes-kanarie"
SECRETS = (
    *ADDRESSES,
    "2001:db8:ca:ca::/64",
    EMAIL,
    ORDER,
    REFERENCE,
    AGENT,
    "Kanarie/7.7",
    "kanariekoekje",
    "yes-kanarie",
    "kanariewachtwoord",
    "kanarietaal",
    "kanariezoek",
    "kanarie@",
)
HEADERS = {
    "cookie": COOKIE,
    "accept-language": "nl-kanarietaal",
    "referer": f"https://kanarie:kanariewachtwoord@shop.nl/account/{EMAIL}?q=kanariezoek#kanarie",
    "x-real-ip": ADDRESSES[0],
    "forwarded": f"for={ADDRESSES[0]}",
}


def spellings(secret: str) -> set[bytes]:
    raw = secret.encode()
    percent = "".join(f"%{byte:02x}" for byte in raw)
    found = {raw, raw.hex().encode(), quote(secret, safe="").encode(), percent.encode()}
    # Base64 looks different at each of three places within a longer text.
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw)
        found.add(coded[(before * 8 + 5) // 6 : len(coded) // 4 * 4 - 4])
    return found | {spelling.upper() for spelling in found}


async def every_row(store: Store) -> dict[str, bytes]:
    tables = await store.fetch(
        "SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') "
        "AND relnamespace = 'public'::regnamespace"
    )
    return {row["name"]: await _dumped(store, row["name"]) for row in tables}


async def _dumped(store: Store, table: str) -> bytes:
    """Text as it is, bytes as they are and in hex, numbers in decimal and hex."""
    rows = await store.fetch(f'SELECT * FROM "{table}"')
    return b"\n".join(b" ".join(map(_cell, row.values())) for row in rows)


def _cell(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value + b" " + value.hex().encode()
    if isinstance(value, int):
        return f"{value} {value & (2**64 - 1):x}".encode()
    return str(value).encode()


def walk(gloed: Running, shop: Site) -> None:
    """Every way in, each with everything that must not be kept."""
    m = int(gloed.clock().timestamp()) // 60
    for n, address in enumerate(ADDRESSES):
        walker = Walker(gloed.url, agent=AGENT, address=address, headers=HEADERS)
        token = walker.open(shop, "shipping", REFERENCE)
        walker.tell(token, "1.h5", "1.f", "3.p1", "t60")
        for path in (f"/order/{ORDER}", f"/{quote(EMAIL)}/x", f"/a?mail={EMAIL}"):
            body = batch_body(m=m, id=f"{n:016x}", u=path, ref=REFERENCE)
            assert walker.post(shop, body).status_code == 204
        assert walker.post(shop, batch_body(t=token, s=1)).status_code == 204
        for refused in (f"/g/{shop.public_key}/cart/{EMAIL}", f"/g/{token}/{EMAIL}"):
            assert "x-gloed-drop" in walker.get(refused).headers
        assert walker.post(shop, f'{{"v":1,"{EMAIL}":1}}').status_code == 400
        assert walker.get(f"/g/done/{shop.public_key}/{REFERENCE}").status_code == 200
        assert walker.get(f"/g/done/{shop.public_key}").status_code == 200


def report(gloed: Running, shop: Site) -> None:
    key = gloed.do(add_key(gloed.store, shop.site_id, "goal", "server", gloed.clock()))
    told = {"ref": REFERENCE, "result": "failed"}
    answer = httpx.post(
        f"{gloed.url}/g/{shop.public_key}/goal",
        json=told,
        headers={"authorization": f"Bearer {key}", **HEADERS, "user-agent": AGENT},
    )
    assert answer.status_code == 204


def test_no_address_no_agent_and_no_text_is_in_any_table_or_log(
    gloed: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = gloed.do(make_shop(gloed.store, gloed.clock()))
    walk(gloed, shop)
    report(gloed, shop)
    later = gloed.clock() + timedelta(hours=1)
    gloed.do(close_day(gloed.store, shop, shop.day_of(gloed.clock()), later))

    dumped = gloed.do(every_row(gloed.store))
    for table in ("beacon", "batch", "goal", "path", "view", "visit", "stall_list"):
        assert dumped[table], f"the walk left nothing in {table}"
    assert b"/account/:email" in dumped["path"]
    assert b"/order/:num" in dumped["path"]
    logged = "".join(capfd.readouterr()).encode()
    for secret in SECRETS:
        for spelling in spellings(secret):
            found = [table for table, text in dumped.items() if spelling in text]
            assert not found, (secret, spelling, found)
            assert spelling not in logged, (secret, spelling)
    codes = gloed.do(gloed.store.fetch("SELECT DISTINCT codes FROM batch"))
    assert [unpack_codes(row["codes"]).browser for row in codes] == [Browser.CHROME]
