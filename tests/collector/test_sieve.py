"""Each step of the sieve alone, and that their order is the policy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from collector.decode import Batch
from collector.hits import Beacon, Drop, Hit, Opening, Script, Thanks
from collector.sieve import (
    OF_BEACON,
    STEPS,
    Step,
    consented,
    human,
    known_page,
    known_site,
    no_staff,
    not_prefetched,
    of_the_shop,
    on_time,
    respects_opt_out,
    sift,
    switched_on,
    well_named,
)
from collector.sites import Consent
from collector.tokens import Token
from collector.wire import BATCH_CLOCK_TOLERANCE_H, Reason
from tests.collector.build import AT, PAGE, a_hit, a_site

ASKS = a_site(consent={"cookie": "cookie-consent", "pattern": "*yes*"})
OWN = a_site(exclude_networks=["192.0.2.0/24", "2001:db8::/48"])
LISTED = a_site(origins=["shop.nl"])
SHUT = a_site(quarantined_origins=["bad.example"])
TOKEN = Token(1, 1, 1, 1)
AT_MIN = int(AT.timestamp()) // 60


def a_script(token: Token | None = None, slug: str | None = "cart", **more: Any) -> Script:
    told: dict[str, Any] = {"path": None, "view_id": 1, "opened_min": AT_MIN, **more}
    batch = Batch(
        token=None,
        slug=slug,
        seq=0,
        ref=None,
        viewport=(1, 1),
        page=(1, 1),
        n=0,
        trail=b"",
        events=b"",
        **told,
    )
    return Script(batch, token)


def cookies(text: str, said: Any = None) -> Hit:
    return a_hit(said, site=ASKS, cookies=text)


def opened(minutes: int) -> Hit:
    return a_hit(a_script(opened_min=AT_MIN + minutes))


TOLERATED_MIN = BATCH_CLOCK_TOLERANCE_H * 60
CASES: list[tuple[Step, Hit, Reason | None]] = [
    (known_site, a_hit(), None),
    (known_site, a_hit(site=None), Reason.UNKNOWN_SITE),
    (not_prefetched, a_hit(), None),
    (not_prefetched, a_hit(purpose="prefetch"), Reason.PREFETCH),
    (not_prefetched, a_hit(purpose="Prefetch;prerender"), Reason.PREFETCH),
    (respects_opt_out, a_hit(), None),
    (respects_opt_out, a_hit(opted_out=True), Reason.OPT_OUT),
    (respects_opt_out, a_hit(opted_out=True, site=a_site(honour_opt_out=False)), None),
    (respects_opt_out, a_hit(opted_out=True, site=a_site(honour_opt_out=True)), Reason.OPT_OUT),
    (consented, a_hit(), None),
    (consented, cookies("cookie-consent=yes-all"), None),
    (consented, cookies("a=1; cookie-consent=say-yes; b=2"), None),
    (consented, cookies('bad name={"x":"y, z"}; cookie-consent="yes"'), None),
    (consented, cookies("a=b=c;cookie-consent=yes=1"), None),
    (consented, cookies(""), Reason.NO_CONSENT),
    (consented, cookies("cookie-consent=no"), Reason.NO_CONSENT),
    (consented, cookies("cookie-consent=NO; cookie-consent=yes"), Reason.NO_CONSENT),
    (consented, cookies("cookie-consent"), Reason.NO_CONSENT),
    (consented, cookies("xcookie-consent=yes"), Reason.NO_CONSENT),
    (consented, cookies("a=cookie-consent=yes"), Reason.NO_CONSENT),
    (consented, cookies("cookie-consent=YES"), Reason.NO_CONSENT),
    (consented, cookies("", Beacon(TOKEN, "7.h")), None),
    (consented, cookies("", a_script(TOKEN)), None),
    (consented, cookies("", a_script()), Reason.NO_CONSENT),
    (consented, cookies("", Thanks("order-1")), Reason.NO_CONSENT),
    (consented, a_hit(site=a_site(consent="ja"), cookies="ja=ja"), Reason.NO_CONSENT),
    (consented, a_hit(site=a_site(consent={"pattern": "*"}), cookies="=b"), Reason.NO_CONSENT),
    (human, a_hit(), None),
    (human, a_hit(agent=""), Reason.BOT),
    (human, a_hit(agent="Googlebot/2.1"), Reason.BOT),
    (not_prefetched, a_hit(purpose="preview"), Reason.PREFETCH),
    (switched_on, a_hit(), None),
    (switched_on, a_hit(site=a_site(mode="exempt")), None),
    (switched_on, a_hit(site=a_site(mode="off")), Reason.OFF),
    (no_staff, a_hit(), None),
    (no_staff, a_hit(site=OWN), Reason.STAFF),
    (no_staff, a_hit(site=OWN, address="192.0.3.1"), None),
    (no_staff, a_hit(site=OWN, address="2001:db8:0:7::/64"), Reason.STAFF),
    (no_staff, a_hit(site=OWN, address="unknown"), None),
    (no_staff, a_hit(Beacon(TOKEN, "7.h"), site=OWN), None),
    (no_staff, a_hit(Thanks(None), site=OWN), Reason.STAFF),
    (no_staff, a_hit(site=a_site(exclude_networks=["no network"])), None),
    (no_staff, a_hit(referrer="https://shop.nl/?p=7&preview=true"), Reason.STAFF),
    (no_staff, a_hit(referrer="https://shop.nl/preview=true"), None),
    (no_staff, a_hit(referrer="https://shop.nl/?xpreview=true"), None),
    (no_staff, a_hit(a_script(path="/cart?preview_theme_id=9")), Reason.STAFF),
    (of_the_shop, a_hit(referrer="https://elsewhere.nl/"), None),
    (of_the_shop, a_hit(site=LISTED), None),
    (of_the_shop, a_hit(site=LISTED, referrer="https://shop.nl/kassa"), None),
    (of_the_shop, a_hit(site=LISTED, referrer="https://www.shop.nl:8443/"), None),
    (of_the_shop, a_hit(site=LISTED, referrer="https://SHOP.nl./"), None),
    (of_the_shop, a_hit(site=LISTED, referrer="https://myshop.nl/"), Reason.ORIGIN),
    (of_the_shop, a_hit(site=LISTED, referrer="https://shop.nl@evil.nl/"), Reason.ORIGIN),
    (of_the_shop, a_hit(site=LISTED, referrer="null"), Reason.ORIGIN),
    (of_the_shop, a_hit(Thanks(None), site=LISTED, referrer="https://pay.nl/"), None),
    (of_the_shop, a_hit(site=SHUT, referrer="https://bad.example/x"), Reason.QUARANTINED),
    (of_the_shop, a_hit(site=SHUT, referrer="https://shop.nl/"), None),
    (well_named, a_hit(Beacon(TOKEN, "7.h")), None),
    (well_named, a_hit(Beacon(TOKEN, "open")), Reason.BAD_NAME),
    (well_named, a_hit(Beacon(TOKEN, "7.h\n")), Reason.BAD_NAME),
    (well_named, a_hit(Opening("cart", None)), None),
    (well_named, a_hit(Opening("cart", "")), None),
    (well_named, a_hit(Opening("cart", "order-1")), None),
    (well_named, a_hit(Opening("cart", "a b")), Reason.BAD_REF),
    (well_named, a_hit(Opening("cart", "jan@nl")), Reason.BAD_REF),
    (well_named, a_hit(Thanks("x")), Reason.BAD_REF),
    (well_named, a_hit(Thanks(None)), None),
    (known_page, a_hit(Opening("nowhere", None)), Reason.UNKNOWN_PAGE),
    (known_page, a_hit(Beacon(Token(1, 2, 1, 1), "7.h")), Reason.UNKNOWN_PAGE),
    (known_page, a_hit(a_script(Token(1, 2, 1, 1))), Reason.UNKNOWN_PAGE),
    (known_page, a_hit(a_script(slug="nowhere")), Reason.UNKNOWN_PAGE),
    (known_page, a_hit(a_script(slug=None)), Reason.UNKNOWN_PAGE),
    (on_time, a_hit(), None),
    (on_time, a_hit(a_script(TOKEN, opened_min=None)), None),
    (on_time, opened(-TOLERATED_MIN), None),
    (on_time, opened(-TOLERATED_MIN - 1), Reason.CLOCK),
    (on_time, opened(TOLERATED_MIN), None),
    (on_time, opened(TOLERATED_MIN + 1), Reason.CLOCK),
    (on_time, a_hit(a_script(opened_min=2**31 - 1)), Reason.CLOCK),
    (on_time, a_hit(a_script(opened_min=0)), Reason.CLOCK),
]


@pytest.mark.parametrize(("step", "hit", "reason"), CASES)
def test_a_step_keeps_or_drops(step: Step, hit: Hit, reason: Reason | None) -> None:
    assert step(hit) == (hit if reason is None else Drop(reason))


@pytest.mark.parametrize(
    "said", [Opening("cart", None), Beacon(TOKEN, "7.h"), a_script(TOKEN, slug=None), a_script()]
)
def test_a_hit_that_is_kept_knows_its_page(said: Any) -> None:
    kept = sift(a_hit(said))
    assert isinstance(kept, Hit)
    assert kept.page == PAGE


def test_a_goal_image_belongs_to_no_page() -> None:
    kept = sift(a_hit(Thanks(None)))
    assert isinstance(kept, Hit)
    assert kept.page is None


def test_who_asks_not_to_be_counted_is_asked_nothing_more() -> None:
    """The first reason counts: what is known of a drop is the least that explains it."""
    wrong = {"purpose": "prefetch", "opted_out": True, "cookies": "", "agent": "curl/8"}
    ordered = [
        (a_hit(Opening("?", "x"), site=None, **wrong), Reason.UNKNOWN_SITE),
        (a_hit(Opening("?", "x"), site=ASKS, **wrong), Reason.PREFETCH),
        (a_hit(Opening("?", "x"), site=ASKS, **{**wrong, "purpose": ""}), Reason.OPT_OUT),
        (a_hit(Opening("?", "x"), site=ASKS, agent="curl/8"), Reason.NO_CONSENT),
        (a_hit(Opening("?", "x"), agent="curl/8"), Reason.BOT),
        (a_hit(Opening("?", "x")), Reason.BAD_REF),
        (a_hit(Opening("?", None)), Reason.UNKNOWN_PAGE),
    ]
    assert [sift(hit) for hit, _ in ordered] == [Drop(reason) for _, reason in ordered]
    assert STEPS.index(known_site) == 0
    assert STEPS.index(consented) < STEPS.index(human)


def test_a_rule_of_consent_is_read_from_the_shops_configuration() -> None:
    assert ASKS.consent == Consent("cookie-consent", "*yes*")
    assert a_site().consent is None
    assert a_site(consent=None).consent is None


def test_a_page_just_opened_is_on_time_whatever_the_second() -> None:
    hit = a_hit(a_script())
    late = Hit(hit.at + timedelta(seconds=59), hit.sent, hit.said, hit.site)
    assert on_time(late) == late


@pytest.mark.parametrize("step", [step for step in STEPS if step not in OF_BEACON])
def test_what_a_beacon_is_not_asked_would_keep_it(step: Step) -> None:
    for site in (ASKS, OWN, LISTED, SHUT):
        hit = a_hit(Beacon(TOKEN, "7.h"), site=site, referrer="https://bad.example/?preview=1")
        assert step(hit) is hit
