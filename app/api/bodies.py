"""Bodies of writes, bounded before anything looks at them."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect

from collector.errors import Malformed, TooLarge, UnsupportedMedia


async def read_json(request: Request, most_bytes: int) -> bytes:
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
