"""API keys, sign-in links, cookies and signed links."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.keys import (
    COOKIE_LIVES,
    SIGN_IN_LINK_LIVES,
    KeyProblem,
    Session,
    Signer,
    add_key,
    find_key,
    new_sign_in_link,
    revoke_key,
    use_sign_in_link,
)
from app.secret import derived
from app.shops import add_site, find_site
from app.store import Store
from collector.sites import Site
from tests.conftest import NOON

SIGNER = Signer(b"0123456789abcdef0123456789abcdef")
OTHER = Signer(b"another secret of another fleet!")
PATH = "/api/v1/sites/gs_x/pages/shipping/heatmap.png"
SESSION = Session(7, 2)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture
async def shop(store: Store) -> Site:
    return await find_site(store, await add_site(store, "Fietsenwinkel", NOON))


async def test_a_key_is_shown_once_and_kept_as_a_hash(store: Store, shop: Site) -> None:
    key = await add_key(store, shop.site_id, "read", "dashboard", NOON)
    assert key.startswith("gld_")
    assert len(key) >= 47, "256 random bits"
    row = await store.fetchrow("SELECT * FROM api_key")
    assert row["key_hash"] == hashlib.sha256(key.encode()).digest()
    assert key not in str(dict(row))


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("read", {"read"}), ("write", {"read", "write"}), ("goal", {"goal"})],
)
async def test_a_key_may_do_what_its_scope_says(
    store: Store, shop: Site, scope: str, allowed: set[str]
) -> None:
    key = await add_key(store, shop.site_id, scope, "", NOON)
    found = await find_key(store, f"Bearer {key}", NOON)
    assert found is not None
    assert found.site_id == shop.site_id
    assert {
        each for each in ("read", "write", "goal", "admin", "") if found.allows(each)
    } == allowed


async def test_a_scope_that_there_is_not_is_refused(store: Store, shop: Site) -> None:
    with pytest.raises(KeyProblem, match="one of read, write, goal, got 'admin'"):
        await add_key(store, shop.site_id, "admin", "", NOON)


async def test_only_the_whole_key_in_the_right_header_is_found(store: Store, shop: Site) -> None:
    key = await add_key(store, shop.site_id, "read", "", NOON)
    for header in ("Bearer {}", "bearer {}", "BEARER {} "):
        assert await find_key(store, header.format(key), NOON) is not None
    wrong = [
        "",
        key,
        "Bearer",
        "Bearer ",
        f"Basic {key}",
        f"Bearer {key[:-1]}",
        f"Bearer {key}x",
        f"Bearer {key.upper()}",
        "Bearer gld_",
        "Bearer gld_é\udcff\0" + "x" * 10_000,
    ]
    for header in wrong:
        assert await find_key(store, header, NOON) is None, header


async def test_the_day_of_last_use_is_noted_and_no_finer_time(store: Store, shop: Site) -> None:
    key = await add_key(store, shop.site_id, "read", "", NOON)
    midnight = NOON.replace(hour=0)
    for moment, noted in (
        (NOON, midnight),
        (NOON + DAY / 3, midnight),
        (NOON + DAY, midnight + DAY),
    ):
        await find_key(store, f"Bearer {key}", moment)
        assert await store.fetchval("SELECT last_used_at FROM api_key") == noted


async def test_a_revoked_key_ends_at_once(store: Store, shop: Site) -> None:
    key = await add_key(store, shop.site_id, "read", "", NOON)
    number = await store.fetchval("SELECT api_key_id FROM api_key")
    await revoke_key(store, number, NOON)
    assert await find_key(store, f"Bearer {key}", NOON) is None
    for gone in (number, number + 1):
        with pytest.raises(KeyProblem, match="gloed key list"):
            await revoke_key(store, gone, NOON)


async def test_a_sign_in_link_works_once_and_within_the_hour(store: Store) -> None:
    link = await new_sign_in_link(store, NOON)
    secret = link.removeprefix("/sign-in/")
    kept = await store.fetchval("SELECT link_hash FROM sign_in_link")
    assert kept == hashlib.sha256(secret.encode()).digest()
    used = await asyncio.gather(*(use_sign_in_link(store, secret, NOON) for _ in range(5)))
    assert sum(account is not None for account in used) == 1
    late = (await new_sign_in_link(store, NOON)).removeprefix("/sign-in/")
    assert await use_sign_in_link(store, late, NOON + SIGN_IN_LINK_LIVES) is None
    for strange in ("", "x", "é\udcff", secret + "x"):
        assert await use_sign_in_link(store, strange, NOON) is None


async def test_every_link_signs_in_the_same_owner(store: Store) -> None:
    links = [(await new_sign_in_link(store, NOON)).rpartition("/")[2] for _ in range(2)]
    first, second = [await use_sign_in_link(store, link, NOON) for link in links]
    assert first == second
    assert first is not None


def test_a_cookie_says_whose_it_is_until_it_expires() -> None:
    cookie = SIGNER.cookie(SESSION, NOON)
    assert SIGNER.session(cookie, NOON) == SESSION
    assert SIGNER.session(cookie, NOON + COOKIE_LIVES - SECOND) == SESSION
    assert SIGNER.session(cookie, NOON + COOKIE_LIVES) is None
    assert OTHER.session(cookie, NOON) is None


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_a_cookie_of_which_one_sign_was_changed_is_none(at: int) -> None:
    cookie = SIGNER.cookie(SESSION, NOON)
    place = at % len(cookie)
    changed = cookie[:place] + ("1" if cookie[place] != "1" else "2") + cookie[place + 1 :]
    assert SIGNER.session(changed, NOON) is None


@pytest.mark.parametrize(
    "garbage",
    ["", ".", "..", "a.b.c", "7", "7.9999999999", "7." + "9" * 5000 + ".x", "é.ü.ß", "\udcff"],
)
def test_garbage_for_a_cookie_is_nobody(garbage: str) -> None:
    assert SIGNER.session(garbage, NOON) is None


@given(st.text(max_size=60))
def test_no_text_is_anybodys_cookie(text: str) -> None:
    assert SIGNER.session(text, NOON) is None


def pairs(address: str) -> list[tuple[str, str]]:
    query = address.partition("?")[2]
    return [(name, value) for name, _, value in (part.partition("=") for part in query.split("&"))]


def test_a_link_holds_for_its_path_and_parameters_until_it_expires() -> None:
    link = SIGNER.signed(PATH, {"kind": "stall", "device": "phone"}, NOON + DAY)
    told = pairs(link)
    assert link.startswith(PATH + "?")
    assert SIGNER.link_holds(PATH, told, NOON) == 0
    assert SIGNER.link_holds(PATH, told[::-1], NOON) == 0, "browsers and proxies may reorder"
    assert SIGNER.link_holds(PATH, told, NOON + DAY) is None
    assert SIGNER.link_holds(PATH.replace("shipping", "payment"), told, NOON) is None
    assert OTHER.link_holds(PATH, told, NOON) is None


def test_a_link_says_which_share_it_belongs_to_and_to_no_other() -> None:
    told = pairs(SIGNER.signed(PATH, {"kind": "stall"}, NOON + DAY, 12))
    assert SIGNER.link_holds(PATH, told, NOON) == 12
    *others, (name, signature) = told
    for spelling in ("0", "13", "012", "+12", " 12", "\uff11\uff12", ""):
        changed = [*others, (name, spelling + signature[signature.index(".") :])]
        assert SIGNER.link_holds(PATH, changed, NOON) is None, spelling


def test_a_share_is_known_until_it_ends_and_is_no_cookie() -> None:
    token = SIGNER.share(12, NOON + DAY)
    assert SIGNER.shared(token, NOON) == 12
    assert SIGNER.shared(token, NOON + DAY) is None
    assert OTHER.shared(token, NOON) is None
    assert SIGNER.session(token, NOON) is None
    assert SIGNER.shared(SIGNER.cookie(SESSION, NOON), NOON) is None


@pytest.mark.parametrize("name", ["kind", "device", "expires", "signature"])
def test_a_link_of_which_anything_was_changed_holds_no_more(name: str) -> None:
    told = pairs(SIGNER.signed(PATH, {"kind": "stall", "device": "phone"}, NOON + DAY))
    others = [pair for pair in told if pair[0] != name]
    value = dict(told)[name]
    for changed in (value + "1", "", "9" * 30, "\uff11\uff12", value[:-1]):
        assert SIGNER.link_holds(PATH, [*others, (name, changed)], NOON) is None, changed
    assert SIGNER.link_holds(PATH, others, NOON) is None
    assert SIGNER.link_holds(PATH, [*told, (name, value)], NOON) is None
    assert SIGNER.link_holds(PATH, [*told, ("opacity", "1")], NOON) is None


def test_no_key_of_one_purpose_serves_another() -> None:
    keys = {derived(b"secret", purpose) for purpose in ("cookie", "picture link", "")}
    assert len(keys) == 3
    assert b"secret" not in keys
