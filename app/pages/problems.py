"""Problems as pages, for whoever reads pages."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from app.pages.rendering import page_response

HTML = "text/html"


async def answers_with_pages(request: Request) -> None:
    """Dependency of every route of ours: from here on problems are pages, whatever is accepted."""
    request.state.answers_with_pages = True


def problem_page(
    request: Request, slug: str, status: int, headers: Mapping[str, str]
) -> Response | None:
    """The problem as a page; None for a client that did not ask for one."""
    if not (getattr(request.state, "answers_with_pages", False) or _reads_pages(request)):
        return None
    return page_response(request, "problem.html.jinja", {"slug": slug}, status, headers)


def _reads_pages(request: Request) -> bool:
    """Browsers name text/html when they navigate; programs that take anything name it not."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(part.partition(";")[0].strip() == HTML for part in accepted)
