"""Recorded page views sent to a collector again, and the proof that it kept each exactly once.

recordings (lines of a file) → batches (bodies) → sender (answers) → ledger → verifier (the store).
"""

from app.replay.errors import RecordingError, ReplayError
from app.replay.recordings import Event, Recording, read_recordings, write_recordings
from app.replay.run import BROWSER, Progress, replay
from app.replay.summary import Summary
from app.replay.verifier import Verdict, verify

__all__ = [
    "BROWSER",
    "Event",
    "Progress",
    "Recording",
    "RecordingError",
    "ReplayError",
    "Summary",
    "Verdict",
    "read_recordings",
    "replay",
    "verify",
    "write_recordings",
]
