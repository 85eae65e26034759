"""Accounts of people, their roles for each shop, and signing in by name and password."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.access.keys import OWNER, KeyProblem
from app.access.passwords import check_password, hashed, matches
from app.problems import TooManyTries
from app.secret import derived
from app.store import Store
from collector.sites import Site

SCOPES_OF: Mapping[str, frozenset[str]] = {
    "reader": frozenset({"read"}),
    "editor": frozenset({"read", "write"}),
    "owner": frozenset({"read", "write", "own"}),
}
"""A role of a shop → what it may do there: look, change pages and zones, and decide who else may
and what is kept."""

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
TRY_WINDOW = timedelta(minutes=15)
TRIES_OF_ONE = 10
"""Failed tries of one name within the window; enough for whoever mistypes."""

TRIES_IN_ALL = 200
"""Of all names together: trying one password on many names is bounded too. While it is reached
nobody signs in by password; links of the command line still do."""

TRY_LOCK = 0x676C6F74
"""Advisory lock: tries are counted one after the other, whichever worker they come to."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who signed in.

    everywhere  the house's owner, who was let in by whoever runs it, sees every shop
    """

    account_id: int
    name: str
    sessions: int
    everywhere: bool = False
    roles: Mapping[int, str] = field(default_factory=dict, hash=False)

    def may(self, scope: str, site_id: int, page: str | None = None) -> bool:
        return self.everywhere or scope in SCOPES_OF.get(self.roles.get(site_id, ""), ())


ACCOUNT = """
    SELECT account.*, array_agg(site_id) FILTER (WHERE site_id IS NOT NULL) AS sites,
           array_agg(role) FILTER (WHERE role IS NOT NULL) AS given
    FROM account LEFT JOIN membership USING (account_id)
    WHERE account_id = $1 GROUP BY account.account_id
"""


async def find_account(store: Store, account_id: int) -> Account | None:
    row = await store.fetchrow(ACCOUNT, account_id)
    return None if row is None else account_in(row)


def account_in(row: Any) -> Account:
    """What a row of ACCOUNT says."""
    roles = dict(zip(row["sites"] or (), row["given"] or (), strict=True))
    return Account(row["account_id"], row["name"], row["sessions"], row["name"] == OWNER, roles)


async def add_account(store: Store, name: str, now: datetime) -> int:
    """An account without a role or password; its number."""
    if not NAME.fullmatch(name) or name == OWNER:
        raise KeyProblem(
            f"an account is called by 1 to 64 of a-z 0-9 . _ @ + -, and not {OWNER}, got {name!r}"
        )
    made: int | None = await store.fetchval(
        "INSERT INTO account (created_at, name) VALUES ($1, $2) "
        "ON CONFLICT (name) DO NOTHING RETURNING account_id",
        now,
        name,
    )
    if made is None:
        raise KeyProblem(f"there is an account {name} already; `gloed account list` shows all")
    return made


async def account_named(store: Store, name: str) -> int:
    found: int | None = await store.fetchval("SELECT account_id FROM account WHERE name = $1", name)
    if found is None:
        raise KeyProblem(
            f"there is no account {name!r}; `gloed account list` shows those there are"
        )
    return found


async def put_role(store: Store, name: str, site: Site, role: str | None) -> None:
    """Give this role for the shop in place of any other; None takes it away."""
    if role is not None and role not in SCOPES_OF:
        raise KeyProblem(f"a role is one of {', '.join(SCOPES_OF)}, got {role!r}")
    account_id = await account_named(store, name)
    if name == OWNER:
        raise KeyProblem(f"{OWNER} sees every shop; roles are for other accounts")
    if role is None:
        await store.execute(
            "DELETE FROM membership WHERE account_id = $1 AND site_id = $2",
            account_id,
            site.site_id,
        )
        return
    await store.execute(
        "INSERT INTO membership (account_id, site_id, role) VALUES ($1, $2, $3) "
        "ON CONFLICT (account_id, site_id) DO UPDATE SET role = excluded.role",
        account_id,
        site.site_id,
        role,
    )


async def put_password(store: Store, name: str, password: str) -> None:
    """From now on; whoever is signed in under the account signs in anew."""
    check_password(password, name)
    account_id = await account_named(store, name)
    kept = await asyncio.to_thread(hashed, password)
    await store.execute(
        "UPDATE account SET password = $2, sessions = sessions + 1 WHERE account_id = $1",
        account_id,
        kept,
    )


async def end_sessions(store: Store, account_id: int) -> None:
    """Every cookie that was given to this account is void from now on."""
    await store.execute(
        "UPDATE account SET sessions = sessions + 1 WHERE account_id = $1", account_id
    )


async def revoke_account(store: Store, name: str) -> None:
    """Delete it with its roles, links and sessions. The owner's keeps its number and its links,
    and loses its password and sessions: whoever runs the house can always get in."""
    account_id = await account_named(store, name)
    if name == OWNER:
        await store.execute(
            "UPDATE account SET password = NULL, sessions = sessions + 1 WHERE account_id = $1",
            account_id,
        )
    else:
        await store.execute("DELETE FROM account WHERE account_id = $1", account_id)


async def sign_in_by_password(
    store: Store, secret: bytes, name: str, password: str, now: datetime
) -> int | None:
    """The account, or None: an unknown name, one without a password and a wrong password cost the
    same work and the same try. Raises TooManyTries before any of it."""
    told = _name_hash(secret, name)
    await _take_a_try(store, told, now)
    row = await store.fetchrow("SELECT account_id, password FROM account WHERE name = $1", name)
    if not await matches(password, row and row["password"]):
        return None
    await store.execute("DELETE FROM sign_in_try WHERE name_hash = $1", told)
    return int(row["account_id"])


async def _take_a_try(store: Store, name_hash: bytes, now: datetime) -> None:
    """Counted before the password is looked at: tries at once do not slip through together."""
    async with store.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", TRY_LOCK)
        await connection.execute("DELETE FROM sign_in_try WHERE at <= $1", now - TRY_WINDOW)
        row = await connection.fetchrow(
            "SELECT count(*) AS all, count(*) FILTER (WHERE name_hash = $1) AS one, "
            "min(at) AS first FROM sign_in_try",
            name_hash,
        )
        if row["all"] < TRIES_IN_ALL and row["one"] < TRIES_OF_ONE:
            await connection.execute(
                "INSERT INTO sign_in_try (at, name_hash) VALUES ($1, $2)", now, name_hash
            )
            return
    raise TooManyTries(int(TRY_WINDOW.total_seconds()))


def _name_hash(secret: bytes, name: str) -> bytes:
    """Names are typed by anybody, at times a password in their place: kept as a keyed hash."""
    key = derived(secret, "sign-in name")
    return hmac.digest(key, name.encode("utf-8", "replace"), hashlib.sha256)
