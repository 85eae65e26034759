"""The one catalogue of errors: class → (slug, title, status), told as RFC 9457 problem+json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.drawing.pictures import PictureError, PictureTooLarge
from app.drawing.renders import Busy
from app.picturing.layouts import LayoutError
from app.refused import said
from app.sealing.cells import TileError
from app.shops import ShopError, Unknown
from collector.errors import (
    CollectorError,
    InDoubt,
    Malformed,
    NotStored,
    PackingError,
    StoreError,
    TooLarge,
)
from collector.errors import UnsupportedMedia as UnsupportedMediaError
from heatmap.errors import HeatmapError
from snippets.errors import SnippetError

log = structlog.get_logger()
MEDIA = "application/problem+json"

ProblemPage = Callable[[Request, str, int, Mapping[str, str]], Response | None]
"""Request, slug, status and headers to a page; None where the client takes JSON."""


class ApiProblem(Exception):
    """Root of what the API and the pages refuse by themselves."""


class Unauthorized(ApiProblem):
    """No key, or none that is good here."""


class NotFound(ApiProblem):
    """No such thing, or not for you: both look the same."""


class BadParameters(ApiProblem):
    """A parameter is unknown, given twice or out of its range."""

    def __init__(self, detail: str, errors: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class TooFewVisits(ApiProblem):
    """A live site shows nothing that rests on fewer visits than its threshold.

    visits   how many there are; None where that would already tell too much
    within   first and last day that were looked at, where that was not asked for in so many words
    views    page views of everybody that were seen on these days, and `since` the first of them
    layouts  of the page, where a map was looked for: what another could be drawn on
    """

    def __init__(
        self, visits: int | None, threshold: int, within: tuple[date, date] | None = None
    ) -> None:
        self.visits = visits
        self.within = within
        self.views = 0
        self.since: date | None = None
        self.layouts: tuple[Any, ...] = ()
        self.missing = None if visits is None else threshold - visits
        super().__init__(
            f"this map rests on {visits} {'visit' if visits == 1 else 'visits'}; "
            f"{self.missing} more and it is shown"
            if visits is not None
            else f"too few: fewer than {threshold} visits fit these filters; "
            "ask for a longer period or with fewer filters"
        )


class TooFewApart(TooFewVisits):
    """Together with another answer, this one would tell of fewer visits than the threshold.

    change   what the other is asked for beside, or without
    period   first and last day of a request that is answered, where a day was the matter
    """

    def __init__(
        self, change: str, threshold: int, period: tuple[date, date] | None = None
    ) -> None:
        super().__init__(None, threshold)
        self.period = period
        remedy = (
            "leave out that filter, or ask for a longer period"
            if period is None
            else f"ask for date_from={period[0]} and date_to={period[1]}"
        )
        self.args = (
            f"too few: this map and the one {change} differ by fewer than {threshold} visits, "
            f"whom the two would tell of; {remedy}",
        )


class NoContrast(ApiProblem):
    """Two cohorts cannot be drawn against one another yet; the JSON beside it says more."""


class LinkRefused(ApiProblem):
    """A signed link has expired, or was changed."""


class FromElsewhere(ApiProblem):
    """A form did not stand on a page of ours; whoever sent it may not know of it."""


class NotAllowed(ApiProblem):
    """One's role sees this and may not change it."""


class TooManyTries(ApiProblem):
    """Too many passwords were tried, under this name or in all."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            "too many tries to sign in: wait, or sign in by a link of `gloed account link`"
        )


UNREADABLE = ("unreadable", "What is stored cannot be read", 500)
STORE = ("store", "The store cannot be reached", 503)
CATALOGUE: Mapping[type[Exception], tuple[str, str, int]] = {
    ApiProblem: ("refused", "Refused", 400),
    Unauthorized: ("unauthorized", "A key is needed", 401),
    NotFound: ("not-found", "Not found", 404),
    BadParameters: ("bad-parameters", "Bad parameters", 422),
    TooFewVisits: ("too-few-visits", "Too few visits yet", 409),
    TooFewApart: ("too-few-apart", "Too few visits apart from another map", 409),
    NoContrast: ("no-contrast", "Nothing to contrast yet", 409),
    LinkRefused: ("link-refused", "The link no longer holds", 403),
    FromElsewhere: ("from-elsewhere", "That form stood elsewhere", 403),
    NotAllowed: ("not-allowed", "Not yours to change", 403),
    TooManyTries: ("too-many-tries", "Too many tries to sign in", 429),
    ShopError: ("shop", "That cannot be done", 422),
    Unknown: ("not-found", "Not found", 404),
    LayoutError: ("layout", "Not a usable layout", 422),
    PictureError: ("picture", "Not a usable picture", 422),
    PictureTooLarge: ("too-large", "Too large", 413),
    SnippetError: ("snippet", "Not a usable selector", 422),
    HeatmapError: ("heatmap", "That cannot be drawn", 422),
    Busy: ("busy", "Too many pictures at once", 503),
    CollectorError: ("collector", "Not stored", 503),
    Malformed: ("malformed", "Malformed", 400),
    TooLarge: ("too-large", "Too large", 413),
    UnsupportedMediaError: ("unsupported-media", "Unsupported media", 415),
    NotStored: ("not-stored", "Not stored", 503),
    InDoubt: ("in-doubt", "Stored or not", 504),
    StoreError: STORE,
    PackingError: UNREADABLE,
    TileError: UNREADABLE,
}
AWAY: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""What the driver raises when the store is away, stopping, or lets a question run no longer."""

