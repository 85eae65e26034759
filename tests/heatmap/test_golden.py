from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heatmap import density, overlay
from heatmap.colours import diverging_rows, names, rows
from heatmap.confetti import confetti_layer
from heatmap.contours import contour_layer
from heatmap.fold import FoldLine, fold_layer
from heatmap.layers import Layer, alone, over
from heatmap.legend import ColourBar, Key, Legend, bar_ticks, draw_legend
from heatmap.page import FloatArray
from heatmap.reach import draw_reach
from heatmap.scale import Curve
from heatmap.zone_boxes import ZoneBox, zone_layer
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


def test_fold_lines_look_as_they_did() -> None:
    lines = [
        FoldLine(150, "25%  150 px"),
        FoldLine(163, "50%  163 px", main=True),
        FoldLine(240, "75%  240 px"),
    ]
    assert_golden("fold", alone(fold_layer(lines, width_px=WIDTH_PX, height_px=HEIGHT_PX)))


@pytest.mark.parametrize("dpr", [1, 2])
def test_confetti_looks_as_it_did(dpr: int) -> None:
    points = checkout()[::6]
    layer = confetti_layer(
        points, np.arange(len(points)) % 8, width_px=WIDTH_PX, height_px=HEIGHT_PX, dpr=dpr
    )
    assert_golden(f"confetti-dpr{dpr}", alone(layer))


def test_zone_boxes_look_as_they_did() -> None:
    zones = [
        ZoneBox(1, (50, 40, 190, 80), 0.4, "2,1 s"),
        ZoneBox(2, (50, 110, 190, 150), 1.0, "5,7 s"),
        ZoneBox(3, (250, 30, 400, 200), 0.6, "3,4 s"),
        ZoneBox(4, (40, 100, 200, 160), 0.1, "0,3 s"),
        ZoneBox(12, (-40, 290, 460, 340), 0.0),
    ]
    assert_golden("zone-boxes", alone(zone_layer(zones, width_px=WIDTH_PX, height_px=HEIGHT_PX)))


@pytest.mark.parametrize("dpr", [1, 2])
def test_contours_look_as_they_did(dpr: int) -> None:
    # Evaluated with room to spare, so that the lines do not move with the last digits.
    size: Any = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
    surface = density(checkout(), cell_px=4, bandwidth_px=14, **size)
    lines = contour_layer(
        surface, cell_px=4, solid=[surface.max() / 2], broken=[surface.max() / 6], dpr=dpr, **size
    )
    png = overlay(checkout(), bandwidth_px=14, dpr=dpr, **size)
    assert_golden(f"contours-dpr{dpr}", over(png, lines))


def test_a_difference_looks_as_it_did() -> None:
    levels = np.tile(np.linspace(1, 255, WIDTH_PX).astype(np.uint8), (60, 1))
    assert_golden("difference", alone(Layer(levels, diverging_rows())))


@pytest.mark.parametrize(("width_px", "dpr"), [(390, 1), (390, 2), (1280, 1)])
def test_legends_look_as_they_did(width_px: int, dpr: int) -> None:
    ticks = tuple((place, f"{value:g}") for value, place in bar_ticks(3.72, "sqrt"))
    legend = Legend(
        "Waar bezoekers blijven steken",
        "Verzending, Brandt & Boon",
        ColourBar(rows("lajolla"), ticks, "seconden per bezoek, per 100 × 100 px"),
        (Key(0, "telefoons"), Key(1, "computers"), Key("solid", "p < 0,05"), Key("broken", "0,10")),
        (
            ("Bezoeken", "987"),
            ("Paginaweergaven", "1.204"),
            ("Dekking", "84 %"),
            ("Periode", "24 okt – 22 nov 2026"),
            ("Bandbreedte", "24 px"),
            ("Schaal", "vierkantswortel"),
            ("Lay-out", "390 × 1.175 px, aanraken"),
        ),
    )
    assert_golden(f"legend-{width_px}-dpr{dpr}", draw_legend(legend, width_px=width_px, dpr=dpr))


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
