"""What is decided on a request: an answer, or a row to keep and the answers to that."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from collector import answers
from collector.answers import Answer
from collector.groups import Row
from collector.wire import Reason


class Keep(Struct, frozen=True):
    """A row to keep, and what to answer once it is; `then` is called before."""

    row: Row
    kept: Answer
    repeat: Answer
    then: Callable[[], None] | None = None


Verdict = Answer | Keep

GIFS = answers.GIF_ANSWER, answers.dropped_gif(Reason.REPEAT)
POSTS = answers.KEPT, answers.dropped_post(Reason.REPEAT)
"""Of a row that is kept now, and of its repeats."""
