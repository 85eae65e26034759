"""API keys, one-time sign-in links, cookies and signed picture links.

Secrets are 256 random bits, so at rest a plain SHA-256 suffices; they are shown once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from app.secret import derived
from app.store import Store

KEY_PREFIX = "gld_"
SCOPES = ("read", "write", "goal")
SIGN_IN_LINK_LIVES = timedelta(hours=1)
COOKIE_LIVES = timedelta(days=14)
OWNER = "owner"
"""The first account; further ones come with roles."""


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


async def revoke_key(store: Store, key_id: int, now: datetime) -> None:
    done = await store.execute(
        "UPDATE api_key SET revoked_at = $2 WHERE api_key_id = $1 AND revoked_at IS NULL",
        key_id,
        now,
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


async def new_sign_in_link(store: Store, now: datetime) -> str:
    """The path of a link that signs in once."""
    secret = secrets.token_urlsafe(24)
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


async def use_sign_in_link(store: Store, secret: str, now: datetime) -> int | None:
    """The account it signs in; None when it is unknown, used or too old."""
    account_id: int | None = await store.fetchval(
        "UPDATE sign_in_link SET used_at = $2 "
        "WHERE link_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING account_id",
        _hash(secret),
        now,
    )
    return account_id


class Signer:
    """Signs what travels through browsers: the session cookie and links to one picture."""

    def __init__(self, secret: bytes) -> None:
        self._cookie_key = derived(secret, "cookie")
        self._link_key = derived(secret, "picture link")

    def cookie(self, account_id: int, now: datetime) -> str:
        told = f"{account_id}.{int((now + COOKIE_LIVES).timestamp())}"
        return f"{told}.{_mac(self._cookie_key, told)}"

    def account(self, cookie: str, now: datetime) -> int | None:
        told, _, mac = cookie.rpartition(".")
        if not _same(mac, _mac(self._cookie_key, told)):
            return None
        account_id, _, until = told.partition(".")
        return int(account_id) if int(until) > now.timestamp() else None

    def signed(self, path: str, query: dict[str, str], until: datetime) -> str:
        """`path?query` with an expiry and a signature over all of it; needs no header."""
        told = {**query, "expires": str(int(until.timestamp()))}
        return f"{path}?{urlencode({**told, 'signature': self._link_mac(path, told.items())})}"

    def link_holds(self, path: str, query: list[tuple[str, str]], now: datetime) -> bool:
        """Whether the signature covers just this path and these parameters, and is not too old."""
        given = dict(query)
        signature = given.pop("signature", "")
        until = given.get("expires", "")
        if len(given) != len(query) - 1 or not (until.isascii() and until.isdigit()):
            return False
        right = _same(signature, self._link_mac(path, given.items()))
        return right and datetime.fromtimestamp(int(until[:11]), UTC) > now

    def _link_mac(self, path: str, query: Iterable[tuple[str, str]]) -> str:
        return _mac(self._link_key, f"{path}?{urlencode(sorted(query))}")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _mac(key: bytes, told: str) -> str:
    digest = hmac.digest(key, told.encode("utf-8", "replace"), hashlib.sha256)[:18]
    return base64.urlsafe_b64encode(digest).decode()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
