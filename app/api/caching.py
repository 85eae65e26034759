"""Whether an answer is already held by whoever asks, and how long it may be held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

OPEN_MAX_AGE_S = 60
"""A period that holds today is asked for again after a minute."""

FINISHED_MAX_AGE_S = 3600
"""Late rows may still reopen a finished day, so it is not called immutable under this address."""

NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "not changed"}}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}, **NOT_CHANGED}
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}, **NOT_CHANGED}
"""What routes declare of such answers."""

CSV_MEDIA = "text/csv; charset=utf-8"


async def unless_held(
    request: Request, name: str, make: Callable[[], Awaitable[Response]], *, finished: bool
) -> Response:
    """304 where the asker holds the answer of this name, before any work; else what is made.

    finished  whether it tells of a period that is over
    """
    headers = {"ETag": name, "Cache-Control": _cache_control(finished=finished)}
    if _matches(request, name):
        return Response(status_code=304, headers=headers)
    answer = await make()
    answer.headers.update(headers)
    return answer


def as_json(told: BaseModel) -> Response:
    return Response(told.model_dump_json(), media_type="application/json")


def as_png(png: bytes) -> Response:
    return Response(png, media_type="image/png")


def as_csv(text: str) -> Response:
    return Response(text, media_type=CSV_MEDIA)


def _matches(request: Request, name: str) -> bool:
    """By the weak comparison, as RFC 9110 wants it: proxies that compress weaken our name."""
    given = request.headers.get("if-none-match", "")
    named = (part.strip().removeprefix("W/") for part in given.split(","))
    return given.strip() == "*" or name in named


def _cache_control(*, finished: bool) -> str:
    return f"private, max-age={FINISHED_MAX_AGE_S if finished else OPEN_MAX_AGE_S}"
