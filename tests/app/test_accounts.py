"""Accounts: roles for each shop, passwords, and how often one may try."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from app.access.accounts import (
    NAME,
    TRIES_IN_ALL,
    TRIES_OF_ONE,
    TRY_WINDOW,
    account_named,
    add_account,
    find_account,
    put_password,
    put_role,
    revoke_account,
    sign_in_by_password,
)
from app.access.keys import OWNER, KeyProblem, new_sign_in_link, use_sign_in_link
from app.access.passwords import LOG2_N, WeakPassword, check_password, hashed, matches
from app.problems import TooManyTries
from app.shops import add_site, find_site
from app.store import Store
from collector.sites import Site
from tests.conftest import NOON

SECRET = b"0123456789abcdef0123456789abcdef"
WORDS = "vier losse woorden hier"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash costs next to nothing, but where its cost is what is looked at."""
    if "worked" not in request.fixturenames:
        monkeypatch.setattr("app.access.passwords.LOG2_N", 4)


@pytest.fixture
async def shops(store: Store) -> list[Site]:
    keys = [await add_site(store, name, NOON) for name in ("Fietsen", "Bloemen")]
    return [await find_site(store, key) for key in keys]


async def knock(store: Store, name: str, password: str, now: Any = NOON) -> int | None:
    return await sign_in_by_password(store, SECRET, name, password, now)


async def rights(store: Store, name: str) -> set[tuple[str, int]]:
    account = await find_account(store, await account_named(store, name))
    assert account is not None
    sites = await store.fetch("SELECT site_id FROM site")
    scopes = ("read", "write", "goal", "manage", "")
    return {
        (scope, row["site_id"])
        for row in sites
        for scope in scopes
        if account.may(scope, row["site_id"])
    }


@pytest.mark.parametrize(
    ("role", "scopes"),
    [("reader", {"read"}), ("editor", {"read", "write"}), ("owner", {"read", "write"})],
)
async def test_a_role_of_one_shop_is_none_of_another(
    store: Store, shops: list[Site], role: str, scopes: set[str]
) -> None:
    await add_account(store, "anna", NOON)
    assert await rights(store, "anna") == set()
    await put_role(store, "anna", shops[0], role)
    assert await rights(store, "anna") == {(scope, shops[0].site_id) for scope in scopes}
    await put_role(store, "anna", shops[0], None)
    assert await rights(store, "anna") == set()


async def test_a_role_is_replaced_and_the_owner_has_them_all(
    store: Store, shops: list[Site]
) -> None:
    await add_account(store, "anna", NOON)
    for role in ("owner", "reader"):
        await put_role(store, "anna", shops[1], role)
    assert await rights(store, "anna") == {("read", shops[1].site_id)}
    await new_sign_in_link(store, NOON)
    everything = {(s, site.site_id) for s in ("read", "write") for site in shops}
    assert await rights(store, OWNER) >= everything
    with pytest.raises(KeyProblem, match="sees every shop"):
        await put_role(store, OWNER, shops[0], "reader")
    with pytest.raises(KeyProblem, match="one of reader, editor, owner, got 'admin'"):
        await put_role(store, "anna", shops[0], "admin")


@pytest.mark.parametrize("name", ["", "Anna", "a b", "a" * 65, OWNER, "é", "-a", "a\n", "../a"])
async def test_a_name_that_could_be_mistaken_is_refused(store: Store, name: str) -> None:
    with pytest.raises(KeyProblem):
        await add_account(store, name, NOON)
    assert not NAME.fullmatch(name) or name == OWNER


async def test_a_name_is_given_once(store: Store) -> None:
    await add_account(store, "anna@shop.nl", NOON)
    with pytest.raises(KeyProblem, match="already"):
        await add_account(store, "anna@shop.nl", NOON)
    with pytest.raises(KeyProblem, match="gloed account list"):
        await account_named(store, "bert")


async def test_there_is_no_default_login(store: Store) -> None:
    await new_sign_in_link(store, NOON)
    await add_account(store, "anna", NOON)
    for name in (OWNER, "anna", "admin", "root", ""):
        for password in ("", "admin", "password", OWNER, "gloed"):
            if (name, password) == ("", ""):
                continue
            assert await knock(store, name, password) is None


async def test_the_right_password_signs_in_and_no_other(store: Store) -> None:
    number = await add_account(store, "anna", NOON)
    await put_password(store, "anna", "cafe\u0301 met vier woorden")
    assert await knock(store, "anna", "caf\xe9 met vier woorden") == number, "composed or not"
    for wrong in ("cafe met vier woorden", "CAF\xc9 MET VIER WOORDEN", "", "x" * 4000, "\udcff"):
        assert await knock(store, "anna", wrong) is None
    row = dict(await store.fetchrow("SELECT * FROM account"))
    assert "vier" not in str(row)
    assert row["password"].startswith("scrypt$4$8$3$")


