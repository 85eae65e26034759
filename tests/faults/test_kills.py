"""The short form of `make test-faults`: the same code, fewer kills."""

from __future__ import annotations

import pytest

from tests.faults.kills import killed


@pytest.mark.timeout(240)
def test_nothing_that_was_acknowledged_is_lost_or_twice_whoever_is_killed() -> None:
    account = killed(worker_kills=2, postgres_kills=1, seed="short", pause_s=0.1)
    assert account.exact, account
    assert (account.worker_kills, account.postgres_kills) == (2, 1)
    assert account.acknowledged > 0
