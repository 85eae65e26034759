"""What is decided before any routing, under whatever path Gloed is mounted."""

from __future__ import annotations

from starlette.types import Message, Scope, Send

NOSNIFF = (b"x-content-type-options", b"nosniff")
"""No browser is to find in an answer what its type does not say."""


def own_path(scope: Scope) -> str:
    """The path below the mount point; servers differ in whether `path` holds the root path."""
    path: str = scope["path"]
    root: str | None = scope.get("root_path")
    return _below(path, root.rstrip("/")) if root else path


def _below(path: str, root: str) -> str:
    rest = path[len(root) :]
    return rest or "/" if path.startswith(root) and rest[:1] in ("", "/") else path


def below_prefix(scope: Scope, prefix: str) -> str | None:
    """The rest of the path when it lies below the collector's prefix."""
    path = own_path(scope)
    return path[len(prefix) :] if path.startswith(prefix + "/") else None


def taken_at_its_word(send: Send) -> Send:
    """Every answer with NOSNIFF, whoever made it."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [one for one in message.get("headers", ()) if one[0].lower() != NOSNIFF[0]]
            message = {**message, "headers": [*headers, NOSNIFF]}
        await send(message)

    return told


def without_body(send: Send) -> Send:
    """The answer's headers, Content-Length included, and nothing after them."""

    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
