"""What is decided before any routing, under whatever path Gloed is mounted."""

from __future__ import annotations

from starlette.types import Message, Scope, Send

MAY_BE_ASKED_FOR_HEADERS = ("/api/", "/healthz", "/readyz")
"""HEAD is answered here like GET. Not on pages: a link that signs in once is not used up by whoever
looks where it leads."""


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


def asks_for_headers(scope: Scope) -> bool:
    return scope["method"] == "HEAD" and own_path(scope).startswith(MAY_BE_ASKED_FOR_HEADERS)


def without_body(send: Send) -> Send:
    """The answer's headers, Content-Length included, and nothing after them."""

    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
