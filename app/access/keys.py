"""API keys, one-time sign-in links, cookies and signed links.

Secrets are 256 random bits, so at rest a plain SHA-256 suffices; they are shown once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from app.secret import derived
from app.store import Store

KEY_PREFIX = "gld_"
SCOPES = ("read", "write", "goal")
SIGN_IN_LINK_LIVES = timedelta(hours=1)
COOKIE_LIVES = timedelta(days=14)
OWNER = "owner"
"""The first account, of whoever runs the house; it sees every shop. Others have roles."""


class KeyProblem(Exception):
    """A key or link cannot be made or used."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    api_key_id: int
    site_id: int
    scope: str

    def allows(self, scope: str) -> bool:
        """A writer may read; a goal key may report goals and nothing else."""
        return self.scope == scope or (self.scope == "write" and scope == "read")

    def may(self, scope: str, site_id: int, page: str | None = None) -> bool:
        return self.site_id == site_id and self.allows(scope)


async def add_key(store: Store, site_id: int, scope: str, label: str, now: datetime) -> str:
    if scope not in SCOPES:
        raise KeyProblem(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}")
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    await store.execute(
        "INSERT INTO api_key (created_at, site_id, key_hash, scope, label) "
        "VALUES ($1, $2, $3, $4, $5)",
        now,
        site_id,
        _hash(key),
        scope,
        label,
    )
    return key


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as it is told to others than its holder; used_at: the day it was last used."""

    api_key_id: int
    scope: str
    label: str
    made_at: datetime
    used_at: datetime | None


async def keys_of(store: Store, site_id: int) -> tuple[ListedKey, ...]:
    """Those in use, the oldest first."""
    rows = await store.fetch(
        "SELECT api_key_id, scope, label, created_at AS made_at, last_used_at AS used_at "
        "FROM api_key WHERE site_id = $1 AND revoked_at IS NULL ORDER BY api_key_id",
        site_id,
    )
    return tuple(ListedKey(**dict(row)) for row in rows)


async def revoke_key(
    store: Store, key_id: int, now: datetime, *, site_id: int | None = None
) -> None:
    """End it at once; with `site_id` only a key of that shop."""
    done = await store.execute(
        "UPDATE api_key SET revoked_at = $2 WHERE api_key_id = $1 AND revoked_at IS NULL "
        "AND ($3::int IS NULL OR site_id = $3)",
        key_id,
        now,
        site_id,
    )
    if done == "UPDATE 0":
        raise KeyProblem(f"there is no key {key_id} in use; `gloed key list` shows those there are")


async def find_key(store: Store, authorization: str, now: datetime) -> ApiKey | None:
    """The key of an Authorization header, if it is good; notes the day it was used."""
    kind, _, key = authorization.partition(" ")
    if kind.lower() != "bearer" or not key.startswith(KEY_PREFIX):
        return None
    row = await store.fetchrow(
        "SELECT api_key_id, site_id, scope, last_used_at FROM api_key "
        "WHERE key_hash = $1 AND revoked_at IS NULL",
        _hash(key.strip()),
    )
    if row is None:
        return None
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if row["last_used_at"] != today:
        await store.execute(
            "UPDATE api_key SET last_used_at = $2 WHERE api_key_id = $1", row["api_key_id"], today
        )
    return ApiKey(row["api_key_id"], row["site_id"], row["scope"])


async def new_sign_in_link(store: Store, now: datetime, account_id: int | None = None) -> str:
    """The path of a link that signs in once; without an account given, the owner."""
    secret = secrets.token_urlsafe(24)
    if account_id is None:
        account_id = await store.fetchval(
            "INSERT INTO account (created_at, name) VALUES ($1, $2) "
            "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING account_id",
            now,
            OWNER,
        )
    await store.execute(
        "INSERT INTO sign_in_link (link_hash, account_id, expires_at) VALUES ($1, $2, $3)",
        _hash(secret),
        account_id,
        now + SIGN_IN_LINK_LIVES,
    )
    return f"/sign-in/{secret}"


async def sign_in_link_of(store: Store, secret: str, now: datetime) -> int | None:
    """The account that a link would sign in; it stays unused."""
    account_id: int | None = await store.fetchval(
        "SELECT account_id FROM sign_in_link "
        "WHERE link_hash = $1 AND used_at IS NULL AND expires_at > $2",
        _hash(secret),
        now,
    )
    return account_id


async def use_sign_in_link(store: Store, secret: str, now: datetime) -> int | None:
    """The account it signs in; None when it is unknown, used or too old."""
    account_id: int | None = await store.fetchval(
        "UPDATE sign_in_link SET used_at = $2 "
        "WHERE link_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING account_id",
        _hash(secret),
        now,
    )
    return account_id


@dataclass(frozen=True, slots=True)
class Session:
    """What a good cookie says: an account, and which of its sessions' times it was given in."""

    account_id: int
    sessions: int


