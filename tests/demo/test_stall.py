"""A week of the demo's visitors: the stall that is planted is found, and none where none is.

Twenty seeds of three weeks each are for `python -m tests.bench.stall_demo`.
"""

from __future__ import annotations

import pytest

from app.demo.walks import PASSING, STALLING, Resting
from app.store import Store
from tests.bench.stall_demo import STALL, judged

WEEK = 7


@pytest.mark.parametrize(("leavers", "called"), [(STALLING, [STALL]), (PASSING, [])])
async def test_a_week_of_the_demo_shows_its_stall_and_no_other(
    store: Store, leavers: Resting, called: list[int]
) -> None:
    found = await judged(store, 3, leavers, WEEK)
    assert min(found.sizes) >= 100
    assert found.called == called
