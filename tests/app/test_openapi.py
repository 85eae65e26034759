"""The OpenAPI document: sound by itself, and true of what is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.clock import SteppedClock
from app.embedding import mount
from app.main import create_app
from tests.app.conftest import Asker
from tests.build import Walker, batch_body
from tests.serving import Running, served, settings_for

METHODS = {"get", "put", "post", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = create_app(settings_for("postgresql://nowhere/x")).openapi()
    return made


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        assert set(item) <= METHODS, path
        for method, operation in item.items():
            yield path, method, operation


def walk(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from walk(value)
    elif isinstance(part, list):
        for value in part:
            yield from walk(value)


def test_it_is_a_document_of_version_3_1(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"].keys() >= {"title", "version"}
    assert set(document) <= {"openapi", "info", "paths", "components"}


def test_every_reference_leads_somewhere_and_every_schema_is_used(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    references = {part["$ref"] for part in walk(document) if isinstance(part.get("$ref"), str)}
    assert references == {f"#/components/schemas/{name}" for name in schemas}


def test_every_operation_is_whole(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        declared = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert sorted(declared) == sorted(re.findall(r"{(\w+)}", path)), path
        assert all(p["required"] for p in operation.get("parameters", ()) if p["in"] == "path")
        assert operation["responses"], path
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", status)
            assert response["description"]
            for kind in response.get("content", ()):
                assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind)
        assert ("requestBody" in operation) == (method in ("put", "post"))


def test_no_two_paths_are_the_same_but_for_the_names_in_them(document: dict[str, Any]) -> None:
    shapes = [re.sub(r"{\w+}", "{}", path) for path in document["paths"]]
    assert len(shapes) == len(set(shapes))


def test_refusals_are_problems(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if path.startswith("/api/") and status[0] in "45":
                (kind,) = response["content"]
                assert kind == "application/problem+json"
                schema = response["content"][kind]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}
        if path.startswith("/api/"):
            assert operation["responses"].keys() >= {"200", "401", "422", "503"}, path
            assert "500" not in operation["responses"]


def test_pages_and_their_doors_are_no_part_of_the_api(document: dict[str, Any]) -> None:
    assert all(path.startswith(("/api/v1/", "/g/")) for path in document["paths"])


def test_it_describes_the_answers_that_are_given(walked: Asker) -> None:
    document = walked("/openapi.json", key=None).json()
    site = walked.site.public_key
    for path, method, operation in operations(document):
        if not path.startswith("/api/") or method != "get":
            continue
        address = path.replace("{site}", site).replace("{page}", "shipping")
        answer = walked(address.removeprefix("/api/v1"))
        content = operation["responses"][str(answer.status_code)]["content"]
        assert answer.headers["content-type"].partition(";")[0] in content
        schema = content.get("application/json", {}).get("schema", {})
        if "$ref" in schema:
            described = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert set(answer.json()) == set(described["properties"]), path


def test_the_collectors_routes_are_in_it_and_answer_as_it_says(
    ask: Asker, document: dict[str, Any]
) -> None:
    """The routes of docs/wire.md; a view's opening and a beacon share one entry."""
    gloed, site = ask.gloed, ask.site
    walker = Walker(gloed.url)
    token, key = walker.open(site, "shipping"), site.public_key
    bearer = {"authorization": f"Bearer {ask.new_key('goal')}"}
    body = batch_body(m=int(gloed.clock().timestamp()) // 60)
    asked: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        "/g/{first}/{second}": [("GET", f"/g/{key}/shipping", {}), ("GET", f"/g/{token}/2.h5", {})],
        "/g/{site}/{page}/{ref}": [("GET", f"/g/{key}/shipping/order-1234", {})],
        "/g/{token}/s": [("GET", f"/g/{token}/s", {})],
        "/g/done/{site}": [("GET", f"/g/done/{key}", {})],
        "/g/done/{site}/{ref}": [("GET", f"/g/done/{key}/order-1234", {})],
        "/g/hold/{site}/{page}": [("GET", f"/g/hold/{key}/shipping", {})],
        "/g/x/{site}/{hash}": [("GET", f"/g/x/{key}/0", {})],
        "/g/{site}": [
            ("POST", f"/g/{key}", {"json": body}),
            ("POST", f"/g/{key}", {"json": {}}),
            ("POST", f"/g/{key}", {"content": "{}", "headers": {"content-type": "a/b"}}),
            ("POST", f"/g/{key}", {"content": " " * 70_000}),
        ],
        "/g/{site}/goal": [
            ("POST", f"/g/{key}/goal", {"json": {"ref": "order-1234"}, "headers": bearer}),
            ("POST", f"/g/{key}/goal", {"json": {"ref": "order-1234"}}),
            ("POST", f"/g/{key}/goal", {"json": {"ref": 7}, "headers": bearer}),
        ],
    }
    assert set(asked) == {path for path in document["paths"] if path.startswith("/g/")}
    for path, requests in asked.items():
        for method, address, more in requests:
            headers = {"user-agent": walker.agent, **more.pop("headers", {})}
            answer = httpx.request(method, gloed.url + address, headers=headers, **more)
            told = document["paths"][path][method.lower()]["responses"]
            assert str(answer.status_code) in told, (address, answer.status_code)
            content = told[str(answer.status_code)].get("content")
            if content:
                assert answer.headers["content-type"].partition(";")[0] in content, address


def test_a_prefix_and_a_mount_are_told_as_they_are(database_url: str, clock: SteppedClock) -> None:
    outer = FastAPI()
    mount(outer, "/insight", settings_for(database_url, prefix="/stats/g"), clock=clock)
    with served(outer) as (url, _):
        told = httpx.get(f"{url}/insight/api/v1/openapi.json").json()
        assert told["servers"] == [{"url": "/insight"}]
        assert "/stats/g/{site}" in told["paths"]
        assert httpx.get(f"{url}/insight/docs").status_code == 404


def test_the_running_one_serves_it_to_everybody(gloed: Running, document: dict[str, Any]) -> None:
    answer = httpx.get(f"{gloed.url}/api/v1/openapi.json")
    assert answer.json()["paths"].keys() == document["paths"].keys()
