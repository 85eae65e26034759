"""What can go wrong on the write side; one root."""

from __future__ import annotations


class CollectorError(Exception):
    """Root of the collector's errors."""


class Malformed(CollectorError):
    """The body is not what the wire format says; nothing of it was kept."""


class TooLarge(CollectorError):
    """The body exceeds the limit; nothing of it was kept."""


class UnsupportedMedia(CollectorError):
    """The content type or encoding is not one the route takes."""


class NotStored(CollectorError):
    """The store or the queue cannot take it now: come back after `retry_after_s`."""

    def __init__(self, why: str, retry_after_s: int = 2) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class StoreError(CollectorError):
    """The store refused or cannot be reached."""
