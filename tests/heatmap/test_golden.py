from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heatmap import overlay
from heatmap.colours import names
from heatmap.page import FloatArray
from heatmap.reach import draw_reach
from heatmap.scale import Curve
from tests.heatmap import pictures
from tests.heatmap.pictures import assert_golden, picture_of

WIDTH_PX, HEIGHT_PX = 420, 320


def checkout() -> FloatArray:
    """Clicks on a small checkout page, placed by a rule: no random generator can change them."""
    turns = np.arange(400) * 2.399963
    ring = np.sqrt(np.arange(400) / 400)[:, None] * np.column_stack((np.cos(turns), np.sin(turns)))
    fields = [((120, 60), (70, 10), 1), ((120, 130), (50, 9), 3), ((80, 230), (34, 8), 2)]
    clouds = [np.array(middle) + ring[::skip] * np.array(size) for middle, size, skip in fields]
    return np.vstack((*clouds, [(415.0, 5.0)] * 30))


@pytest.mark.parametrize("palette", names())
def test_clicks_look_as_they_did(palette: str) -> None:
    png = overlay(
        checkout(), width_px=WIDTH_PX, height_px=HEIGHT_PX, bandwidth_px=14, palette=palette
    )
    assert_golden(f"clicks-{palette}", png)


@pytest.mark.parametrize("scale", ["sqrt", "log"])
def test_curves_look_as_they_did(scale: Curve) -> None:
    png = overlay(checkout(), width_px=WIDTH_PX, height_px=HEIGHT_PX, bandwidth_px=14, scale=scale)
    assert_golden(f"clicks-{scale}", png)


def test_zones_look_as_they_did() -> None:
    boxes = [(50, 40, 190, 80), (50, 110, 190, 150), (250, 30, 400, 200), (-40, 290, 460, 340)]
    png = overlay(
        checkout()[:100],
        boxes_px=boxes,
        box_weights=[200, 500, 400, 300],
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        bandwidth_px=10,
    )
    assert_golden("zones", png)


def test_a_fine_picture_looks_as_it_did() -> None:
    png = overlay(checkout(), width_px=WIDTH_PX, height_px=HEIGHT_PX, bandwidth_px=14, dpr=2)
    assert_golden("clicks-dpr2", png)


def test_scroll_reach_looks_as_it_did() -> None:
    depths = 60 + 270 * (np.arange(200) / 199) ** 2
    assert_golden("reach", draw_reach(depths, width_px=WIDTH_PX, height_px=HEIGHT_PX).png)


def test_a_changed_picture_is_refused_and_shown_beside_the_golden_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "GOLDEN", tmp_path)
    monkeypatch.setattr(pictures, "FAILED", tmp_path / "failed")
    monkeypatch.setattr(pictures, "REWRITE", False)
    want = np.full((40, 40, 4), 100, dtype=np.uint8)
    (tmp_path / "map.png").write_bytes(picture_of(want))
    rounded = want.copy()
    rounded[0, 0] += 3
    assert_golden("map", picture_of(rounded))
    for changed in (want + np.uint8(1), want + np.uint8(20), want[:30]):
        with pytest.raises(pytest.fail.Exception, match="map: "):
            assert_golden("map", picture_of(changed))
    with pytest.raises(pytest.fail.Exception, match="does not exist"):
        assert_golden("another", picture_of(want))
    shown = sorted(path.name for path in (tmp_path / "failed").iterdir())
    assert shown == ["map-diff.png", "map-got.png", "map-want.png"]
