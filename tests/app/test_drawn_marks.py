"""What is drawn over a map and in heat's place, asked for over HTTP and checked in its pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.drawing import painting
from app.drawing.painting import MOST_DOTS, Over, dots_drawn, draw_confetti, draw_over, draw_zones
from app.shops import put_zones
from collector.sites import Zone
from heatmap.drawing import draw
from heatmap.marks import gather
from heatmap.palettes import SEGMENT_RGB
from heatmap.zone_boxes import ZoneBox, zone_rows
from tests.app.conftest import Asker, is_problem, settle
from tests.build import Walker, batch_body

PAGE = "/sites/{site}/pages/shipping"
PNG, JSON = f"{PAGE}/heatmap.png", f"{PAGE}/heatmap.json"

BOX = {"zone": 2, "x0_px": 100, "y0_px": 300, "x1_px": 600, "y1_px": 360}
OTHER = {"zone": 3, "x0_px": 100, "y0_px": 900, "x1_px": 400, "y1_px": 960}
LAYOUT = {"width_px": 1280, "height_px": 1500, "pointer": "fine", "boxes": [BOX, OTHER]}

TONES = 40
"""Far more than heat's colours move by."""

DARK = 90
"""Ink is darker, in every channel, and nothing else on these maps is."""


@pytest.fixture
def laid(walked: Asker) -> Asker:
    """The hesitation and the press have their places on the page, and two clicks by script."""
    put = walked(f"{PAGE}/layouts", "PUT", key=walked.new_key("write"), json=LAYOUT)
    assert put.status_code == 200, put.text
    minute = int(walked.gloed.clock().timestamp()) // 60
    clicks = [[1, 500, 640, 480, 0, 0, 0, 0, 0], [1, 900, 200, 1200, 0, 0, 0, 0, 0]]
    posted = Walker(walked.gloed.url, address="10.0.0.9").post(
        walked.site, batch_body(m=minute, e=clicks)
    )
    assert posted.status_code == 204, posted.text
    settle(walked.gloed)
    return walked


