"""An overlay that is still the same costs a few short questions: no marks are read, none drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.drawing.keeping import Keeping
from app.drawing.overlays import Picture
from app.drawing.renders import Renders
from tests.app.conftest import Asker, settle
from tests.app.test_drawn_marks import LAYOUT, PAGE
from tests.counting import asked_of

MOST_STATEMENTS = 3
"""The key, the shops with their pages and zones, and what the answer is named by."""

OPTIONS: tuple[dict[str, str], ...] = (
    {},
    {"picture": "page"},
    {"picture": "white", "dpr": "2", "legend": "nl"},
    {"kind": "click", "palette": "viridis", "opacity": "0.5", "scale": "log", "scale_max": "0.01"},
    {"kind": "click", "style": "confetti", "colour_by": "outcome"},
    {"kind": "click", "style": "zones", "marks": "folds,zones"},
    {"marks": "contours,folds,zones", "bandwidth": "30"},
    {"kind": "scroll", "aggregation": "unique_visits"},
)


@pytest.fixture
def laid(walked: Asker) -> Asker:
    put = walked(f"{PAGE}/layouts", "PUT", key=walked.new_key("write"), json=LAYOUT)
    assert put.status_code == 200
    settle(walked.gloed)
    return walked


@contextmanager
def counted_draws() -> Iterator[list[str]]:
    """Names of what was sent to be drawn; all of it is drawn all the same."""
    drawn: list[str] = []
    run = Renders.run

    async def counting(self: Renders, draw: Any, *args: Any, **kwargs: Any) -> Any:
        drawn.append(draw.__name__)
        return await run(self, draw, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Renders, "run", counting)
        yield drawn


def address(laid: Asker, query: dict[str, str]) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/api/v1{PAGE}/heatmap.png?{asked}".replace("{site}", laid.site.public_key)


def test_the_same_question_gives_the_same_bytes_and_then_no_work_at_all(laid: Asker) -> None:
    headers = {"authorization": f"Bearer {laid.key}"}
    for query in OPTIONS:
        first = laid(f"{PAGE}/heatmap.png", params=query)
        assert first.status_code == 200, first.text
        assert laid(f"{PAGE}/heatmap.png", params=query).content == first.content
        named = {**headers, "if-none-match": first.headers["etag"]}
        with counted_draws() as drawn:
            again = asked_of(laid.gloed, address(laid, query), named)
        assert (again.answer.status_code, again.answer.content) == (304, b""), query
        assert drawn == []
        assert 0 < len(again.statements) <= MOST_STATEMENTS, again.statements
        rows = [told for told in again.statements if "trail" in told or " ev" in told]
        assert rows == [], "no row of what was recorded is read"


def test_what_is_drawn_anew_is_the_same_too(laid: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    keeps_nothing: Keeping[Picture] = Keeping(0, lambda picture: picture.size)
    monkeypatch.setattr(laid.gloed.context.overlays, "_maps", keeps_nothing)
    monkeypatch.setattr(laid.gloed.context.overlays, "_dressed", Keeping(0, len))
    for query in OPTIONS[:5]:
        with counted_draws() as drawn:
            told = [laid(f"{PAGE}/heatmap.png", params=query).content for _ in range(2)]
        assert told[0] == told[1]
        assert drawn.count("paint") == 2
