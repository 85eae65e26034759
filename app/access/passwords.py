"""Passwords as scrypt hashes that name their own parameters; one is worked out at a time.

Source: RFC 7914; parameters from OWASP's Password Storage Cheat Sheet (N = 2^15, r = 8, p = 3,
one of the choices it calls equal), lengths from NIST SP 800-63B-4 §3.1.1.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from app.access.keys import KeyProblem

LOG2_N, R, P = 15, 8, 3
"""32 MiB for each hash: of the equal choices the largest that a worker of 256 MB can spare."""

MAX_LOG2_N, MAX_R, MAX_P = 17, 8, 10
"""What a kept hash may ask for: a store that was tampered with must not take the machine down."""

SALT_BYTES = HASH_BYTES = 32
MIN_CHARS = 15
"""Of a password that is the only thing asked for."""

MAX_CHARS = 256
MIN_DISTINCT = 6
"""Fewer different signs in 15 are a pattern, such as 121212121212121."""

_ONE_AT_A_TIME = ThreadPoolExecutor(1, thread_name_prefix="password")
"""Tries queue here, beside the loop: they cost one core and 32 MiB, however many come."""


class WeakPassword(KeyProblem):
    """A password that could be guessed; the message says what is asked of one."""


def check_password(password: str, name: str) -> None:
    """Raises WeakPassword. Length is asked for, not kinds of signs: four words will do."""
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise WeakPassword(
            f"a password has {MIN_CHARS} to {MAX_CHARS} characters, this one {len(password)}: "
            "four or five words will do"
        )
    if len(set(password)) < MIN_DISTINCT or name.lower() in password.lower():
        raise WeakPassword(
            f"the password is too easy to guess: it needs {MIN_DISTINCT} different characters "
            "and must not hold the account's name"
        )


def hashed(password: str) -> str:
    """`scrypt$15$8$3$salt$hash`: parameters may grow, and old hashes still be read."""
    salt = secrets.token_bytes(SALT_BYTES)
    return _written(salt, _scrypt(password, salt, LOG2_N, R, P))


async def matches(password: str, kept: str | None) -> bool:
    """Whether this is the password; without one kept the same work is done, and the answer no."""
    loop = asyncio.get_running_loop()
    right = await loop.run_in_executor(_ONE_AT_A_TIME, _matches, password, kept or _nobodys())
    return right and kept is not None


def _matches(password: str, kept: str) -> bool:
    kind, log2_n, r, p, salt, told = kept.split("$")
    costs = int(log2_n), int(r), int(p)
    if kind != "scrypt" or any(map(int.__gt__, costs, (MAX_LOG2_N, MAX_R, MAX_P))):
        return False
    return hmac.compare_digest(_scrypt(password, _bytes(salt), *costs), _bytes(told))


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    """Of the composed form: keyboards differ in how they write an é."""
    told = unicodedata.normalize("NFKC", password).encode("utf-8", "replace")
    memory = 128 * r * (2**log2_n + p + 2)
    return hashlib.scrypt(
        told, salt=salt, n=2**log2_n, r=r, p=p, maxmem=2 * memory, dklen=HASH_BYTES
    )


def _written(salt: bytes, digest: bytes) -> str:
    told = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("scrypt", str(LOG2_N), str(R), str(P), *told))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _nobodys() -> str:
    """Stands for the password of an account that is not there, or has none."""
    return _written(bytes(SALT_BYTES), bytes(HASH_BYTES))
