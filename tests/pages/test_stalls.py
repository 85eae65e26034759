"""The stall page and the form report: one sentence first, zones before the map, and what is said
where there is nothing to contrast."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from app.changes import add_change
from app.picturing.layouts import put_layout
from collector.codes import Device, Outcome
from collector.sites import Site
from tests.app.build import goal, put_rows
from tests.app.conftest import settle
from tests.app.derived import Came, put_came
from tests.build import make_shop, page_of
from tests.conftest import NOON
from tests.counting import MOST_STATEMENTS, asked_of
from tests.pages.conftest import BOXES
from tests.pages.sheet import Sheet, picture_png
from tests.serving import Running

TODAY = NOON.date()
DAY = timedelta(days=1)
DAYS = 8
SENTENCE = "Abandoners spend "


def came(days: int, each: int, stall: float = 5.0) -> Iterator[Came]:
    draw = random.Random(11)
    for n in range(2 * each * days):
        gone = n % 2 == 0
        dwell = {zone: draw.lognormvariate(0.6, 0.8) for zone in (1, 2, 3)}
        dwell[2] *= stall if gone else 1
        yield Came(
            day=TODAY - (days - 1 - n // (2 * each)) * DAY,
            outcome=Outcome.ABANDONED if gone else Outcome.COMPLETED,
            device=Device.PHONE,
            dwell_s=dwell,
            facts=[(1, "f", 2_000), (1, "f2", 4_000), *([(1, "e", 5_000)] if gone else [])],
            deepest_px=800,
        )


def longer(one: Came) -> Came:
    """Each in focus for another while, if it abandons."""
    if one.outcome is not Outcome.ABANDONED:
        return one
    return replace(one, facts=[*one.facts, (1, "f5", 7_000), (1, "f10", 12_000)])


def stalled(
    gloed: Running, *, days: int = DAYS, each: int = 16, orders: int = 0, held: bool = False
) -> Site:
    """A live shop; of `orders` that its server reported none was matched.

    held  whether those who abandon have the postcode in focus for 10 s and more
    """
    site = gloed.do(make_shop(gloed.store, NOON - (days - 1) * DAY, live=True))
    gloed.context.catalogue.forget()
    settle(gloed)
    page = page_of(site, "shipping")
    visits = came(days, each)
    gloed.do(put_came(gloed.store, site, page, map(longer, visits) if held else visits))
    if orders:
        rows = [goal(n, NOON - n * timedelta(hours=1), visitor=n, source=3) for n in range(orders)]
        gloed.do(put_rows(gloed.store, site, "goal", rows))
    made = put_layout(
        gloed.store,
        site,
        page,
        width_px=390,
        height_px=800,
        pointer="coarse",
        boxes=BOXES,
        picture=picture_png(390, 800),
        source="capture",
        now=NOON - 60 * DAY,
    )
    gloed.do(made)
    return site


def shown(designer: httpx.Client, site: Site, name: str, query: str = "", **more: str) -> str:
    answer = designer.get(
        f"/sites/{site.public_key}/pages/shipping/{name}{query}", headers=more or None
    )
    assert answer.status_code == 200, answer.text
    return answer.text.replace("\N{NO-BREAK SPACE}", " ")


def test_it_opens_with_one_sentence_then_ranks_the_zones_then_draws_the_map(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed, orders=5)
    text = shown(designer, site, "stalls")
    places = [
        text.index(part)
        for part in (
            SENTENCE,
            "Read this first.",
            "Zones, the surest difference first",
            "stalls.png?picture=page",
            "What may be said, and when",
        )
    ]
    assert places == sorted(places), "labels below 80 % are told above the picture"
    assert "0 of 5 orders that the shop reports were matched" in text
    assert "verzendkosten" in text[places[0] : places[1]]
    assert "p = 0.00" in text[places[0] : places[1]]
    assert '<li value="1">verzendkosten' in text, "the picture's number, in words"
    assert "An association" in text

    dutch = shown(designer, site, "stalls", **{"accept-language": "nl"})
    assert "Afhakers besteden " in dutch
    assert "Lees dit eerst." in dutch
    address = f"/sites/{site.public_key}/pages/shipping"
    picture = designer.get(f"/api/v1{address}/stalls.png?picture=page")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    for page in ("", "/stalls", "/form"):
        tabs = Sheet(designer.get(address + page).text)
        assert tabs.text.count("Form report") >= 1

    variants = shown(designer, site, "stalls", "?a=variant:0&b=variant:1")
    assert "An association" not in variants
    others = shown(designer, site, "stalls", "?a=device:phone&b=device:desktop")
    assert "Cohort A" in others
    planned = shown(designer, site, "stalls", "?planned=2")
    assert "One question, asked in advance" in planned
    assert shown(designer, site, "stalls", "?device=phone&a=&planned=").count(SENTENCE) == 1


def test_the_form_report_tells_each_field_of_all_and_of_both(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed, days=3, each=12)
    text = shown(designer, site, "form")
    sheet = Sheet(text)
    assert "72 visits met this form." in sheet.text
    assert "Of the fields most is lost at postcode: 36 visits ended there." in sheet.text
    assert "in focus" not in sheet.text.partition("Fields, in the order")[0], "too early"
    row = text[text.index("rowgroup") : text.index("</tbody>")]
    assert "postcode" in row
    assert row.count('scope="row"') == 3, "all, abandoners, completers"
    assert "2.0 s" in row or "3." in row
    assert "100" in row
    assert "Formulierrapport" in shown(designer, site, "form", **{"accept-language": "nl"})


def test_the_form_report_opens_with_the_field_that_holds_those_who_abandon(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed, held=True)
    text = Sheet(shown(designer, site, "form")).text
    opening = text[text.index("visits met this form.") : text.index("Fields, in the order")]
    assert "Abandoners have postcode in focus " in opening
    assert " times as long as completers, p = 0.00" in opening
    assert "may be chance" not in opening


def changed(gloed: Running, statement: str) -> None:
    """As every change of ours, it says that answers could be others now."""
    gloed.do(gloed.store.execute(statement))
    gloed.do(gloed.store.execute("UPDATE site SET data_version = data_version + 1"))


def test_too_few_or_no_goal_is_said_and_nothing_is_contrasted(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed, days=1, each=16)
    assert "It is tested from" in shown(designer, site, "stalls")
    changed(gloed, "DELETE FROM visit WHERE outcome = 1")
    text = shown(designer, site, "stalls")
    assert "16 visits abandoned and 0 completed so far: too few to contrast." in text
    assert "Of one of the two there is none yet" in text
    assert "Of 16 visits that ended here the last sign came from: postcode (16)." in text
    changed(gloed, "UPDATE page SET goal = false")
    gloed.context.catalogue.forget()
    assert "Nothing tells which visits completed" in shown(designer, site, "stalls")
    changed(gloed, "DELETE FROM visit")
    for name in ("stalls", "form"):
        assert "It rests on 0 visits so far." in shown(designer, site, name)


def test_a_report_that_is_not_shown_yet_says_why_and_about_when_it_will_be(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed, days=2, each=2)
    for name in ("stalls", "form", "compare"):
        told = Sheet(shown(designer, site, name))
        lacking = "report" if name != "compare" else "map"
        assert f"2 more visits, and this {lacking} is shown" in told.text
        assert "It rests on 8 visits so far." in told.text
        assert "At the pace so far there are enough about 19 November 2026." in told.text
        narrow = Sheet(shown(designer, site, name, "?device=tablet&date_from=2026-11-01"))
        assert "in this period there were 8 page views, and too few of them pass." in narrow.text
        (out,) = [e for e in narrow.all("a") if e.text == "Show it without filters"]
        assert out.attributes["href"] == "?date_from=2026-11-01"
    silent = designer.get(f"/sites/{site.public_key}/pages/payment/stalls")
    assert "Nothing was heard of this page in the last 30 days." in silent.text
    assert "It rests on 0 visits so far." in silent.text


def test_a_contrast_of_a_handful_says_how_many_it_takes_and_about_when(
    designer: httpx.Client, gloed: Running
) -> None:
    text = shown(designer, stalled(gloed, days=1, each=12), "stalls")
    assert "12 visits abandoned and 12 completed so far: too few to contrast." in text
    assert "That takes 30 of both together: about 19 November 2026." in text


@pytest.mark.parametrize(
    "query", ["?a=phone", "?device=toaster", "?a=device:phone&b=device:phone", "?x=1", "?a=1&a=2"]
)
def test_what_cannot_be_asked_is_a_page_that_says_so(
    designer: httpx.Client, gloed: Running, query: str
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    for name in ("stalls", "form"):
        answer = designer.get(f"/sites/{site.public_key}/pages/shipping/{name}{query}")
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("text/html")
    assert designer.get(f"/sites/{site.public_key}/pages/nowhere/stalls").status_code == 404


def test_the_page_reads_its_visits_once_for_the_zones_and_the_map(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed)
    path = f"/sites/{site.public_key}/pages/shipping/stalls"
    cookie = "; ".join(f"{name}={value}" for name, value in designer.cookies.items())
    for reads, statements in ((1, 16), (0, MOST_STATEMENTS)):
        shown = asked_of(gloed, path, {"cookie": cookie, "accept": "text/html"})
        assert shown.answer.status_code == 200
        assert "stalls.png" in shown.answer.text
        assert sum("JOIN stall_list" in one for one in shown.statements) == reads
        assert len(shown.statements) <= statements, shown.statements


def test_comparisons_stand_ready_for_what_the_page_has_on_both_sides(
    designer: httpx.Client, gloed: Running
) -> None:
    site = stalled(gloed)
    page = page_of(site, "shipping")
    at, now = NOON - 4 * DAY, NOON
    gloed.do(add_change(gloed.store, site, page, "Free <b>shipping</b> from € 50", at, now))
    text = shown(designer, site, "stalls", "?device=phone")
    before, after = TODAY - 5 * DAY, TODAY - 3 * DAY
    link = f"?device=phone&amp;a=date_from%3A{after}&amp;b=date_to%3A{before}"
    assert link in text, "filters stay; the day of the change is half of each"
    assert "Since “Free &lt;b&gt;shipping&lt;/b&gt; from € 50” (14 November 2026)" in text
    assert "Phones against computers" not in text, "no computer came"
    assert f"variant%3A{1}" not in text
    compared = shown(designer, site, "stalls", link.replace("&amp;", "&"))
    assert "weeks cannot be held" in compared or "device and week" in compared
    assert "may differ from the other in more than this" in compared
    assert 'aria-current="true"' in compared
