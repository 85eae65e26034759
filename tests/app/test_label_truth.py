"""How right the labels are: payers who come back from their bank elsewhere, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from app.closing.visits import COMPLETED, Goal
from collector.codes import Outcome, OutcomeSource
from tests.app.build import AT, PAYMENT, SHIPPING, SHOP, THANKS
from tests.app.test_visits import LONG_AFTER, MINUTE, PAY, seen, visits_of

PAYERS = 500
ELSEWHERE = 10_000
"""Added to a visitor's number: the same person by another network and browser."""


def steps_of(payer: int, *, by_reference: bool) -> Iterator[tuple[Any, ...]]:
    """Half come back as somebody else; of twenty payers three close the bank's page."""
    at = AT + timedelta(seconds=5 * payer)
    ref: dict[str, Any] = {"ref_hash": reference(payer)} if by_reference else {}
    yield at, SHIPPING, {"visitor": payer, **ref}
    yield at + MINUTE, PAYMENT, PAY, {"visitor": payer, **ref}
    if payer % 20 >= 3:
        back = payer + (ELSEWHERE if payer % 2 else 0)
        yield at + 8 * MINUTE, THANKS, {"visitor": back, **ref}


def reference(payer: int) -> bytes:
    return payer.to_bytes(16, "big")


def ended(*, by_reference: bool) -> Counter[Outcome]:
    """How the visits that reached the payment ended; with a reference the server tells of each."""
    walks = [steps_of(payer, by_reference=by_reference) for payer in range(1, PAYERS + 1)]
    views = seen(*(step for walk in walks for step in walk))
    orders = [
        Goal(AT + timedelta(hours=1), None, reference(payer), OutcomeSource.SERVER, COMPLETED)
        for payer in range(1, PAYERS + 1)
    ]
    paying = {view.view_id for view in views if view.page_id == PAYMENT.page_id}
    visits = visits_of(SHOP, views, orders if by_reference else [], LONG_AFTER)
    return Counter(visit.outcome for visit in visits if paying & set(visit.views))


def test_by_the_shop_s_reference_every_payer_has_completed() -> None:
    assert ended(by_reference=True)[Outcome.COMPLETED] >= 0.99 * PAYERS


def test_without_a_reference_payers_are_handed_over_and_never_abandoned() -> None:
    """Whoever contrasts abandoners is spared them; how many there are is told beside."""
    told = ended(by_reference=False)
    assert told[Outcome.ABANDONED] == 0
    assert told[Outcome.HANDED_OVER] > 0.4 * PAYERS
    assert told[Outcome.COMPLETED] + told[Outcome.HANDED_OVER] == PAYERS