async def test_two_accounts_with_one_password_are_kept_differently() -> None:
    first, second = hashed(WORDS), hashed(WORDS)
    assert first != second
    assert await matches(WORDS, first)
    assert await matches(WORDS, second)
    assert not await matches(WORDS, second.replace(second[-6:-2], "AAAA"))


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What scrypt was asked for: its cost, not how long it took."""
    seen: list[tuple[Any, ...]] = []
    scrypt = hashlib.scrypt

    def counted(password: bytes, **given: Any) -> bytes:
        seen.append((given["n"], given["r"], given["p"], given["dklen"], len(given["salt"])))
        return scrypt(password, **given)

    monkeypatch.setattr("hashlib.scrypt", counted)
    return seen


async def test_an_unknown_name_costs_what_a_wrong_password_does(
    store: Store, worked: list[tuple[Any, ...]]
) -> None:
    await add_account(store, "anna", NOON)
    await add_account(store, "bert", NOON)
    await put_password(store, "anna", WORDS)
    worked.clear()
    for name in ("anna", "bert", "nobody"):
        assert await knock(store, name, "not the password") is None
    assert len(worked) == 3
    assert set(worked) == {(2**LOG2_N, 8, 3, 32, 32)}
    tries = await store.fetch("SELECT name_hash, count(*) AS n FROM sign_in_try GROUP BY 1")
    assert [row["n"] for row in tries] == [1, 1, 1]


async def test_a_kept_hash_that_asks_for_too_much_is_never_worked_out(
    worked: list[tuple[Any, ...]],
) -> None:
    assert not await matches(WORDS, hashed(WORDS).replace("scrypt$15$", "scrypt$30$"))
    assert [cost[0] for cost in worked] == [2**LOG2_N], "the one that was made"


@pytest.mark.parametrize("name", ["anna", "nobody"])
async def test_after_some_tries_even_the_right_password_waits(store: Store, name: str) -> None:
    """The same for a name that there is not: the limit tells nobody which names there are."""
    await add_account(store, "anna", NOON)
    await put_password(store, "anna", WORDS)
    for _ in range(TRIES_OF_ONE):
        assert await knock(store, name, "wrong") is None
    with pytest.raises(TooManyTries) as refused:
        await knock(store, name, WORDS)
    assert refused.value.retry_after_s == TRY_WINDOW.total_seconds()
    later = NOON + TRY_WINDOW
    assert (await knock(store, name, WORDS, later) is not None) == (name == "anna")


async def test_signing_in_wipes_ones_own_tries_and_no_others(store: Store) -> None:
    await add_account(store, "anna", NOON)
    await put_password(store, "anna", WORDS)
    await knock(store, "bert", "wrong")
    for _ in range(2):
        await knock(store, "anna", "wrong")
    assert await knock(store, "anna", WORDS) is not None
    assert await store.fetchval("SELECT count(*) FROM sign_in_try") == 1


async def test_many_names_share_one_limit(store: Store) -> None:
    await store.execute(
        "INSERT INTO sign_in_try (at, name_hash) "
        "SELECT $1, int4send(n) FROM generate_series(1, $2::int) AS n",
        NOON - TRY_WINDOW + SECOND,
        TRIES_IN_ALL,
    )
    with pytest.raises(TooManyTries):
        await knock(store, "anna", "wrong")
    assert await knock(store, "anna", "wrong", NOON + SECOND) is None


async def test_tries_at_once_do_not_slip_through_together(store: Store) -> None:
    found = await asyncio.gather(
        *(knock(store, "anna", str(n)) for n in range(TRIES_OF_ONE + 5)), return_exceptions=True
    )
    assert sum(isinstance(one, TooManyTries) for one in found) == 5


async def test_what_is_typed_as_a_name_is_kept_nowhere(store: Store) -> None:
    await knock(store, "my-password-by-mistake", "x")
    row = await store.fetchrow("SELECT * FROM sign_in_try")
    assert row["name_hash"] != hashlib.sha256(b"my-password-by-mistake").digest(), "keyed"
    assert len(row["name_hash"]) == 32


async def test_a_new_password_and_a_revoked_account_end_sessions(store: Store) -> None:
    number = await add_account(store, "anna", NOON)
    before = await find_account(store, number)
    await put_password(store, "anna", WORDS)
    after = await find_account(store, number)
    assert before is not None
    assert after is not None
    assert after.sessions > before.sessions
    link = (await new_sign_in_link(store, NOON, number)).rpartition("/")[2]
    await revoke_account(store, "anna")
    assert await find_account(store, number) is None
    assert await use_sign_in_link(store, link, NOON) is None


async def test_the_owner_is_never_locked_out(store: Store) -> None:
    await new_sign_in_link(store, NOON)
    await put_password(store, OWNER, WORDS)
    number = await knock(store, OWNER, WORDS)
    assert number is not None
    await revoke_account(store, OWNER)
    assert await knock(store, OWNER, WORDS) is None
    link = (await new_sign_in_link(store, NOON)).rpartition("/")[2]
    assert await use_sign_in_link(store, link, NOON) == number


@pytest.mark.parametrize(
    "weak",
    [
        *("", "short", "fourteen chars", "x" * 257),
        *("aaaaaaaaaaaaaaaaaaaa", "121212121212121212", "Anna is a good password"),
    ],
)
def test_a_password_that_could_be_guessed_is_refused(weak: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(weak, "anna")


@pytest.mark.parametrize("strong", [WORDS, "correct horse battery staple", "ünïcödé wörds hère"])
def test_length_is_asked_for_and_not_kinds_of_signs(strong: str) -> None:
    check_password(strong, "anna")
