"""The fleet's secret: given, or made once beside the embedded store. Keys derive from it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from app.config import DEFAULT_DATA_DIR, Settings, SettingsError, strong_secret
from app.postgres import data_home

FILE = "secret"


def fleet_secret(settings: Settings) -> bytes:
    if settings.secret is not None:
        return settings.secret.encode()
    if settings.secret_file is not None:
        return _given(settings.secret_file)
    if not settings.embedded:
        raise SettingsError(
            "GLOED_SECRET must be set beside GLOED_DATABASE_URL, the same for every collector; "
            'make one with: python3 -c "import secrets; print(secrets.token_hex())"'
        )
    explicit = settings.data_dir is not None
    return _made(data_home(settings.data_dir or DEFAULT_DATA_DIR, explicit) / FILE)


def derived(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, so that no signature serves another."""
    return hmac.digest(secret, b"purpose\0" + purpose.encode(), hashlib.sha256)


def _given(path: Path) -> bytes:
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsError(f"GLOED_SECRET_FILE {path} cannot be read: {problem}") from problem
    return _checked(text, path)


def _made(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    return _checked(path.read_text().strip(), path)


def _make(path: Path) -> None:
    """Whole or not at all, and of several processes that begin at once by the first alone."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{FILE}.")  # for its owner alone
    try:
        with open(handle, "w") as part:
            part.write(secrets.token_hex(32))
            part.flush()
            os.fsync(handle)
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(name, path)
    finally:
        os.unlink(name)


def _checked(text: str, path: Path) -> bytes:
    try:
        strong_secret(text)
    except ValueError as weak:
        raise SettingsError(f"{path}: {weak}") from weak
    return text.encode()
