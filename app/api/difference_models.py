"""What the API says of two cohorts drawn against one another, in numbers."""

from __future__ import annotations

from pydantic import BaseModel

from app.api.question_models import QuestionOut, known, question_out
from app.contrasting.pixels import MarkedRegion, PixelAnswer
from app.picturing.layouts import Layout
from heatmap.contrasting import Contrast


class RegionOut(BaseModel):
    """A place where the cohorts differ; `ratio` is null where the second never dwells."""

    number: int
    box_px: tuple[float, float, float, float]
    peak_px: tuple[float, float]
    zones: list[int]
    longer: bool
    t: float
    p: float
    a_seconds: float
    b_seconds: float
    ratio: float | None
    a_concerned: int
    b_concerned: int
    a_exposed: int
    b_exposed: int


class MapOut(BaseModel):
    """Cohorts as they met this layout; null where there is nothing to draw."""

    a_visits: int
    b_visits: int
    judged_a: int
    judged_b: int
    p_page: float | None
    detectable_ratio: float | None
    labellings: int | None
    spread: str | None


class Difference(QuestionOut):
    """What the picture says, in numbers; lengths in CSS px of the page."""

    layout: str | None
    width_px: int | None
    height_px: int | None
    bandwidth_px: float | None
    mode: str
    drawn: bool
    why_not_drawn: str | None
    """As `why_not`, of this layout's visits alone; or `no_layout`."""
    map: MapOut
    regions: list[RegionOut]


def difference_out(answer: PixelAnswer) -> Difference:
    layout = answer.layout
    return Difference(
        **question_out(answer.question).model_dump(),
        layout=_named(layout) if layout else None,
        width_px=layout.width_px if layout else None,
        height_px=layout.height_px if layout else None,
        bandwidth_px=answer.bandwidth_px if layout else None,
        mode=answer.query.mode,
        drawn=answer.shown is not None,
        why_not_drawn=answer.why_not,
        map=_map(answer.visits, answer.judged),
        regions=[_region(one) for one in answer.regions],
    )


def _named(layout: Layout) -> str:
    return f"{layout.layout_id & (2**64 - 1):016x}"


def _map(visits: tuple[int, int], judged: Contrast | None) -> MapOut:
    return MapOut(
        a_visits=visits[0],
        b_visits=visits[1],
        judged_a=judged.first_visits if judged else 0,
        judged_b=judged.second_visits if judged else 0,
        p_page=judged.p_page if judged else None,
        detectable_ratio=known(judged.detectable_ratio) if judged else None,
        labellings=judged.labellings if judged else None,
        spread=judged.spread if judged else None,
    )


def _region(one: MarkedRegion) -> RegionOut:
    region = one.region
    return RegionOut(
        number=one.number,
        box_px=(region.x0_px, region.y0_px, region.x1_px, region.y1_px),
        peak_px=(region.peak_x_px, region.peak_y_px),
        zones=list(one.zones),
        longer=region.longer,
        t=region.t,
        p=region.p,
        a_seconds=region.first_s,
        b_seconds=region.second_s,
        ratio=known(region.ratio),
        a_concerned=region.first_concerned,
        b_concerned=region.second_concerned,
        a_exposed=region.first_exposed,
        b_exposed=region.second_exposed,
    )
