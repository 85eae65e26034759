"""Two cohorts drawn against one another: the picture, its numbers, and what is said without one."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.access.shares import add_share
from app.picturing.layouts import Box, put_layout
from collector.codes import Device, Outcome
from tests.app.conftest import Asker, is_problem, settle
from tests.app.derived import Came, put_came
from tests.conftest import NOON
from tests.pages.sheet import picture_png

PAGE = "/sites/{site}/pages/shipping"
TODAY = NOON.date()
DAY = timedelta(days=1)
DAYS = 9
SIZE = (390, 640)
BOXES = (Box(1, 20, 100, 370, 142), Box(2, 20, 300, 370, 350), Box(3, 20, 500, 180, 548))
SINCE = {"date_from": str(TODAY - (DAYS - 1) * DAY)}


def crowd(each: int, stall: float, days: int = DAYS, seed: int = 7) -> Iterator[Came]:
    """Those who abandon dwell `stall` times as long in zone 2, and there alone."""
    draw = random.Random(seed)
    for n in range(2 * each * days):
        gone = n % 2 == 0
        dwell = {zone: draw.lognormvariate(0.7, 0.8) for zone in (1, 2, 3)}
        dwell[2] *= stall if gone else 1
        yield Came(
            day=TODAY - (days - 1 - n // (2 * each)) * DAY,
            outcome=Outcome.ABANDONED if gone else Outcome.COMPLETED,
            dwell_s=dwell,
            deepest_px=640,
            variant=1 + n % 2,
        )


def put(ask: Asker, came: Iterator[Came], *, layout: bool = True, start: int = 1) -> None:
    page = ask.site.pages["shipping"]
    settle(ask.gloed)
    ask.gloed.do(put_came(ask.gloed.store, ask.site, page, came, start))
    if layout:
        made = put_layout(
            ask.gloed.store,
            ask.site,
            page,
            width_px=SIZE[0],
            height_px=SIZE[1],
            pointer="coarse",
            boxes=BOXES,
            picture=picture_png(*SIZE),
            source="api",
            now=NOON - 30 * DAY,
        )
        ask.gloed.do(made)


def told(ask: Asker, name: str = "stalls.json", **asked: Any) -> dict[str, Any]:
    answer = ask(f"{PAGE}/{name}", params={**SINCE, **asked})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def drawn(ask: Asker, name: str = "stalls.png", **asked: Any) -> bytes:
    answer = ask(f"{PAGE}/{name}", params={**SINCE, **asked})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    return answer.content


def alpha(png: bytes) -> Any:
    with Image.open(io.BytesIO(png)) as opened:
        assert opened.mode == "P"
        return np.asarray(opened.convert("RGBA"))


def test_the_place_where_those_who_abandon_stall_is_drawn_told_and_named(ask: Asker) -> None:
    put(ask, crowd(18, 4.0))
    body = told(ask)
    (region,) = [one for one in body["regions"] if one["longer"]]
    assert region["zones"][0] == 2
    assert region["p"] <= body["verdict"]["level"]
    x_px, y_px = region["peak_px"]
    assert (20 <= x_px <= 370, 300 <= y_px <= 350) == (True, True)
    assert region["a_seconds"] > 2 * region["b_seconds"]
    assert region["ratio"] == pytest.approx(region["a_seconds"] / region["b_seconds"])
    assert body["map"]["judged_a"] == body["map"]["judged_b"] == 7 * 18
    assert (body["width_px"], body["height_px"], body["bandwidth_px"]) == (*SIZE, 24.0)

    png = drawn(ask)
    rgba = alpha(png)
    assert rgba.shape[:2] == SIZE[::-1]
    inside, outside = rgba[325, 100], rgba[430, 380]
    assert inside[3] > 60 > outside[3], "coloured where they stall alone"
    assert inside[0] > inside[2], "red is longer"
    assert drawn(ask) == png
    with Image.open(io.BytesIO(png)) as opened:
        said = opened.text  # type: ignore[attr-defined]
        assert said["gloed:a"] == "outcome:abandoned, 162 visits"
        assert said["gloed:labels"] == "0 of 0 reported orders matched"
        assert said["gloed:within"] == "device x week"
        assert said["gloed:counted"] == "100% of the page views"
    assert drawn(ask, dpr=2) != png
    assert drawn(ask, opacity=0.3) != png
    on_page = drawn(ask, picture="page")
    with Image.open(io.BytesIO(on_page)) as opened:
        assert opened.size == SIZE

    compared = {"a": "variant:1", "b": "variant:2"}
    other = told(ask, "compare.json", **compared)
    assert other["kind"] == "cause"
    assert [one["box_px"] for one in other["regions"]] == [o["box_px"] for o in body["regions"]]
    turned = told(ask, "compare.json", a="variant:2", b="variant:1")
    assert [one["longer"] for one in turned["regions"]] == [
        not one["longer"] for one in body["regions"]
    ]
    assert alpha(drawn(ask, "compare.png", **compared)).shape == rgba.shape
    share = told(ask, mode="share")
    assert share["mode"] == "share"

    etag = ask(f"{PAGE}/stalls.png", params=SINCE).headers["etag"]
    held = ask(f"{PAGE}/stalls.png", params=SINCE, headers={"if-none-match": etag})
    assert (held.status_code, held.content) == (304, b"")


def test_a_contrast_goes_by_signed_link_as_any_picture_does(ask: Asker) -> None:
    put(ask, crowd(12, 4.0))
    path = f"/api/v1{PAGE}/stalls.png".replace("{site}", ask.site.public_key)
    gloed = ask.gloed
    share = gloed.do(add_share(gloed.store, ask.site.site_id, "shipping", DAY, NOON, picture=True))
    link = gloed.context.signer.signed(path, SINCE, share.expires_at, share.share_id)
    assert ask.client.get(link).status_code == 200
    assert ask.client.get(link.replace("stalls.png", "compare.png")).status_code == 403


def test_before_the_first_complete_week_there_is_colour_and_no_line(ask: Asker) -> None:
    put(ask, crowd(40, 4.0, days=3))
    body = told(ask, date_from=str(TODAY - 2 * DAY))
    assert (body["drawn"], body["regions"], body["map"]["p_page"]) == (True, [], None)
    assert body["verdict"]["look"] == 0
    drawn(ask, date_from=str(TODAY - 2 * DAY))


def test_with_few_visits_nothing_is_drawn_and_it_is_said_why(ask: Asker) -> None:
    put(ask, crowd(4, 4.0))
    body = told(ask)
    assert (body["drawn"], body["why_not_drawn"], body["why_not"]) == (False, "too_few", None)
    refused = ask(f"{PAGE}/stalls.png", params=SINCE)
    detail = is_problem(refused, 409, "no-contrast")["detail"]
    assert "wants 100 visits of each cohort in this layout; there are 36 and 36" in detail


def test_without_a_layout_there_is_nothing_to_draw_on(ask: Asker) -> None:
    put(ask, crowd(2, 1.0), layout=False)
    body = told(ask)
    assert (body["layout"], body["why_not_drawn"]) == (None, "no_layout")
    refused = ask(f"{PAGE}/stalls.png", params=SINCE)
    assert "gloed capture" in is_problem(refused, 409, "no-contrast")["detail"]
    missing = ask(f"{PAGE}/stalls.json", params={**SINCE, "layout": "0" * 16})
    is_problem(missing, 404, "not-found")


def test_without_a_goal_there_is_nothing_to_contrast(ask: Asker) -> None:
    put(ask, crowd(2, 1.0))
    gloed = ask.gloed
    gloed.do(gloed.store.execute("UPDATE page SET goal = false"))
    gloed.do(gloed.store.execute("UPDATE visit SET goal_at = NULL"))
    gloed.context.catalogue.forget()
    assert told(ask)["why_not_drawn"] == "no_goal"
    refused = ask(f"{PAGE}/stalls.png", params=SINCE)
    assert "thank-you page" in is_problem(refused, 409, "no-contrast")["detail"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("compare.json", {"a": "device:phone"}),
        ("compare.png", {}),
        ("stalls.json", {"a": "device:phone", "b": "device:tablet"}),
        ("stalls.png", {"kind": "stall"}),
        ("stalls.png", {"bandwidth": "auto"}),
        ("stalls.json", {"mode": "both"}),
    ],
)
def test_what_a_picture_of_two_cohorts_cannot_be_asked(
    ask: Asker, name: str, asked: dict[str, str]
) -> None:
    is_problem(ask(f"{PAGE}/{name}", params=asked), 422, "bad-parameters")


def test_a_layout_takes_the_visits_that_met_it(ask: Asker) -> None:
    put(ask, crowd(4, 1.0))
    more = [Came(TODAY, device=Device.DESKTOP, band=4, width_px=1280) for _ in range(9)]
    page = ask.site.pages["shipping"]
    ask.gloed.do(put_came(ask.gloed.store, ask.site, page, more, start=9000))
    body = told(ask)
    assert body["a"]["visits"] == body["map"]["a_visits"] + 9
