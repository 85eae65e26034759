"""How much a contrast asks of the store: counted, for time says little on a busy machine."""

from __future__ import annotations

import httpx
import pytest

from tests.app.conftest import Asker
from tests.app.test_differences import SINCE, crowd, put
from tests.counting import Asked, asked_of

PAGE = "/api/v1/sites/{site}/pages/shipping"
NUMBERS = ("zones.json", "zones.csv", "fields.json", "fields.csv")
DRAWN = ("stalls.json", "stalls.png")

NAMED = ("FROM api_key", "JOIN zone", "data_version")
"""Who asks, which shops, pages and zones there are, and in which state the shop's data is."""

READ = ("JOIN zone_box", "JOIN stall_list", "AND flags =", "AS matched")
"""Layouts and their boxes, views, visits, and how true their labels are."""


def asked(ask: Asker, name: str, held: str = '""', **more: str) -> Asked:
    query = httpx.QueryParams({**SINCE, **more})
    path = f"{PAGE.replace('{site}', ask.site.public_key)}/{name}?{query}"
    headers = {"authorization": f"Bearer {ask.key}", "if-none-match": held}
    return asked_of(ask.gloed, path, headers)


def times(asking: Asked, part: str) -> int:
    return sum(part in statement for statement in asking.statements)


@pytest.mark.parametrize("name", [*NUMBERS, *DRAWN])
def test_an_answer_that_is_held_costs_its_name_alone(ask: Asker, name: str) -> None:
    put(ask, crowd(12, 4.0))
    first = asked(ask, name)
    assert first.answer.status_code == 200, first.answer.text
    assert {one: times(first, one) for one in READ} == dict.fromkeys(READ, 1)
    again = asked(ask, name, held=first.answer.headers["etag"])
    assert (again.answer.status_code, again.answer.content) == (304, b"")
    assert {one: times(again, one) for one in NAMED} == dict.fromkeys(NAMED, 1)
    assert len(again.statements) == len(NAMED), again.statements


def test_ten_times_the_visits_are_no_question_more(ask: Asker) -> None:
    put(ask, crowd(2, 1.0))
    few = asked(ask, "zones.json")
    put(ask, crowd(20, 1.0), layout=False, start=10_000)
    many = asked(ask, "zones.json")
    assert many.answer.json()["visits"] == 11 * few.answer.json()["visits"]
    assert {one: times(many, one) for one in READ} == {one: times(few, one) for one in READ}


def test_a_picture_whose_numbers_are_known_reads_no_visits_again(ask: Asker) -> None:
    """Whatever it looks like: colours and sizes ask nothing of the data."""
    put(ask, crowd(12, 4.0))
    asked(ask, "stalls.json")
    for look in ({}, {"opacity": "0.3"}, {"dpr": "2"}, {"decimal": "comma"}):
        drawn = asked(ask, "stalls.png", **look)
        assert drawn.answer.status_code == 200
        assert times(drawn, "JOIN stall_list") == 0
