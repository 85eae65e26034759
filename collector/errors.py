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


class InDoubt(CollectorError):
    """The store was lost while it committed: kept or not, nobody can say. Nothing is claimed."""


class StoreError(CollectorError):
    """The store refused or cannot be reached."""


class OtherRevision(StoreError):
    """The store's schema is older or newer than what rows are written for."""

    store = ""
    """Its identity, where it was asked for: rows may wait for it."""


class SpoolError(CollectorError):
    """The spool is full, cannot be written, or is not there; it holds nothing of the group."""


class SpoolInDoubt(SpoolError):
    """The disk failed, and what it kept of the group could not be taken back."""


class PackingError(CollectorError):
    """Packed bytes are damaged, of a version that is not known, or not to be packed."""


class UnknownPacking(PackingError):
    """The version is none that this Gloed reads; nothing is wrong with the bytes."""


def place_of(defect: BaseException) -> str:
    """Where a defect arose, for a log line that may repeat nothing of what was sent."""
    trace = defect.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"