class Signer:
    """Signs what travels through browsers: cookies, links to one picture and shares."""

    def __init__(self, secret: bytes) -> None:
        self._cookie_key = derived(secret, "cookie")
        self._link_key = derived(secret, "picture link")
        self._share_key = derived(secret, "share")

    def cookie(self, session: Session, now: datetime) -> str:
        until = int((now + COOKIE_LIVES).timestamp())
        return _told(self._cookie_key, session.account_id, session.sessions, until)

    def session(self, cookie: str, now: datetime) -> Session | None:
        """None for a cookie that is changed or too old. Whether its account still is, and has not
        ended its sessions since, the store knows."""
        numbers = _numbers(self._cookie_key, cookie)
        if numbers is None or numbers[-1] <= now.timestamp():
            return None
        return Session(numbers[0], numbers[1])

    def share(self, share_id: int, until: datetime) -> str:
        """What a share's link ends in, and its guest's cookie holds."""
        return _told(self._share_key, share_id, int(until.timestamp()))

    def shared(self, token: str, now: datetime) -> int | None:
        """The number of the share; whether it was revoked the store knows."""
        numbers = _numbers(self._share_key, token)
        return numbers[0] if numbers and numbers[-1] > now.timestamp() else None

    def signed(self, path: str, query: dict[str, str], until: datetime, share_id: int = 0) -> str:
        """`path?query` with an expiry and a signature over all of it; needs no header.

        share_id  the share that can be revoked, 0 for none: of links that the house makes itself
        """
        told = {**query, "expires": str(int(until.timestamp()))}
        signature = f"{share_id}.{self._link_mac(share_id, path, told.items())}"
        return f"{path}?{urlencode({**told, 'signature': signature})}"

    def link_holds(self, path: str, query: list[tuple[str, str]], now: datetime) -> int | None:
        """The share of a link whose signature covers just this path and these parameters and that
        is not too old; None for any other."""
        given = dict(query)
        number, _, mac = given.pop("signature", "").partition(".")
        until = given.get("expires", "")
        if len(given) != len(query) - 1 or not (_is_number(until) and _is_number(number)):
            return None
        right = _same(mac, self._link_mac(int(number), path, given.items()))
        return int(number) if right and int(until) > now.timestamp() else None

    def _link_mac(self, share_id: int, path: str, query: Iterable[tuple[str, str]]) -> str:
        return _mac(self._link_key, f"{share_id}.{path}?{urlencode(sorted(query))}")


LONGEST_NUMBER = 11
"""Digits: seconds since 1970 have ten for some centuries yet."""


def _is_number(text: str) -> bool:
    """As we write them: anything else would be another spelling of the same link."""
    plain = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    return plain and str(int(text)) == text


def _told(key: bytes, *numbers: int) -> str:
    told = ".".join(map(str, numbers))
    return f"{told}.{_mac(key, told)}"


def _numbers(key: bytes, signed: str) -> list[int] | None:
    told, _, mac = signed.rpartition(".")
    return [int(part) for part in told.split(".")] if _same(mac, _mac(key, told)) else None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _mac(key: bytes, told: str) -> str:
    digest = hmac.digest(key, told.encode("utf-8", "replace"), hashlib.sha256)[:18]
    return base64.urlsafe_b64encode(digest).decode()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
