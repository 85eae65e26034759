"""Hostile input on every page of ours and in every field of every form: no fault of ours, nothing
that was sent is markup, a header, or where an answer leads.

The pages are those of the router, and the forms those that stand on them, so that new ones are
tried by being there. What the API and the collector are sent: tests/app/test_hostile.py.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest

from app.pages import router
from collector.sites import Site
from tests.app.test_hostile import BODIES, CANARY, HEADERS, MEDIA, QUERIES, SEGMENTS
from tests.app.test_isolation import filled, paths_of
from tests.conftest import emptied
from tests.pages.conftest import signed_in, visited_shop
from tests.pages.sheet import Sheet
from tests.serving import Running

MOST_BYTES = 200_000
FORM = "application/x-www-form-urlencoded"
OWN = {"sec-fetch-site": "same-origin"}

VALUES = {
    "nul": f"{CANARY}%00",
    "not utf-8": f"%FF{CANARY}",
    "lone surrogate": f"%ED%A0%80{CANARY}",
    "overlong": f"%C0%AF{CANARY}",
    "long": CANARY + "a" * 3000,
    "long number": "9" * 5000,
    "beyond 64 bits": str(2**63),
    "negative": "-1",
    "not a number": "nan",
    "infinite": "1e400",
    "thousands": "1_000",
    "other digits": "%D9%A1%D9%A2",
    "year": "99999-01-01",
    "markup": quote(f"<script>{CANARY}</script>"),
    "attribute": quote(f"\" onload={CANARY} '"),
    "template": quote(f"{{{{7*7}}}}{CANARY}%n"),
    "new line": f"{CANARY}%0d%0aX-Evil:%201",
    "dots": f"..%2f..%2f{CANARY}",
    "elsewhere": quote(f"//{CANARY}.example/x", safe=""),
    "script address": quote(f"javascript:{CANARY}", safe=""),
    "formula": quote(f"=1+1|{CANARY}"),
    "backwards": f"%E2%80%AE{CANARY}",
    "slow pattern": quote("*a" * 200 + "b"),
}
"""What a field may be sent, encoded as it travels."""


@dataclass(frozen=True, slots=True)
class Form:
    action: str
    media: str
    fields: tuple[tuple[str, str], ...]
    """What it would send as it stands."""

    def body(self, **other: str) -> bytes:
        told = {**{name: quote(value) for name, value in self.fields}, **other}
        return "&".join(f"{quote(name)}={value}" for name, value in told.items()).encode()


@pytest.fixture(scope="module")
def house_of_a_shop(house: Running) -> Iterator[tuple[Running, Site]]:
    gloed = emptied(house)
    with pytest.MonkeyPatch.context() as cheap:
        cheap.setattr("app.access.passwords.LOG2_N", 4)
        yield gloed, visited_shop(gloed)


@pytest.fixture(scope="module")
def client(house_of_a_shop: tuple[Running, Site]) -> Iterator[httpx.Client]:
    with signed_in(house_of_a_shop[0]) as made:
        yield made


@pytest.fixture(scope="module")
def paths(house_of_a_shop: tuple[Running, Site]) -> list[str]:
    _, site = house_of_a_shop
    parts = {"name": "gloed.css", "secret": "a" * 32, "token": "a" * 32, "drawn": "1"}
    found = []
    for template in sorted(set(paths_of(router))):
        path = filled(template, site.public_key)
        for name, value in parts.items():
            path = path.replace("{" + name + "}", value)
        found.append(path)
    return found


@pytest.fixture(scope="module")
def forms(client: httpx.Client, paths: list[str]) -> list[Form]:
    """Of every page that can be looked at; each once, by where it leads and what it asks."""
    found: dict[tuple[str, tuple[str, ...]], Form] = {}
    with httpx.Client(base_url=client.base_url, headers={"accept": "text/html"}) as stranger:
        answers = [stranger.get("/")]
    for path in paths:
        answers.append(client.get(path))
    for answer in answers:
        if answer.headers.get("content-type", "").startswith("text/html"):
            for form in forms_on(answer):
                found[form.action, tuple(name for name, _ in form.fields)] = form
    return list(found.values())


def forms_on(answer: httpx.Response) -> Iterator[Form]:
    """That are posted; a field stands behind the form that it belongs to."""
    form: dict[str, Any] | None = None
    for element in Sheet(answer.text).elements:
        given = element.attributes
        if element.tag == "form":
            if form is not None:
                yield Form(form["action"], form["media"], tuple(form["fields"]))
            posted = given.get("method", "get").lower() == "post"
            action = urlsplit(urljoin(str(answer.url), given.get("action", ""))).path
            media = given.get("enctype", FORM)
            form = {"action": action, "media": media, "fields": []} if posted else None
        elif form is not None and given.get("name"):
            form["fields"].append((given["name"], given.get("value", "")))
    if form is not None:
        yield Form(form["action"], form["media"], tuple(form["fields"]))


def tried(client: httpx.Client, method: str, target: str, **more: Any) -> httpx.Response:
    """The answer, which is none of ours to be ashamed of."""
    headers = {**OWN, **more.pop("headers", {})}
    request = client.build_request(method, "/", headers=headers, **more)
    request.url = client.base_url.copy_with(raw_path=target.encode())
    answer = client.send(request)
    where = (method, target[:200], more, answer.status_code, answer.text[-300:])
    assert answer.status_code < 500, where
    assert "x-evil" not in answer.headers, where
    told = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
    leads = urlsplit(told.pop("location", ""))
    assert not leads.netloc, where
    assert CANARY not in str(told), where
    if answer.status_code >= 400:
        assert len(answer.content) <= MOST_BYTES, where
    if answer.headers.get("content-type", "").startswith("text/html"):
        is_harmless(answer, where)
    return answer


def is_harmless(answer: httpx.Response, where: object) -> None:
    """Whatever is shown of what was sent is text."""
    assert f"49{CANARY}" not in answer.text, where
    for element in Sheet(answer.text).elements:
        assert element.tag not in ("script", "iframe", "object", "style"), where
        for name, value in element.attributes.items():
            assert not name.startswith("on"), where
            assert not value.strip().lower().startswith("javascript:") or name == "value", where


def test_the_pages_and_their_forms_are_found(paths: list[str], forms: list[Form]) -> None:
    assert len(paths) > 10
    assert [path for path in paths if "{" in path] == [], "a part without a value"
    assert {"/sign-out", "/sign-in"} <= {form.action for form in forms}


def test_no_query_breaks_a_page(client: httpx.Client, paths: list[str]) -> None:
    """Each page one in two of them, its neighbour the others: they read them by the same code."""
    queries = list(QUERIES.values())
    for n, path in enumerate(paths):
        if path != "/sign-out":
            for query in queries[n % 2 :: 2]:
                tried(client, "GET", f"{path}?{query}")


def test_no_part_of_an_address_does(
    client: httpx.Client, paths: list[str], house_of_a_shop: tuple[Running, Site]
) -> None:
    key = house_of_a_shop[1].public_key
    for path in paths:
        for own in {key, "shipping", "a" * 32, "gloed.css"} & set(path.split("/")):
            for segment in SEGMENTS.values():
                answer = tried(client, "GET", path.replace(own, segment))
                assert answer.status_code >= 400, (path, segment)


def test_no_header_does(client: httpx.Client, paths: list[str]) -> None:
    for path in paths:
        for headers in HEADERS.values():
            tried(client, "GET", path, headers=headers)


SHARE = 6
"""Each field alone is sent one of so many values, its neighbour the next ones: all of them in all
fields at once come first."""


def test_no_value_in_any_field_of_any_form_does(client: httpx.Client, forms: list[Form]) -> None:
    values = list(VALUES.values())
    for form in forms:
        names = [name for name, _ in form.fields]
        told = [dict.fromkeys(names, value) for value in values if names]
        told += [{name: one} for n, name in enumerate(names) for one in values[n % SHARE :: SHARE]]
        for other in told:
            sent = form.body(**other)
            tried(client, "POST", form.action, content=sent, headers={"content-type": FORM})


def test_no_body_that_is_no_form_does(client: httpx.Client, forms: list[Form]) -> None:
    as_form = [((FORM, ""), content) for content in BODIES.values()]
    otherwise = [(kind, BODIES["unknown"]) for kind in MEDIA.values()]
    for action in sorted({form.action for form in forms} - {"/sign-out"}):
        for (media, encoding), content in (*as_form, *otherwise):
            headers = {"content-type": media}
            if encoding:
                headers["content-encoding"] = encoding
            tried(client, "POST", action, content=content, headers=headers)


def test_a_form_that_never_ends_is_cut_at_its_limit(
    client: httpx.Client, forms: list[Form]
) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield b"a" * 65_536

    for form in forms:
        if not form.fields:
            continue
        try:
            headers = {"content-type": f"{form.media}; boundary=x"}
            answer = tried(client, "POST", form.action, content=endless(), headers=headers)
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            continue  # hung up on, which says it as well
        assert answer.status_code in (400, 413, 429), (form, answer.status_code)


def test_a_field_too_many_and_one_given_twice_are_no_trouble(
    client: httpx.Client, forms: list[Form]
) -> None:
    for form in forms:
        body = form.body()
        many = "&".join(f"{CANARY}{n}=1" for n in range(5000)).encode()
        for sent in (body + b"&" + body, body + b"&" + many):
            if form.fields:
                tried(client, "POST", form.action, content=sent, headers={"content-type": FORM})


def test_no_address_that_is_sent_is_ever_fetched(
    client: httpx.Client, forms: list[Form], paths: list[str]
) -> None:
    """In whatever field or header, and however a source names it: nobody calls."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        source = (
            f"<base href='{url}'><link rel=stylesheet href='{url}'><script src='{url}'></script>"
            f"<img src='{url}'><iframe src='{url}'></iframe>"
            f"<meta http-equiv=refresh content='0;{url}'>"
            f"<style>@import '{url}'; a {{ background: url({url}) }}</style>"
        )
        for form in forms:
            for value in (quote(url, safe=""), quote(source, safe="")):
                sent = form.body(**dict.fromkeys((name for name, _ in form.fields), value))
                if form.fields:
                    tried(client, "POST", form.action, content=sent, headers={"content-type": FORM})
        for path in paths:
            tried(client, "GET", f"{path}?url={quote(url)}", headers={"referer": url})
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_what_no_page_has_is_refused(client: httpx.Client, paths: list[str]) -> None:
    for path in paths:
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            assert tried(client, method, path).status_code in (404, 405), (method, path)
