"""What can go wrong while recorded page views are sent again."""

from __future__ import annotations


class ReplayError(Exception):
    """The replay cannot go on; the message names the value and the remedy."""


class RecordingError(ReplayError):
    """The file of recordings is not what docs/recordings.md says; the message names the line."""
