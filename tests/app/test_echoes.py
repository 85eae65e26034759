"""A click that a label hands on to its field is one click."""

from __future__ import annotations

from tests.app.build import batch, fold, scrolled


def clicked_at(*clicks: dict[str, int]) -> list[tuple[int, int]]:
    (view,) = fold([], [], [batch(1, events=[scrolled(0, 50)], clicks=clicks)])
    assert len(view.events) == len(view.clicks()) + 1
    return [(int(one["t"]), int(one["zone"])) for one in view.clicks()]


def test_the_click_of_the_label_counts_and_its_fields_does_not() -> None:
    label, echo = {"t": 900, "x": 5, "y": 7, "zone": 3}, {"t": 980, "x": 5, "y": 7, "zone": 1}
    assert clicked_at(label, echo) == [(900, 3)]


def test_of_a_label_beside_its_fields_zone_the_fields_click_counts() -> None:
    label, echo = {"t": 900, "x": 5, "y": 7}, {"t": 901, "x": 5, "y": 7, "zone": 1}
    assert clicked_at(label, echo) == [(901, 1)]
    after = {"t": 1800, "x": 90, "y": 7, "zone": 2}
    assert clicked_at(label, echo, after) == [(901, 1), (1800, 2)]


def test_quick_clicks_of_a_finger_and_clicks_elsewhere_all_count() -> None:
    there, again, aside = ({"t": t, "x": x} for t, x in ((900, 5), (1050, 5), (1060, 90)))
    assert [t for t, _ in clicked_at(there, again, aside)] == [900, 1050, 1060]


def test_a_single_click_and_none_are_left_as_they_are() -> None:
    assert clicked_at({"t": 900}) == [(900, 0)]
    assert clicked_at() == []
