"""One shop's key, account, share or link reaches nothing of another: every route, every verb.

The routes are those of the OpenAPI document and of the pages, so that a new one is asked without
being named here. A foreign shop must look like one that there is not, down to the words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from app.access.accounts import add_account, find_account, put_role
from app.access.keys import SCOPES, Session, add_key
from app.access.session import COOKIE, GUEST_COOKIE
from app.access.shares import add_share
from app.pages import router as pages
from collector.sites import Site
from tests.build import make_shop
from tests.conftest import NOON, emptied
from tests.serving import Running

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOT_THERE = "gs_aaaaaaaaaaaaaaaa"
SHUT = (401, 403, 404, 405)
PUBLIC = {"/api/v1/openapi.json"}
LIVES = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Street:
    """A shop of ours and a foreign one, and everything that opens ours alone."""

    gloed: Running
    own: Site
    foreign: Site
    headers: Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def street(house: Running) -> Street:
    gloed = emptied(house)
    own = gloed.do(make_shop(gloed.store, NOON, "Fietsen", live=True))
    foreign = gloed.do(make_shop(gloed.store, NOON, "Bloemen", live=True))
    headers: dict[str, Mapping[str, str]] = {}
    for scope in SCOPES:
        key = gloed.do(add_key(gloed.store, own.site_id, scope, "", NOON))
        headers[f"key {scope}"] = {"authorization": f"Bearer {key}"}
    for role in ("reader", "editor", "owner"):
        number = gloed.do(add_account(gloed.store, role + "s", NOON))
        gloed.do(put_role(gloed.store, role + "s", own, role))
        account = gloed.do(find_account(gloed.store, number))
        assert account is not None
        cookie = gloed.context.signer.cookie(Session(number, account.sessions), NOON)
        headers[f"account {role}"] = {"cookie": f"{COOKIE}={cookie}"}
    share = gloed.do(add_share(gloed.store, own.site_id, "shipping", LIVES, NOON, picture=False))
    token = gloed.context.signer.share(share.share_id, share.expires_at)
    headers["guest"] = {"cookie": f"{GUEST_COOKIE}={token}"}
    return Street(gloed, own, foreign, headers)


def templates(gloed: Running) -> set[str]:
    """Paths that name a shop, of the API and of the pages, with the names of their parts."""
    document = gloed.app.openapi()["paths"]
    found = {path for path in {*document, *paths_of(pages)} if "{site}" in path or "{key}" in path}
    prefix = gloed.context.settings.prefix
    return {path for path in found if not path.startswith(f"{prefix}/")}


def paths_of(router: APIRouter) -> Iterator[str]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route.path
        else:
            yield from paths_of(route.original_router)  # type: ignore[attr-defined]


def filled(template: str, key: str, page: str = "shipping") -> str:
    parts = {"site": key, "key": key, "page": page, "slug": page}
    for name, value in parts.items():
        template = template.replace("{" + name + "}", value)
    template = template.replace("{rule}", "q00000000")
    return template.replace("{layout}", "0123456789abcdef").replace("{hash}", "0" * 64)


def ask(client: httpx.Client, verb: str, path: str, headers: Mapping[str, str]) -> httpx.Response:
    return client.request(verb, path, headers={**headers, "sec-fetch-site": "same-origin"})


@pytest.fixture(scope="module")
def client(street: Street) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=street.gloed.url, timeout=60.0) as made:
        yield made


async def _everything(store: Any) -> list[Any]:
    tables = ("site", "page", "zone", "layout", "membership", "share", "account")
    keys = await store.fetch("SELECT api_key_id, revoked_at FROM api_key ORDER BY 1")
    return [keys, *[await store.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]]


def test_the_routes_that_name_a_shop_are_found(street: Street) -> None:
    found = templates(street.gloed)
    assert len(found) >= 7
    assert any(path.startswith("/api/v1/sites/{site}/pages") for path in found)
    assert "/sites/{key}/pages/{slug}" in found
    assert all("{" not in filled(path, NOT_THERE) for path in found), "a part without a value"


def test_nothing_of_another_shop_is_reached_by_any_verb(
    street: Street, client: httpx.Client
) -> None:
    before = street.gloed.do(_everything(street.gloed.store))
    for template in sorted(templates(street.gloed)):
        for who, headers in street.headers.items():
            for verb in VERBS:
                foreign = ask(client, verb, filled(template, street.foreign.public_key), headers)
                absent = ask(client, verb, filled(template, NOT_THERE), headers)
                assert foreign.status_code in SHUT, (who, verb, template, foreign.text)
                assert told(foreign) == told(absent), (who, verb, template)
                assert "Bloemen" not in foreign.text
    assert street.gloed.do(_everything(street.gloed.store)) == before


def told(answer: httpx.Response) -> tuple[int, str, str]:
    """All of an answer but the address that was asked."""
    path = answer.request.url.path
    return answer.status_code, answer.headers.get("content-type", ""), answer.text.replace(path, "")


def test_the_same_routes_open_ones_own(street: Street, client: httpx.Client) -> None:
    """Else the test above would hold for a house that is shut to everybody."""
    opened = {
        who: {
            template
            for template in templates(street.gloed)
            if ask(client, "GET", filled(template, street.own.public_key), headers).status_code
            not in SHUT
        }
        for who, headers in street.headers.items()
    }
    assert "/api/v1/sites/{site}/pages/{page}" in opened["key read"]
    assert opened["key goal"] == set()
    assert opened["account reader"] >= {"/sites/{key}/pages/{slug}", "/api/v1/sites/{site}"}
    assert "/sites/{key}/pages/{slug}" in opened["guest"]
    assert "/api/v1/sites/{site}" not in opened["guest"]


def test_lists_name_ones_own_shops_alone(street: Street, client: httpx.Client) -> None:
    """Whatever names no shop in its path must not name the other in its answer."""
    listing = [path for path in street.gloed.app.openapi()["paths"] if "{" not in path]
    assert "/api/v1/sites" in listing
    for path in [*listing, "/"]:
        for who, headers in street.headers.items():
            answer = ask(client, "GET", path, headers)
            assert street.foreign.public_key not in answer.text, (who, path)
            assert "Bloemen" not in answer.text, (who, path)


def test_a_goal_is_taken_for_ones_own_shop_alone(street: Street, client: httpx.Client) -> None:
    key = street.headers["key goal"]
    body = {"ref": "order-1234"}
    statuses = [
        client.post(f"/g/{shop.public_key}/goal", json=body, headers=key).status_code
        for shop in (street.own, street.foreign)
    ]
    assert statuses == [204, 401]


def test_without_anything_every_route_of_the_api_asks_for_a_key(
    street: Street, client: httpx.Client
) -> None:
    document = street.gloed.app.openapi()["paths"]
    asked = [path for path in document if path.startswith("/api/") and path not in PUBLIC]
    assert len(asked) >= 7
    for template in asked:
        for verb in document[template]:
            path = filled(template, street.own.public_key)
            answer = client.request(verb.upper(), path)
            assert answer.status_code == 401, (verb, template)


Change = Callable[[str, Street], str]


@pytest.mark.parametrize(
    "change",
    [
        lambda link, street: link.replace(street.own.public_key, street.foreign.public_key),
        lambda link, street: link.replace("/shipping/", "/payment/"),
        lambda link, street: link.replace("heatmap.png", "heatmap.json"),
        lambda link, street: link.replace("heatmap.png", "layouts"),
    ],
)
def test_a_link_to_a_picture_leads_nowhere_else(
    street: Street, client: httpx.Client, change: Change
) -> None:
    path = filled("/api/v1/sites/{site}/pages/{page}/heatmap.png", street.own.public_key)
    link = street.gloed.context.signer.signed(path, {"kind": "stall"}, NOON + LIVES)
    assert client.get(link).status_code not in SHUT
    assert client.get(change(link, street)).status_code in SHUT
