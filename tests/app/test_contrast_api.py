"""zones and fields over real HTTP: what is answered, under which name, and what is refused."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from app.shops import find_site, put_zones
from app.store import Store
from collector.codes import Device, Outcome
from collector.sites import Zone
from tests.app.build import goal, put_rows
from tests.app.conftest import Asker, is_problem, settle
from tests.app.derived import Came, put_came
from tests.conftest import NOON

PAGE = "/sites/{site}/pages/shipping"
TODAY = NOON.date()
DAY = timedelta(days=1)
DAYS = 16
"""Two complete weeks, and two days of the third."""


def crowd(days: int, each: int, stall: float, seed: int = 3) -> Iterator[Came]:
    """As many that abandon as that complete; the former dwell `stall` times as long at zone 2."""
    draw = random.Random(seed)
    for n in range(days * each * 2):
        gone = n % 2 == 0
        dwell = {zone: draw.lognormvariate(0.7, 0.9) for zone in (1, 2, 3)}
        dwell[2] *= stall if gone else 1
        if n % 10 < 4:
            del dwell[2]
        yield Came(
            day=TODAY - (days - 1 - n // (2 * each)) * DAY,
            outcome=Outcome.ABANDONED if gone else Outcome.COMPLETED,
            device=Device.PHONE if n % 4 < 2 else Device.DESKTOP,
            dwell_s=dwell,
            facts=field_facts(draw, gone=gone),
        )


def field_facts(draw: random.Random, *, gone: bool) -> list[tuple[int, str, int]]:
    """Who abandons has the postcode in focus for 5 s and more, and is shown an error there."""
    told = [(1, "f", 2_000), *((1, f"f{step}", 2_000 + 1_000 * step) for step in (1, 2))]
    if gone:
        told += [(1, "f5", 7_000), (1, "e", 8_000)]
    return told if draw.random() < 0.8 else [(3, "p1", 3_000)]


@pytest.fixture
def stalled(ask: Asker) -> Asker:
    put(ask, *crowd(DAYS, 8, 4.0))
    return ask


def put(ask: Asker, *came: Came, start: int = 1) -> None:
    page = ask.site.pages["shipping"]
    settle(ask.gloed)
    ask.gloed.do(put_came(ask.gloed.store, ask.site, page, came, start))


def told(ask: Asker, name: str = "zones.json", **asked: Any) -> dict[str, Any]:
    answer = ask(f"{PAGE}/{name}", params={"date_from": str(TODAY - (DAYS - 1) * DAY), **asked})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_planted_stall_is_the_first_zone_and_is_called(stalled: Asker) -> None:
    body = told(stalled)
    first, *others = body["zones"]
    assert (first["name"], first["significant"]) == ("verzendkosten", True)
    assert first["p"] <= body["verdict"]["level"] == 0.05 / 8
    assert first["a"]["seconds"]["value"] > 2 * first["b"]["seconds"]["value"]
    assert first["ratio"]["low"] > 1
    assert 0 < first["a"]["concerned"] <= first["a"]["exposed"] == DAYS * 8
    assert not any(zone["significant"] for zone in others)
    assert body["held"] == ["device", "week"]
    for rates in first["metrics"].values():
        for told_of in filter(None, rates.values()):
            assert 0 <= told_of["low"] <= told_of["value"] <= told_of["high"] <= 1
    assert (body["contrast"], body["why_not"], body["kind"]) == (True, None, "association")
    assert (body["a"]["visits"], body["b"]["visits"]) == (DAYS * 8, DAYS * 8)


def test_what_is_counted_is_of_today_and_what_is_decided_of_complete_weeks(
    stalled: Asker,
) -> None:
    body = told(stalled)
    until = TODAY - (DAYS - 1) * DAY + 14 * DAY
    assert body["verdict"] == {
        "look": 2,
        "looks": 8,
        "until": str(until),
        "next": str(until + 7 * DAY),
        "level": 0.05 / 8,
    }
    assert (body["judged"]["a"], body["judged"]["b"]) == (14 * 8, 14 * 8)
    put(stalled, *(Came(TODAY, dwell_s={3: 30}) for _ in range(60)), start=5000)
    later = told(stalled)
    before = {zone["name"]: zone["p"] for zone in body["zones"]}
    assert {zone["name"]: zone["p"] for zone in later["zones"]} == before
    assert later["a"]["visits"] == body["a"]["visits"] + 60


def test_stages_are_told_with_their_days(stalled: Asker) -> None:
    body = told(stalled)
    assert body["stage"] == "tested"
    assert [one["stage"] for one in body["milestones"]] == ["plain", "ranked", "tested", "powered"]
    assert [one["reached"] for one in body["milestones"]] == [True, True, True, False]
    assert date.fromisoformat(body["milestones"][-1]["on"]) == TODAY + 20 * DAY, (
        "16 days at this rate, and then the verdict of that week"
    )


def test_below_a_hundred_of_each_zones_are_ranked_without_a_p(ask: Asker) -> None:
    put(ask, *crowd(DAYS, 2, 6.0))
    body = told(ask)
    assert (body["stage"], body["contrast"]) == ("ranked", True)
    assert body["zones"][0]["name"] == "verzendkosten"
    assert {zone["p"] for zone in body["zones"]} == {None}
    assert not any(zone["significant"] for zone in body["zones"])


def test_one_question_asked_in_advance_is_tested_with_its_power(ask: Asker) -> None:
    put(ask, *crowd(DAYS, 4, 6.0))
    body = told(ask, planned=2)
    assert 0 < body["planned"]["power_of_double"] < 1
    by_name = {zone["name"]: zone for zone in body["zones"]}
    assert by_name["verzendkosten"]["significant"]
    assert by_name["verzendkosten"]["p_planned"] <= body["verdict"]["level"]
    assert not by_name["postcode"]["significant"]
    assert told(ask)["planned"] is None
    refused = ask("/sites/{site}/pages/shipping/zones.json", params={"planned": "99"})
    assert refused.status_code == 422
    assert "planned names no zone of this page; it has 1, 2, 3" in refused.text


def test_with_few_visits_it_is_said_why_nothing_is_contrasted(ask: Asker) -> None:
    put(ask, *(Came(TODAY, facts=[(1, "f", 10)]) for _ in range(5)))
    body = told(ask)
    assert (body["contrast"], body["why_not"], body["stage"]) == (False, "too_few", "plain")
    assert {zone["a"] for zone in body["zones"]} == {None}
    left = {zone["name"]: zone["left_from"] for zone in body["zones"]}
    assert left == {"postcode": 5, "verzendkosten": 0, "verder": 0}


def test_the_bound_is_what_the_others_rate_would_make_of_those_concerned(stalled: Asker) -> None:
    body = told(stalled)
    bound = body["upper_bound"]
    assert 0 <= bound["orders_a_month"] <= 30 / DAYS * DAYS * 8
    assert bound["low"] <= bound["orders_a_month"] <= bound["high"]
    assert bound["low"] < bound["high"] <= bound["visits"] * 30 / DAYS + 1
    assert 0 < bound["visits"] <= 0.6 * 2 * DAYS * 8 + 1
    assert told(stalled, a="device:phone", b="device:desktop")["upper_bound"] is None


def test_labels_stand_beside_every_contrast(stalled: Asker) -> None:
    rows = [goal(n, NOON - timedelta(hours=n), visitor=n, source=3) for n in range(3)]
    stalled.gloed.do(put_rows(stalled.gloed.store, stalled.site, "goal", rows))
    assert told(stalled)["labels"] == {
        "reported": 3,
        "matched": 0,
        "share": 0.0,
        "doubtful": True,
    }


def test_the_form_report_tells_each_field_in_its_order(stalled: Asker) -> None:
    body = told(stalled, "fields.json")
    (postcode,) = body["fields"]
    assert postcode["name"] == "postcode"
    gone, done = postcode["a"], postcode["b"]
    assert gone["visits"] == done["visits"] == DAYS * 8
    assert gone["errors"] == gone["focused"] > 0 == done["errors"]
    assert 5 < gone["median_s"] < gone["p75_s"] < 10
    assert 2 < done["median_s"] < done["p75_s"] < 5
    assert (postcode["all"]["focused"]) == gone["focused"] + done["focused"]
    assert gone["left_from"] == gone["focused"]
    assert (done["left_from"], body["left_nowhere"]) == (0, 0)
    assert (postcode["significant"], postcode["ratio"]["low"] > 1) == (True, True)


def test_the_form_report_is_there_on_the_first_day(ask: Asker) -> None:
    put(ask, Came(TODAY, facts=[(1, "f", 100), (1, "f1", 1_100)]), Came(TODAY))
    body = told(ask, "fields.json")
    assert body["fields"][0]["all"]["focused"] == 1
    assert body["fields"][0]["a"]["focused"] == 1
    assert body["fields"][0]["all"]["errors"] is None, "nobody looks for any"
    assert body["fields"][0]["b"] is None, "nobody completed yet"
    assert (body["fields"][0]["p"], body["left_nowhere"]) == (None, 1)


@pytest.mark.parametrize("name", ["zones", "fields"])
def test_a_spreadsheet_holds_what_the_json_says(stalled: Asker, name: str) -> None:
    asked = {"date_from": str(TODAY - (DAYS - 1) * DAY)}
    answer = stalled(f"{PAGE}/{name}.csv", params=asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    listed = told(stalled, f"{name}.json")[name]
    assert [row["name"] for row in rows] == [one["name"] for one in listed]
    assert [row["p"] for row in rows] == [repr(one["p"]) if one["p"] else "" for one in listed]
    assert [row["significant"] for row in rows] == [str(o["significant"]).lower() for o in listed]


def test_a_name_that_looks_like_a_formula_computes_nothing(ask: Asker) -> None:
    gloed = ask.gloed

    async def rename(store: Store) -> None:
        page = ask.site.pages["shipping"]
        zones = [Zone(1, '=HYPERLINK("http://x")', "#postcode", "field")]
        await put_zones(store, ask.site, page.page_id, zones, NOON)
        await find_site(store, ask.site.public_key)

    gloed.do(rename(gloed.store))
    gloed.context.catalogue.forget()
    for name in ("zones", "fields"):
        lines = ask(f"{PAGE}/{name}.csv").text.splitlines()
        assert '"\'=HYPERLINK(""http://x"")"' in lines[1]


@pytest.mark.parametrize("name", ["zones.json", "zones.csv", "fields.json", "fields.csv"])
def test_an_answer_is_known_by_its_name_until_anything_changes(stalled: Asker, name: str) -> None:
    first = stalled(f"{PAGE}/{name}")
    etag = {"if-none-match": first.headers["etag"]}
    held = stalled(f"{PAGE}/{name}", headers=etag)
    assert (held.status_code, held.content) == (304, b"")
    assert first.headers["cache-control"] == "private, max-age=60"
    other = stalled(f"{PAGE}/{name}", headers=etag, params={"device": "phone"})
    assert other.status_code == 200
    finished = stalled(f"{PAGE}/{name}", params={"date_to": str(TODAY - DAY)})
    assert finished.headers["cache-control"] == "private, max-age=3600"
    rows = [goal(1, NOON, visitor=1, source=3)]
    stalled.gloed.do(put_rows(stalled.gloed.store, stalled.site, "goal", rows))
    assert stalled(f"{PAGE}/{name}", headers=etag).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"a": "phone"},
        {"a": "device:phone", "b": "device:phone"},
        {"planned": "0"},
        {"kind": "stall"},
        {"date_from": "2026-11-20", "date_to": "2026-11-19"},
        {"date_from": "2020-01-01"},
        {"date_from": "2027-01-01"},
    ],
)
def test_what_cannot_be_asked_is_refused(ask: Asker, asked: dict[str, str]) -> None:
    is_problem(ask(f"{PAGE}/zones.json", params=asked), 422, "bad-parameters")


def test_cohorts_that_overlap_are_refused_with_the_remedy(stalled: Asker) -> None:
    asked = {"a": "device:phone", "b": "outcome:completed"}
    body = is_problem(stalled(f"{PAGE}/zones.json", params=asked), 422, "bad-parameters")
    assert "exclude each other" in body["detail"]


def test_variants_are_dealt_out_and_so_may_be_called_a_cause(stalled: Asker) -> None:
    assert told(stalled, a="variant:1", b="variant:2")["kind"] == "cause"


def test_one_field_that_was_asked_about_in_advance_is_tested_with_fewer_visits(ask: Asker) -> None:
    put(ask, *crowd(DAYS, 4, 1.0))
    (postcode,) = told(ask, "fields.json", planned=1)["fields"]
    assert postcode["p_planned"] <= 0.05 / 8
    assert postcode["significant"]
    (other,) = told(ask, "fields.json", planned=2)["fields"]
    assert not other["significant"], "of a planned question the others are no question"
    (unplanned,) = told(ask, "fields.json")["fields"]
    assert (unplanned["p"], unplanned["significant"]) == (None, False)
