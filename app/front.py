"""Which requests are the collector's, under whatever path Gloed is mounted."""

from __future__ import annotations

from starlette.types import Scope


def own_path(scope: Scope) -> str:
    """The path below the mount point; servers differ in whether `path` holds the root path."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if root and path.startswith(root) and path[len(root) :][:1] in ("", "/"):
        return path[len(root) :] or "/"
    return path


def below_prefix(scope: Scope, prefix: str) -> str | None:
    """The rest of the path when it lies below the collector's prefix."""
    path = own_path(scope)
    return path[len(prefix) :] if path.startswith(prefix + "/") else None
