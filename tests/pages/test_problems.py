"""Problems are pages for whoever reads pages, and documents for programs."""

from __future__ import annotations

import httpx
import pytest

from tests.pages.sheet import Sheet
from tests.serving import Running

MOZILLA = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/sites/gs_a", "/api/v1/nothing"])
@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (MOZILLA, "text/html; charset=utf-8"),
        ("*/*", "application/problem+json"),
        ("application/json", "application/problem+json"),
        ("image/avif,image/webp,*/*;q=0.8", "application/problem+json"),
    ],
)
def test_the_client_decides_how_a_problem_is_told(
    designer: httpx.Client, path: str, accept: str, media: str
) -> None:
    answer = designer.get(path, headers={"accept": accept})
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == media


@pytest.mark.parametrize("path", ["/sites/gs_a/pages/x", "/sites/%00/pages/%3Cb%3E", "/look/x.css"])
def test_what_there_is_not_is_a_page_whatever_is_accepted(
    designer: httpx.Client, path: str
) -> None:
    answer = designer.get(path, headers={"accept": "*/*"})
    assert answer.status_code == 404
    assert Sheet(answer.text).all("h1")[0].text == "There is nothing here"


def test_a_refused_page_still_names_the_scheme(gloed: Running) -> None:
    answer = httpx.get(f"{gloed.url}/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_problem_of_a_stranger_offers_no_way_in(gloed: Running) -> None:
    answer = httpx.get(f"{gloed.url}/nothing", headers={"accept": MOZILLA})
    assert not Sheet(answer.text).all("form")
