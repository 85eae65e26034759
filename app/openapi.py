"""The OpenAPI document: what the framework knows of the API, its problems, and the raw routes.

The collector's routes are not the framework's (`app/main.py`), so they are described here by hand;
a test asks each of them what it answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from app.picturing.layout_body import LayoutBody
from app.problems import BY_STATUS, CATALOGUE, INTERNAL, MEDIA
from app.quarantine import QuarantineBody
from collector.decode import BatchBody, GoalBody
from collector.wire import MAX_BODY_BYTES

Document = dict[str, Any]
SCHEMAS = "#/components/schemas/"
KEY = {"type": "http", "scheme": "bearer", "description": "a key of `gloed key add`: gld_…"}
LINK_PARAMETERS = {"expires", "signature"}

PROBLEM: Document = {
    "title": "Problem",
    "description": "RFC 9457; docs/problems.md says of each type what to do about it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "enum": sorted(
                {f"urn:gloed:problem:{slug}" for slug, _, _ in (*CATALOGUE.values(), INTERNAL)}
                | {f"urn:gloed:problem:{slug}" for slug in BY_STATUS.values()}
            ),
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
WHY = {
    "400": "the body cannot be read",
    "401": "no key, or none that is good",
    "403": "the signed link has expired or was changed",
    "404": "no such site or page, or none that this key may see",
    "409": "too few visits yet, or nothing to contrast",
    "413": "the body is too large",
    "415": "the body is no JSON",
    "422": "a parameter or a part of the body is not as described",
    "503": "the store is away, or too many pictures at once: come back after Retry-After",
}


def document(app: FastAPI, prefix: str) -> Document:
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas: Document = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= _body_schemas()
    schemas |= msgspec.json.schema_components(
        [BatchBody, GoalBody], ref_template=SCHEMAS + "{name}"
    )[1]
    schemas["Problem"] = PROBLEM
    made["components"]["securitySchemes"] = {"key": KEY}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    made["paths"] |= _collector_paths(prefix)
    return made


_BODIES: Mapping[str, type[BaseModel]] = {"put": LayoutBody, "post": QuarantineBody}
"""By the verb of the operations that take them."""


def _body_schemas() -> Document:
    """These are read by us, after the key: the framework knows nothing of them."""
    told: Document = {}
    for model in _BODIES.values():
        schema = model.model_json_schema(ref_template=SCHEMAS + "{model}")
        told |= {**schema.pop("$defs", {}), model.__name__: schema}
    return told


def _complete(path: str, method: str, operation: Document) -> None:
    """The security and the problems of one operation, as `app/problems.py` tells them."""
    picture = LINK_PARAMETERS <= {given["name"] for given in operation.get("parameters", ())}
    operation["security"] = [{"key": []}, {}] if picture else [{"key": []}]
    statuses = ["401", "422", "503"]
    statuses += ["404"] if "{site}" in path else []
    statuses += ["409"] if path.endswith((".png", ".json", ".csv")) else []
    statuses += ["403"] if picture else []
    if method in _BODIES:
        statuses += ["400", "413", "415"]
        operation["requestBody"] = _body(_BODIES[method].__name__, "application/json")
    operation["responses"] |= {status: _problem(WHY[status]) for status in statuses}


def _problem(description: str) -> Document:
    return {
        "description": description,
        "content": {MEDIA: {"schema": {"$ref": SCHEMAS + "Problem"}}},
    }


def _body(schema: str, *media: str) -> Document:
    content = {kind: {"schema": {"$ref": SCHEMAS + schema}} for kind in media}
    return {"required": True, "content": content}


def _collector_paths(prefix: str) -> Document:
    """As docs/wire.md. A view's opening and a beacon have one form of path, and so one entry."""
    batch = _body("BatchBody", "text/plain", "application/json")
    goal = _body("GoalBody", "text/plain", "application/json")
    return {
        f"{prefix}/{{first}}/{{second}}": {
            "get": _get(
                "opens_a_view_or_is_a_beacon",
                "Of a site's key and a page's name: opens a view. Of a token and a beacon's name: "
                "keeps the beacon.",
                {"302": _plain("to the view's stylesheet, relative"), "200": _gif("kept")},
                ("first", "second"),
            )
        },
        f"{prefix}/{{site}}/{{page}}/{{ref}}": {
            "get": _get(
                "opens_a_view_under_a_reference",
                "Opens a view under the shop's own reference of this checkout.",
                {"302": _plain("to the view's stylesheet, relative"), "200": _sheet("dropped")},
                ("site", "page", "ref"),
            )
        },
        f"{prefix}/{{token}}/s": {
            "get": _get(
                "stylesheet",
                "The page's stylesheet, the same bytes for every visitor.",
                {"200": _sheet("the stylesheet, or an empty one")},
                ("token",),
            )
        },
        f"{prefix}/done/{{site}}": {
            "get": _get(
                "goal_image",
                "The goal image of a thank-you page.",
                {"200": _gif("kept")},
                ("site",),
            )
        },
        f"{prefix}/done/{{site}}/{{ref}}": {
            "get": _get(
                "goal_image_of_a_reference",
                "The goal image of a thank-you page, under the shop's reference.",
                {"200": _gif("kept")},
                ("site", "ref"),
            )
        },
        f"{prefix}/hold/{{site}}/{{page}}": {
            "get": _get("held_image", "The GIF.", {"200": _gif("the image")}, ("site", "page"))
        },
        f"{prefix}/x/{{site}}/{{hash}}": {
            "get": _get(
                "script",
                "The optional script; empty where there is none.",
                {"200": _plain("the script", "text/javascript")},
                ("site", "hash"),
            )
        },
        f"{prefix}/{{site}}": {
            "post": _post("batch", "A batch of the optional script.", batch, {})
        },
        f"{prefix}/{{site}}/goal": {
            "post": _post(
                "goal",
                "A goal, told by the shop's server.",
                goal,
                {"401": _problem("no key of this site with scope goal")},
            )
        },
    }


def _get(name: str, summary: str, answers: Document, parameters: tuple[str, ...]) -> Document:
    away = {"503": _gif("not stored: come back after Retry-After")}
    return {
        "tags": ["collector"],
        "operationId": f"collect_{name}",
        "summary": summary,
        "security": [],
        "parameters": [_in_path(parameter) for parameter in parameters],
        "responses": {**answers, **away},
    }


def _post(name: str, summary: str, body: Document, more: Document) -> Document:
    return {
        "tags": ["collector"],
        "operationId": f"collect_{name}",
        "summary": summary,
        "security": [{"key": []}] if "401" in more else [],
        "parameters": [_in_path("site")],
        "requestBody": body,
        "responses": {
            "204": _plain("kept, or dropped on purpose: X-Gloed-Drop then says why"),
            "400": _problem("malformed; nothing was kept"),
            "413": _problem(f"more than {MAX_BODY_BYTES} bytes"),
            "415": _problem("neither text/plain nor application/json, not UTF-8, or compressed"),
            "503": _problem("not stored: send the same again after Retry-After"),
            **more,
        },
    }


def _in_path(name: str) -> Document:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _plain(description: str, media: str | None = None) -> Document:
    told: Document = {"description": description}
    return {**told, "content": {media: {"schema": {"type": "string"}}}} if media else told


def _gif(description: str) -> Document:
    told = f"{description}; what is dropped on purpose bears X-Gloed-Drop"
    return {"description": told, "content": {"image/gif": {}}}


def _sheet(description: str) -> Document:
    return _plain(description, "text/css")
