"""Structured log lines: an event name and fields; never an address, an agent or a form value.

Messages of exceptions often quote what was sent, and libraries log what they please. So of an
exception the kind and the places are told, not its message; and of a library's line its wording,
without the values that go in it.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, Literal

import structlog

MOST_FRAMES = 20
LONGEST_LINE = 200
"""Characters of a library's wording."""


def configure_logs(style: Literal["auto", "console", "json"] = "auto") -> None:
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_values,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[Libraries()], level=logging.WARNING, force=True)


def without_values(_logger: object, _method: str, event: Any) -> Any:
    """A structlog processor: `exc_info` becomes the kinds and places of its chain."""
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    problem = told[1] if isinstance(told, tuple) else told
    if isinstance(problem, BaseException):
        event["exception"] = list(_chain(problem))
    return event


def _chain(problem: BaseException | None) -> Any:
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        frames = traceback.extract_tb(problem.__traceback__)[-MOST_FRAMES:]
        yield {
            "kind": f"{type(problem).__module__}.{type(problem).__qualname__}",
            "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        }
        problem = problem.__cause__ or problem.__context__


class Libraries(logging.Handler):
    """Lines of uvicorn, asyncio and others, in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        wording = str(record.msg).splitlines() or [""]
        log.log(
            record.levelno,
            "library",
            logger=record.name,
            wording=wording[0][:LONGEST_LINE] if record.args or _is_plain(record) else "",
            exc_info=record.exc_info[1] if record.exc_info else None,
        )


def _is_plain(record: logging.LogRecord) -> bool:
    """asyncio writes values, tasks and their exceptions among them, into the wording itself."""
    return not record.name.startswith("asyncio")
