"""The fleet's secret: given, or made once beside the embedded store. Keys derive from it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from app.config import DEFAULT_DATA_DIR, Settings, SettingsError
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
    except OSError as problem:
        raise SettingsError(f"GLOED_SECRET_FILE {path} cannot be read: {problem}") from problem
    checked = Settings.model_validate({"secret": text}).secret
    assert checked is not None
    return checked.encode()


def _made(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_hex(32)
    part = path.with_name(f"{FILE}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(fresh)
    try:
        os.link(part, path)  # fails when another process was first: its secret counts
    except FileExistsError:
        pass
    finally:
        part.unlink()
    return path.read_text().strip().encode()
