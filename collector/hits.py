"""A hit: what a request said, and what its headers are reduced to on the way to a row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from collector.decode import Batch
from collector.sites import Page, Site
from collector.tokens import Token
from collector.wire import Capture, Reason


@dataclass(frozen=True, slots=True)
class Sent:
    """The headers that matter, read once; none of them outlives the sieve."""

    address: str
    agent: str
    language: str
    referrer: str
    cookies: str
    purpose: str
    opted_out: bool
    unbelieved: bool


@dataclass(frozen=True, slots=True)
class Opening:
    slug: str
    ref: str | None


@dataclass(frozen=True, slots=True)
class Beacon:
    token: Token
    name: str


@dataclass(frozen=True, slots=True)
class Script:
    batch: Batch
    token: Token | None


@dataclass(frozen=True, slots=True)
class Thanks:
    """The goal image of a thank-you page."""

    ref: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    at: datetime
    sent: Sent
    said: Opening | Beacon | Script | Thanks
    site: Site | None
    page: Page | None = None

    @property
    def capture(self) -> Capture:
        return Capture.SCRIPT if isinstance(self.said, Script) else Capture.CSS


@dataclass(frozen=True, slots=True)
class Drop:
    reason: Reason