BY_STATUS = {
    400: "malformed",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media",
}
"""Slugs of what the framework refuses by itself."""

INTERNAL = ("internal", "Our fault", 500)
AGAIN_S = 2
"""When to ask again a store that is away."""

MOST_ERRORS = 10
LONGEST_POINTER = 100
"""Bounds of an answer, whatever was asked: what is wrong with the first few parts suffices."""


def row_of(problem: Exception) -> tuple[str, str, int]:
    """The nearest row of the catalogue."""
    return next(CATALOGUE[kind] for kind in type(problem).__mro__ if kind in CATALOGUE)


def install_problems(app: FastAPI, page: ProblemPage) -> None:
    app.state.problem_page = page
    for kind in CATALOGUE:
        app.add_exception_handler(kind, _known)
    for away in AWAY:
        app.add_exception_handler(away, _store_is_away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _known(request: Request, problem: Exception) -> Response:
    slug, title, status = row_of(problem)
    errors = tuple(getattr(problem, "errors", ()))
    retry = getattr(problem, "retry_after_s", None)
    headers = {"Retry-After": str(retry)} if retry is not None else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(request, slug, title, status, str(problem), errors, headers)


async def _store_is_away(request: Request, problem: Exception) -> Response:
    log.warning("store_away", why=type(problem).__name__)
    told = "the store does not answer now; ask again in a moment"
    return problem_response(request, *STORE, told, headers={"Retry-After": str(AGAIN_S)})


async def _invalid(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    wrong = problem.errors()
    known = _parameters(request)
    # Of the names that there are one list is enough.
    listing = next((n for n, one in enumerate(wrong) if one["type"] == "extra_forbidden"), None)
    errors = tuple(
        (_pointer(one["loc"][1:]), _told(one, known, listed=n == listing))
        for n, one in enumerate(wrong[:MOST_ERRORS])
    )
    more = f" and {len(wrong) - MOST_ERRORS} more" if len(wrong) > MOST_ERRORS else ""
    listed = ", ".join(pointer for pointer, _ in errors) or errors[0][1]
    detail = f"not as described: {listed}{more}"
    return problem_response(request, *CATALOGUE[BadParameters], detail, errors)


def _parameters(request: Request) -> Mapping[str, str]:
    """What the route takes in its query: the names, and how each is described."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return {}
    models = (field.field_info.annotation for field in dependant.query_params)
    return {
        name: field.description or ""
        for model in models
        for name, field in getattr(model, "model_fields", {}).items()
    }


def _told(error: Mapping[str, Any], known: Mapping[str, str], *, listed: bool) -> str:
    place, *names = error["loc"]
    told = said(error, tuple(known) if place == "query" else (), listed=listed)
    meaning = known.get(str(names[0]), "") if place == "query" and names else ""
    return f"{told}: {meaning}" if error["type"] == "missing" and meaning else told


def _pointer(place: Iterable[object]) -> str:
    """RFC 6901. Names of unknown parts are the sender's own, and may hold anything."""
    names = (str(part).replace("~", "~0").replace("/", "~1") for part in place)
    return (
        "".join(f"/{name}" for name in names).encode("utf-8", "replace").decode()[:LONGEST_POINTER]
    )


async def _http(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    slug = BY_STATUS.get(problem.status_code, "refused")
    headers = dict(problem.headers or {})
    if "GET" in headers.get("Allow", "").split(", "):
        headers["Allow"] += ", HEAD"
    title = slug.replace("-", " ").capitalize()
    return problem_response(request, slug, title, problem.status_code, title, (), headers)


async def _unforeseen(request: Request, problem: Exception) -> Response:
    return problem_response(request, *INTERNAL, "it was logged on our side")


def problem_response(
    request: Request,
    slug: str,
    title: str,
    status: int,
    detail: str,
    errors: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    given = dict(headers or {})
    page: ProblemPage = request.app.state.problem_page
    if (shown := page(request, slug, status, given)) is not None:
        return shown
    body: dict[str, Any] = {
        "type": f"urn:gloed:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if errors:
        body["errors"] = [{"pointer": pointer, "detail": told} for pointer, told in errors]
    return JSONResponse(body, status, given, MEDIA)
