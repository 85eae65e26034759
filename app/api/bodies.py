"""Bodies of writes, bounded before anything looks at them."""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from collector.errors import Malformed, TooLarge, UnsupportedMedia

B = TypeVar("B", bound=BaseModel)


async def read_body(request: Request, model: type[B], most_bytes: int) -> B:
    """The body as `model`; RequestValidationError says what is wrong and echoes nothing."""
    raw = await _read_json(request, most_bytes)
    try:
        return model.model_validate_json(raw)
    except ValidationError as problem:
        wrong = problem.errors(include_url=False, include_context=False, include_input=False)
        if wrong[0]["type"] == "json_invalid":
            raise Malformed("the body is no JSON document in UTF-8") from problem
        told = [{**error, "loc": ("body", *error["loc"])} for error in wrong]
        raise RequestValidationError(told) from problem


async def _read_json(request: Request, most_bytes: int) -> bytes:
    """The whole body of a JSON request; TooLarge at the limit and not after it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMedia("send the body as application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("send the body uncompressed")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Malformed("content-length must be a whole number")
    if len(length.lstrip("0")) > len(str(most_bytes)) or int(length) > most_bytes:
        raise _too_large(most_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most_bytes:
                raise _too_large(most_bytes)
            parts.append(part)
    except ClientDisconnect as gone:
        raise Malformed("the body ended early") from gone
    return b"".join(parts)


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"the body may have at most {most_bytes} bytes")
