"""Maps by script and script-free, of the same visitors: they agree on where it is hottest."""

from __future__ import annotations

import pytest

from tests.bench.agreement import Agreement, agreements

MOST_APART = 0.1
"""Of all that a map shows: clocks of the script-free form know the second, not its tenths."""


@pytest.fixture(scope="module")
def found() -> list[Agreement]:
    return agreements(days=4)


@pytest.mark.parametrize("kind", ["click", "stall"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_both_forms_find_the_same_hottest_zones(
    found: list[Agreement], kind: str, phone: bool
) -> None:
    here = [one for one in found if (one.kind, one.phone) == (kind, phone)]
    assert len(here) >= 4
    for one in here:
        css, script = one.hottest(1)
        assert css == script, one
        assert one.apart <= MOST_APART, one


def test_what_one_form_does_not_tell_is_seen_as_a_difference() -> None:
    told = {"slug": "cart", "phone": False, "kind": "click", "views": 9}
    half = Agreement(**told, css={1: 0.5, 2: 0.5}, script={1: 1.0})  # type: ignore[arg-type]
    assert half.apart == 0.5
    assert half.hottest(2) == ({1, 2}, {1})
