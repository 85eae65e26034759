"""Strict parameters: what is not plainly written or not known is refused by name, and never 5xx."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.mapping.filters import MAX_DAYS, MapQuery
from tests.app.conftest import Asker, is_problem

PAGE = "/sites/{site}/pages/shipping"
PNG, JSON = f"{PAGE}/heatmap.png", f"{PAGE}/heatmap.json"

WRONG = [
    ("kind", ["", "STALL", "hover", "stall ", "click,move", "\0"]),
    ("date_from", ["0000-00-00", "99999-01-01", "2026-02-30", "2026-1-1", "20261118", "today", ""]),
    (
        "date_from",
        ["1969-12-31", "2026-11-18T00:00:00", "２０２６-11-18", "3000-01-01", "1795089600"],
    ),
    ("date_to", ["2026-13-01", "-2026-11-18", " 2026-11-18"]),
    ("device", ["", "Phone", "2", "phone,tablet", "watch"]),
    ("browser", ["netscape", "1", "Chrome"]),
    ("os", ["beos", "MacOS"]),
    ("language", ["nl", "DUTCH", "nederlands"]),
    ("channel", ["", "0", "Search", "google.com"]),
    ("variant", ["", "-1", "256", "1.0", "B", "０"]),
    ("capture", ["0", "php", "CSS"]),
    ("outcome", ["bought", "1", ""]),
    ("viewport_width_min", ["0", "-1", "1.0", "1_000", "1e3", "+5", " 5", "0x10", "10001", "nan"]),
    ("viewport_width_max", ["１２８０", "12 80", "9" * 5000, "1,280", "true", ""]),
    ("aggregation", ["unique", "total", "UNIQUE_VISITS"]),
    ("layout", ["0", "G" * 16, "ABCDEF0123456789", "0" * 17, "../../etc"]),
    (
        "bandwidth",
        ["0", "-3", "nan", "inf", "1e400", "1e-300", "1e9", "1.9", "200.1", "NaN", "２４"],
    ),
    ("bandwidth", ["24,5", "1_0", "24.", ".5", "24.5.1", "0x20", "", "AUTO", "auto ", "automatic"]),
    ("per", ["", "view", "day", "VISIT"]),
    ("style", ["", "dots", "Heat", "contours"]),
    ("colour_by", ["", "Device", "capture", "band", "device,os", "device", "visitor"]),
    ("marks", ["", "contour", "folds,", "zones;folds", "zones,zones", "folds, zones", "none"]),
    ("palette", ["", "rainbow", "LAJOLLA", "lajolla\n"]),
    ("scale", ["ln", "LINEAR"]),
    ("scale_max", ["0", "-1", "inf", "nan", "1e99", ""]),
    ("opacity", ["0", "1.01", "-0.5", "nan", "50%"]),
    ("picture", ["yes", "PAGE", "https://evil.example/x.png"]),
    ("legend", ["", "de", "NL", "yes", "true"]),
    ("decimal", ["", ",", ".", "nl", "COMMA"]),
    ("dpr", ["0", "3", "1.5", "2x", "1.0"]),
    ("unknown", ["1", ""]),
    ("__class__", ["x"]),
    ("limit", ["10"]),
]


def test_what_cannot_be_is_refused_by_its_name(ask: Asker) -> None:
    for name, values in WRONG:
        for number, value in enumerate(values):
            answer = ask((PNG, JSON)[number % 2], params={name: value})
            body = is_problem(answer, 422, "bad-parameters")
            assert [error["pointer"] for error in body["errors"]] == [f"/{name}"], (name, value)


def test_what_was_sent_is_not_repeated(ask: Asker) -> None:
    for name in MapQuery.model_fields:
        for value in ("zq<b>zq", "zq" * 3000):
            body = is_problem(ask(JSON, params={name: value}), 422, "bad-parameters")
            told = {part: body[part] for part in ("title", "detail", "errors")}
            assert "zq" not in str(told), name  # a shop's key may hold it by chance


def test_every_parameter_has_wrong_values_here() -> None:
    assert {name for name, _ in WRONG} >= set(MapQuery.model_fields)


@pytest.mark.parametrize(
    "query",
    [
        {"date_from": "2026-11-18", "date_to": "2026-11-17"},
        {"date_from": "2026-11-19"},
        {"date_from": "2020-01-01", "date_to": "2026-01-01"},
        {"viewport_width_min": "800", "viewport_width_max": "799"},
    ],
)
def test_what_does_not_go_together_is_refused(ask: Asker, query: dict[str, str]) -> None:
    for path in (PNG, JSON):
        is_problem(ask(path, params=query), 422, "bad-parameters")


EDGES: list[dict[str, str]] = [
    {"date_from": "2026-11-18", "date_to": "2026-11-18"},
    {"date_from": "2024-10-20", "date_to": "2026-11-18"},
    {"date_to": "2999-12-31", "date_from": "2999-12-31"},
    {"viewport_width_min": "800", "viewport_width_max": "800"},
    {"viewport_width_min": "1", "viewport_width_max": "10000"},
    {"bandwidth": "2"},
    {"bandwidth": "200.0"},
    {"bandwidth": "auto"},
    {"bandwidth": "auto", "kind": "scroll"},
    {"scale_max": "1e-12", "scale": "log"},
    {"scale_max": "0.000001", "opacity": "1", "dpr": "2"},
    {"legend": "nl", "kind": "scroll", "picture": "white", "dpr": "2"},
    {"palette": "lajolla", "aggregation": "unique_visits", "picture": "white"},
    {"device": "phone", "browser": "samsung", "os": "android", "language": "dutch"},
    {"capture": "import", "outcome": "handed_over"},
    {"style": "confetti", "kind": "click", "colour_by": "variant", "legend": "nl"},
]


def test_the_edges_are_taken(walked: Asker) -> None:
    for query in EDGES:
        assert walked(JSON, params=query).status_code == 200, query


def test_a_map_spans_no_more_than_the_days_that_are_kept(ask: Asker) -> None:
    refused = ask(JSON, params={"date_from": "2024-10-19", "date_to": "2026-11-18"})
    assert f"{MAX_DAYS} days" in is_problem(refused, 422, "bad-parameters")["detail"]


def test_routes_that_take_no_parameters_refuse_each(ask: Asker) -> None:
    for path in ("/sites", "/sites/{site}", "/sites/{site}/pages", PAGE, f"{PAGE}/layouts"):
        for query in ("limit=1", "a=1&a=2", "x", "=1", "%00=1", "a" * 3000 + "=1"):
            body = is_problem(ask(f"{path}?{query}"), 422, "bad-parameters")
            assert len(str(body)) < 600


@pytest.mark.parametrize("path", [PNG, JSON])
def test_a_parameter_given_twice_is_refused_though_both_say_the_same(ask: Asker, path: str) -> None:
    for query in ("kind=click&kind=click", "kind=click&dpr=1&kind=stall", "date_to=&date_to="):
        body = is_problem(ask(f"{path}?{query}"), 422, "bad-parameters")
        assert body["detail"].startswith("given twice: ")


def test_a_misspelt_parameter_is_told_which_was_meant(ask: Asker) -> None:
    problem = is_problem(ask(PNG, params={"devise": "phone"}), 422, "bad-parameters")
    assert "did you mean device?" in problem["errors"][0]["detail"]
    problem = is_problem(ask(PNG, params={"zzz": "1"}), 422, "bad-parameters")
    assert "there are aggregation, bandwidth, browser," in problem["errors"][0]["detail"]


def test_each_of_several_wrong_parameters_has_its_remedy(ask: Asker) -> None:
    asked = {"zzz": "1", "kind": "stalls", "devise": "phone", "yyy": "1", "dpr": "3"}
    problem = is_problem(ask(PNG, params=asked), 422, "bad-parameters")
    told = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert told["/kind"] == (
        "must be one of attention, click, deadclick, move, rageclick, scroll, stall; "
        "did you mean stall?"
    )
    assert told["/devise"].endswith("did you mean device?")
    assert told["/dpr"] == "must be less than or equal to 2"
    # The whole list stands at the first that needs it.
    lists = [pointer for pointer, detail in told.items() if "there are aggregation" in detail]
    assert lists == ["/zzz"]
    assert told["/yyy"] == "there is no such parameter"


def test_a_comparison_without_cohorts_is_told_how_to_write_them(ask: Asker) -> None:
    problem = is_problem(ask(f"{PAGE}/compare.json"), 422, "bad-parameters")
    assert [error["pointer"] for error in problem["errors"]] == ["/a", "/b"]
    for error in problem["errors"]:
        assert error["detail"].startswith("is needed, and was left out: ")
        assert "outcome:abandoned,device:phone" in error["detail"]


def test_a_page_that_does_not_exist_is_answered_with_those_that_do(ask: Asker) -> None:
    for path in ("/sites/{site}/pages/shiping", "/sites/{site}/pages/shiping/heatmap.json"):
        told = is_problem(ask(path), 404, "not-found")["detail"]
        assert told.startswith("no such page of this site; there are shipping"), told


def test_many_wrong_parameters_make_no_long_answer(ask: Asker) -> None:
    query = "&".join(f"p{n}{'x' * 40}=1" for n in range(400))
    body = is_problem(ask(f"{JSON}?{query}"), 422, "bad-parameters")
    assert len(body["errors"]) == 10
    assert body["detail"].endswith("and 390 more")


@pytest.mark.parametrize(
    "query",
    ["kind=%FF", "%FF=1", "kind=%00", "kind=%ED%A0%80", "a~b/c=1", "kind=%u2603", "&&&=&", ";"],
)
def test_bytes_that_are_no_text_are_refused(ask: Asker, query: str) -> None:
    assert ask(f"{JSON}?{query}").status_code == 422


@pytest.mark.parametrize(
    "segment", ["%00", "%FF", "%2e%2e", "%ED%A0%80", "{{7*7}}", "a%0d%0ab", "gs_" + "a" * 5000, "é"]
)
def test_segments_that_are_no_names_find_nothing(ask: Asker, segment: str) -> None:
    segment = quote(segment, safe="%{}*")
    for path in (f"/sites/{segment}", f"/sites/{{site}}/pages/{segment}"):
        assert ask(path).status_code in (404, 422)


NAMES = st.one_of(
    st.sampled_from([*MapQuery.model_fields, "signature", "expires", "x"]), st.text(max_size=8)
)
VALUES = st.one_of(
    st.sampled_from(
        ["click", "stall", "scroll", "1", "2", "0.5", "24", "phone", "2026-11-18", "page"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.dates().map(str),
    st.text(max_size=12),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, VALUES), max_size=4), st.sampled_from([PNG, JSON]))
def test_no_parameters_whatever_are_a_fault_of_ours(
    walked: Asker, pairs: list[tuple[str, Any]], path: str
) -> None:
    query = "&".join(f"{quote(n, errors='replace')}={quote(v, errors='replace')}" for n, v in pairs)
    answer = walked(f"{path}?{query}")
    assert answer.status_code in (200, 403, 404, 422), (query, answer.text)
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.content) <= 4096
