"""What the API says of the question behind a contrast; `null` is what the data do not tell."""

from __future__ import annotations

import math
from datetime import date

from pydantic import BaseModel

from app.api.audience_models import AudienceOut, audience_out
from app.contrasting.question import Question
from app.contrasting.schedule import Milestone, Verdict
from app.contrasting.truth import LabelTruth
from heatmap.intervals import Interval
from heatmap.planning import LOOKS


class IntervalOut(BaseModel):
    """An estimate, and the interval of 95 % around it."""

    value: float
    low: float
    high: float | None


class CohortOut(BaseModel):
    filter: str
    visits: int


class LabelsOut(BaseModel):
    """Orders that the shop's server reported, and how many of them were matched to a visit."""

    reported: int
    matched: int
    share: float | None
    doubtful: bool


class MilestoneOut(BaseModel):
    stage: str
    on: date | None
    reached: bool


class VerdictOut(BaseModel):
    """The last decision: one for each complete week, `looks` at the most."""

    look: int
    looks: int
    until: date | None
    next: date | None
    level: float


class QuestionOut(BaseModel):
    """What the answer rests on."""

    site: str
    page: str
    state: str
    date_from: date
    date_to: date
    time_zone: str
    a: CohortOut
    b: CohortOut
    visits: int
    handed_over: int
    undecided: int
    coverage: float | None
    audience: AudienceOut
    labels: LabelsOut
    contrast: bool
    why_not: str | None
    """`no_goal`: nothing tells which visits completed; `too_few`: see `milestones`."""
    stage: str
    milestones: list[MilestoneOut]
    verdict: VerdictOut
    held: list[str]
    """What visits are compared within: `device`, `week`; neither where it tells them apart."""
    kind: str
    """`cause` where variants were dealt out at random, else `association`."""


def question_out(question: Question) -> QuestionOut:
    query, sizes = question.query, question.sizes
    return QuestionOut(
        site=question.site.public_key,
        page=question.page.slug,
        state=question.site.state,
        date_from=question.period[0],
        date_to=question.period[1],
        time_zone=question.site.time_zone.key,
        a=CohortOut(filter=query.a, visits=sizes[0]),
        b=CohortOut(filter=query.b, visits=sizes[1]),
        visits=question.visits,
        handed_over=question.handed_over,
        undecided=question.undecided,
        coverage=question.coverage,
        audience=audience_out(question.of_shop),
        labels=_labels(question.truth),
        contrast=question.why_not is None,
        why_not=question.why_not,
        stage=question.stage.value,
        milestones=[_milestone(one) for one in question.milestones()],
        verdict=_verdict(question.verdict),
        held=list(question.held),
        kind="cause" if query.randomised else "association",
    )


def _labels(truth: LabelTruth) -> LabelsOut:
    return LabelsOut(
        reported=truth.reported,
        matched=truth.matched,
        share=truth.share,
        doubtful=truth.doubtful,
    )


def _milestone(one: Milestone) -> MilestoneOut:
    return MilestoneOut(stage=one.stage.value, on=one.on, reached=one.reached)


def _verdict(verdict: Verdict) -> VerdictOut:
    return VerdictOut(
        look=verdict.look,
        looks=LOOKS,
        until=verdict.until,
        next=verdict.next,
        level=verdict.level,
    )


def known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def interval(told: Interval) -> IntervalOut | None:
    if not math.isfinite(told.value):
        return None
    return IntervalOut(value=told.value, low=told.low, high=known(told.high))