def drawn(laid: Asker, **query: str) -> NDArray[np.int16]:
    answer = laid(PNG, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return pixels(answer.content)


def pixels(png: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(np.int16)


def inked(picture: NDArray[np.int16]) -> NDArray[np.bool_]:
    return np.asarray((picture[..., :3].max(axis=-1) < DARK) & (picture[..., 3] > 200))


def added(laid: Asker, marks: str, **query: str) -> NDArray[np.bool_]:
    """Where ink is that the map without these marks has not."""
    return inked(drawn(laid, marks=marks, **query)) & ~inked(drawn(laid, **query))


# Over a map ---------------------------------------------------------------------------------------


def test_contours_lie_where_heat_reaches_their_shares_of_full_colour(laid: Asker) -> None:
    plain = laid(PNG, params={"kind": "stall"}).content
    levels = np.asarray(Image.open(io.BytesIO(plain)))
    ink = added(laid, "contours", kind="stall")
    assert ink.sum() > 500
    heat = levels[ink]
    heat = heat[heat < 250].astype(float)  # the word all over a map of tests is above
    off = np.abs(heat[:, None] / 255 - (0.25, 0.5, 0.75)).min(axis=1)
    assert np.quantile(off, 0.95) < 0.06
    for share in (0.25, 0.5, 0.75):
        assert (np.abs(heat / 255 - share) < 0.03).sum() > 50


def test_lines_of_many_marks_lie_where_those_of_few_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    points, weights = rng.uniform((50, 50), (250, 350), (60, 2)), rng.uniform(1, 5, 60)
    boxes, box_weights = [(100.0, 100.0, 200.0, 140.0)], [9.0]
    marks = {"points": points, "weights": weights, "boxes": boxes, "box_weights": box_weights}
    told = {**marks, "width_px": 300, "height_px": 400, "dpr": 1}
    given = gather(points, weights, boxes, box_weights)
    heat = draw(given, width_px=300, height_px=400, bandwidth_px=24)
    pictures = []
    for most in (61, 60):
        monkeypatch.setattr(painting, "FEW", most)
        pictures.append(pixels(draw_over(heat, Over(contours_px=24.0), told).png))
    few, many = pictures
    assert inked(few).sum() > 300
    assert np.abs(few - many).max(axis=-1).mean() < 2


def test_folds_lie_where_windows_end(laid: Asker) -> None:
    told = laid(JSON, params={"marks": "folds"}).json()
    assert told["folds_px"] == [720.0, 720.0, 720.0]
    assert laid(JSON).json()["folds_px"] is None
    rows = added(laid, "folds").sum(axis=1)
    assert rows[718:723].max() > 500
    assert rows[:700].sum() == rows[740:].sum() == 0


def test_folds_are_of_the_views_that_were_asked_for(laid: Asker) -> None:
    for query in ({"device": "phone"}, {"viewport_width_max": "1279"}, {"outcome": "completed"}):
        told = laid(JSON, params={"marks": "folds", **query})
        assert told.status_code == 200, told.text
        assert told.json()["folds_px"] is None, query
    same = {"device": "desktop", "viewport_width_min": "1280", "capture": "css"}
    assert laid(JSON, params={"marks": "folds", **same}).json()["folds_px"] is not None


def test_zones_are_outlined_with_their_numbers(laid: Asker) -> None:
    for kind in ("stall", "scroll"):
        ink = added(laid, "zones", kind=kind)
        for box in (BOX, OTHER):
            left, right = ink[
                box["y0_px"] + 25 : box["y1_px"] - 25, [box["x0_px"] + 2, box["x1_px"] - 3]
            ].T
            assert left.mean() > 0.8, (kind, box)
            assert right.mean() > 0.8, (kind, box)
        assert ink[400:850].sum() == 0


def test_several_are_drawn_together_at_either_resolution_on_a_picture_and_with_a_legend(
    laid: Asker,
) -> None:
    together = drawn(laid, marks="contours,folds,zones")
    ink = inked(together)
    for one in ("contours", "folds", "zones"):
        alone = inked(drawn(laid, marks=one)) & ~inked(drawn(laid))
        assert (ink & alone).sum() > 0.9 * alone.sum(), one
    fine = drawn(laid, marks="contours,folds,zones", dpr="2")
    assert fine.shape[:2] == (3000, 2560)
    halved = inked(fine)[::2, ::2]
    assert (halved & ink).sum() > 0.4 * ink.sum()
    sheet = drawn(laid, marks="contours,folds,zones", picture="white", legend="en")
    assert sheet.shape[0] > 1500
    assert (inked(sheet)[:1500] & ink).sum() > 0.9 * ink.sum()


# In heat's place ----------------------------------------------------------------------------------


def test_zones_are_filled_evenly_with_what_they_gathered(laid: Asker) -> None:
    told = laid(JSON, params={"style": "zones"}).json()
    assert told["style"] == "zones"
    assert told["scale"]["unit"] == "s/visit in a zone"
    hottest = told["zones"][0]
    assert told["scale"]["max"] == hottest["total"] == told["peak"]["value"]
    assert told["peak"]["x_px"] == 350.0
    picture = drawn(laid, style="zones")
    full = zone_rows("lajolla")[-1]
    inside = picture[310:350, 110:450].reshape(-1, 4)
    assert np.abs(np.median(inside, axis=0) - full).max() <= 6
    half = drawn(laid, style="zones", scale_max=str(2 * told["scale"]["max"]))
    paler = zone_rows("lajolla")[128]
    assert np.abs(np.median(half[310:350, 110:450].reshape(-1, 4), axis=0) - paler).max() <= 6
    assert np.median(picture[500:800, :, 3]) == 0


def test_confetti_is_a_dot_for_each_mark_in_its_place_or_somewhere_in_its_zone(
    laid: Asker,
) -> None:
    told = laid(JSON, params={"style": "confetti", "kind": "click"}).json()
    assert told["scale"]["unit"] == "dots"
    picture = drawn(laid, style="confetti", kind="click")
    # The press is known by its zone alone, of which this is the middle.
    for x_px, y_px in ((640, 480), (200, 1200), (250, 930)):
        dot = picture[y_px - 1 : y_px + 1, x_px - 1 : x_px + 1].reshape(-1, 4)
        assert np.abs(np.median(dot, axis=0)[:3] - SEGMENT_RGB[0]).max() <= 2
    blue = (np.abs(picture[..., :3] - SEGMENT_RGB[0]).max(axis=-1) <= 2) & (picture[..., 3] > 200)
    assert 0 < blue[850:1000].sum() < 60


@pytest.mark.parametrize("by", ["device", "channel"])
def test_dots_have_the_colours_of_the_classes_that_the_numbers_name(laid: Asker, by: str) -> None:
    asked = {"style": "confetti", "kind": "click", "colour_by": by}
    (told,) = laid(JSON, params=asked).json()["classes"]
    assert (told["dots"], told["visits"]) == (3, 2)
    assert told["value"] == {"device": "desktop", "channel": "unknown"}[by]
    colour = tuple(bytes.fromhex(told["colour"][1:]))
    answer = laid(PNG, params=asked)
    dot = pixels(answer.content)[479:481, 639:641].reshape(-1, 4)
    assert np.abs(np.median(dot, axis=0)[:3] - colour).max() <= 2
    assert (colour == SEGMENT_RGB[0]) == (by == "device")
    assert laid(PNG, params=asked).content == answer.content
    named = {"if-none-match": answer.headers["etag"]}
    assert laid(PNG, params=asked, headers=named).status_code == 304
    other = laid(PNG, params={**asked, "colour_by": "language"}, headers=named)
    assert other.status_code == 200
    assert laid(JSON, params={"style": "confetti", "kind": "click"}).json()["classes"] is None


def test_of_too_many_dots_an_even_choice_is_drawn() -> None:
    dots = np.column_stack((np.arange(5.0 * MOST_DOTS) % 300, np.full(5 * MOST_DOTS, 20.0)))
    chosen = dots_drawn(dots)
    assert len(chosen) == MOST_DOTS
    np.testing.assert_array_equal(chosen[[0, -1]], dots[[0, -1]])
    outside = draw_confetti(dots - (400.0, 0.0), width_px=300, height_px=40)
    assert outside.mass == outside.peak == 0
    assert outside.clipped == len(dots)


def test_zones_without_heat_are_outlined_and_have_no_peak() -> None:
    nothing = draw_zones(
        [(ZoneBox(1, (10, 10, 90, 50), 0.0, "0"), 0.0)], width_px=100, height_px=60
    )
    assert (nothing.peak, nothing.scale_max, nothing.peak_x_px) == (0, 0, None)
    assert inked(pixels(nothing.png)).sum() > 100
    empty = draw_zones([], width_px=100, height_px=60)
    assert pixels(empty.png)[..., 3].max() == 0


# Amounts ------------------------------------------------------------------------------------------


def test_amounts_are_told_for_a_visit_or_for_the_period(laid: Asker) -> None:
    for kind, unit, usual in (("stall", "s", "visit"), ("click", "events", "period")):
        visit, period = (
            laid(JSON, params={"kind": kind, "per": per}).json() for per in ("visit", "period")
        )
        assert (visit["unit"], period["unit"]) == (f"{unit}/visit", unit)
        assert period["visits"] == 2
        assert period["total"] == pytest.approx(2 * visit["total"])
        assert period["scale"]["max"] == pytest.approx(2 * visit["scale"]["max"], rel=1e-5)
        for one, other in zip(visit["zones"], period["zones"], strict=True):
            assert other["total"] == pytest.approx(2 * one["total"])
        same = visit if usual == "visit" else period
        assert laid(JSON, params={"kind": kind}).json() == same


# As everything else -------------------------------------------------------------------------------


def test_what_is_drawn_has_a_name_of_its_own_and_is_the_same_for_the_same_question(
    laid: Asker,
) -> None:
    questions: list[Mapping[str, str]] = [
        {},
        {"marks": "contours"},
        {"marks": "contours,zones"},
        {"style": "zones"},
        {"style": "confetti"},
        {"per": "period"},
    ]
    answers = [laid(PNG, params=query) for query in questions]
    assert len({answer.headers["etag"] for answer in answers}) == len(questions)
    for query, answer in zip(questions, answers, strict=True):
        laid.gloed.context.overlays._maps._kept.clear()
        again = laid(PNG, params=query)
        assert again.content == answer.content
        assert _unchanged(laid, query, answer).status_code == 304
    turned = laid(PNG, params={"marks": "zones,contours"})
    assert turned.headers["etag"] == answers[2].headers["etag"]


def _unchanged(laid: Asker, query: Mapping[str, str], answer: httpx.Response) -> httpx.Response:
    return laid(PNG, params=query, headers={"if-none-match": answer.headers["etag"]})


@pytest.mark.parametrize(
    ("query", "name", "remedy"),
    [
        ({"marks": "lines"}, "marks", "contours, folds, zones"),
        ({"kind": "scroll", "marks": "contours"}, "marks", "leave them out"),
        ({"style": "confetti", "marks": "contours,folds"}, "marks", "style heat"),
        ({"kind": "scroll", "style": "confetti"}, "style", "leave it out"),
        ({"kind": "scroll", "per": "visit"}, "per", "leave it out"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_remedy(
    ask: Asker, query: dict[str, str], name: str, remedy: str
) -> None:
    for address in (PNG, JSON):
        body = is_problem(ask(address, params=query), 422, "bad-parameters")
        (error,) = body["errors"]
        assert error["pointer"] == f"/{name}"
        assert remedy in error["detail"]


# What nobody can see ------------------------------------------------------------------------------


def test_a_payment_frame_is_hatched_and_said_to_be_closed_to_us(laid: Asker) -> None:
    zones = [zone for zone in laid.site.pages["shipping"].zones if zone.number != 3]
    frame = Zone(3, "verder", "#card", "frame")
    page_id, now = laid.site.pages["shipping"].page_id, laid.gloed.clock()
    before = drawn(laid, kind="click")
    store = laid.gloed.store
    laid.gloed.do(put_zones(store, laid.site, page_id, (*zones, frame), now))
    assert laid(JSON).json()["frames"] == [3]
    x0, y0, x1, y1 = (OTHER[edge] for edge in ("x0_px", "y0_px", "x1_px", "y1_px"))
    # Colours of heat move by a tone, to make room in the palette.
    changed = np.abs(drawn(laid, kind="click") - before).max(axis=-1) > TONES
    inside = changed[y0:y1, x0:x1]
    assert 0.1 < inside[2:-2, 2:-2].mean() < 0.25, "lines, with the heat to be seen between them"
    assert inside[0].mean() > 0.9
    changed[y0:y1, x0:x1] = False
    assert changed.mean() < 0.001, "and nothing else"
