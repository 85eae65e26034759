"""Consent by name of the tool: what means yes, what does not, and patterns that stay cheap."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.configuration import MOST_STARS, configure
from app.consents import PRESETS, drop_consent, preset, put_consent
from app.shops import ShopError, add_site, find_site
from app.store import Store
from collector.sieve import consented
from collector.sites import Consent, Site
from tests.collector.build import a_hit, a_site
from tests.conftest import NOON

STAMP = "{stamp:%27kQ3=%27%2Cnecessary:true%2Cpreferences:"
YES = {
    "complianz": ["allow"],
    "cookiebot": [
        f"{STAMP}false%2Cstatistics:true%2Cmarketing:false%2Cver:1%2Cregion:%27nl%27}}",
        "{stamp:'kQ3=',necessary:true,preferences:false,statistics:true,marketing:false,ver:1}",
    ],
    "cookieyes": [
        "consentid:Ym9,consent:yes,action:yes,necessary:yes,functional:no,analytics:yes,"
        "performance:no,advertisement:no",
        "consentid:Ym9,consent:yes,action:yes,necessary:yes,analytics:yes,advertisement:yes,"
        "lastRenewedDate:1752694071000",
    ],
    "klaro": ["%7B%22gloed%22%3Atrue%2C%22mail%22%3Afalse%7D", "%7B%22gloed%22%3Atrue%7D"],
    "usercentrics": ["yes"],
}
NO = {
    "complianz": ["deny", "", "disallow", "allowed", "ALLOW"],
    "cookiebot": [
        f"{STAMP}true%2Cstatistics:false%2Cmarketing:true%2Cver:1}}",
        "-1",
        "0",
        "statistics:true",
    ],
    "cookieyes": [
        "consentid:Ym9,consent:yes,action:yes,necessary:yes,functional:yes,analytics:no,"
        "performance:yes,advertisement:yes",
        "consentid:Ym9,consent:no,action:yes,necessary:yes,analytics:no",
        "analytics:yes",
        "consentid:Ym9,consent:no,action:,necessary:yes,functional:yes,analytics:yes,"
        "performance:yes,advertisement:yes,other:yes,lastRenewedDate:1704823885000",
        "consentid:Ym9,consent:no,action:yes,necessary:yes,functional:yes,analytics:yes",
    ],
    "klaro": [
        "%7B%22gloed%22%3Afalse%2C%22mail%22%3Atrue%7D",
        "%7B%22notgloed%22%3Atrue%7D",
        "true",
    ],
    "usercentrics": ["no", "yess", "", "maybe yes"],
}


def collects(name: str, value: str) -> bool:
    rule = {"cookie": PRESETS[name].cookie, "pattern": PRESETS[name].pattern}
    sent = f"sessie=1; {PRESETS[name].cookie}={value}; wagen=2"
    hit = a_hit(site=a_site(consent=rule), cookies=sent)
    return consented(hit) is hit


def test_every_preset_is_tried() -> None:
    assert set(YES) == set(NO) == set(PRESETS)
    assert all(one.source for one in PRESETS.values())


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, found in YES.items() for v in found])
def test_a_yes_to_statistics_is_a_yes(name: str, value: str) -> None:
    assert collects(name, value)


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, found in NO.items() for v in found])
def test_a_refusal_or_anything_else_is_a_no(name: str, value: str) -> None:
    assert not collects(name, value)


@pytest.fixture
async def shop(store: Store) -> Site:
    return await find_site(store, await add_site(store, "Fietsenwinkel", NOON))


@pytest.mark.parametrize("name", PRESETS)
async def test_a_preset_is_put_in_force_and_leaves_the_rest_alone(
    store: Store, shop: Site, name: str
) -> None:
    await configure(store, shop, {"window_h": 48})
    chosen = preset(name)
    set_up = await find_site(store, shop.public_key)
    await put_consent(store, set_up, chosen.cookie, chosen.pattern)
    found = await find_site(store, shop.public_key)
    assert found.consent == Consent(chosen.cookie, chosen.pattern)
    assert found.config["window_h"] == 48
    await drop_consent(store, found)
    assert (await find_site(store, shop.public_key)).config == {"window_h": 48}


def test_a_preset_that_there_is_not_names_those_there_are() -> None:
    with pytest.raises(ShopError, match="complianz, cookiebot, cookieyes, klaro, usercentrics"):
        preset("onetrust")


@pytest.mark.parametrize(
    "pattern", ["*", "**", "?", "*?*", "a[b]c", "]", "*a" * (MOST_STARS + 1), "", "x" * 201]
)
async def test_a_pattern_that_means_everything_or_costs_much_is_refused(
    store: Store, shop: Site, pattern: str
) -> None:
    with pytest.raises(ShopError, match=r"^consent\.pattern: "):
        await put_consent(store, shop, "agreed", pattern)


def naive_steps(pattern: str, text: str) -> bool:
    """A glob by the table of all prefixes: as many steps as pattern times text has signs."""
    reached = [True] + [False] * len(text)
    for sign in pattern:
        if sign == "*":
            for at in range(1, len(reached)):
                reached[at] = reached[at] or reached[at - 1]
        else:
            same = [False, *(sign in ("?", one) for one in text)]
            reached = [False, *(before and same[at + 1] for at, before in enumerate(reached[:-1]))]
    return reached[-1]


@given(
    st.text("ab*?", min_size=1, max_size=12).filter(lambda p: p.count("*") <= MOST_STARS),
    st.text("ab", max_size=24),
)
def test_a_pattern_matches_what_it_says(pattern: str, text: str) -> None:
    assert fnmatchcase(text, pattern) == naive_steps(pattern, text)


def test_the_worst_pattern_against_the_longest_cookie_ends() -> None:
    """Backtracking would take 10^15 steps here, and so the rest of this run."""
    assert not fnmatchcase("a" * 8_000, "*a" * MOST_STARS + "b")
