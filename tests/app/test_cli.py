"""The command line on a store of its own: results on stdout, errors in one line, exit codes."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner, Result

from app.access.keys import find_key
from app.checking.signs import LOOKED_BACK
from app.cli.base import show
from app.cli.main import cli
from app.clock import system_clock
from app.picturing.layouts import Box, put_layout
from app.shops import find_site
from app.store import Store
from collector.codes import Outcome, Phase
from collector.sites import Site
from tests.app.build import in_store, opened, put_views
from tests.app.derived import Came, put_came
from tests.conftest import own_database, with_database
from tests.serving import SECRET, Running


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("GLOED_DATABASE_URL", database_url)
    monkeypatch.setenv("GLOED_SECRET", SECRET)

    def invoke(*words: str, code: int = 0, answer: str | None = None) -> Result:
        result = CliRunner().invoke(cli, words, input=answer)
        told = f"{words}\n{result.output}"
        assert result.exit_code == code, told
        assert result.exception is None or isinstance(result.exception, SystemExit), told
        assert "Traceback" not in result.output
        if code == 1:
            assert len(result.stderr.strip().splitlines()) >= 1, told
        return result

    return invoke


@pytest.fixture
def shop(run: Callable[..., Result]) -> str:
    return run("site", "add", "Fietsenwinkel").stdout.strip()


def test_a_taken_port_is_told_before_there_is_a_link_to_it(run: Callable[..., Result]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refused(run("serve", "--port", port, code=1))
    assert f"cannot listen on 127.0.0.1:{port}" in told
    assert "give another --port" in told


def site_of(url: str, key: str) -> Site:
    return in_store(url, lambda store: find_site(store, key))


def refused(result: Result) -> str:
    """The one line that says what is wrong."""
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("gloed: ")
    assert result.stdout == ""
    return line


def test_a_shop_is_added_listed_and_switched_live(
    run: Callable[..., Result], shop: str, database_url: str
) -> None:
    assert site_of(database_url, shop).name == "Fietsenwinkel"
    head, row = run("site", "list").stdout.splitlines()
    assert head.split("\t") == ["key", "name", "state", "time zone", "pages"]
    assert row.split("\t") == [shop, "Fietsenwinkel", "trying", "Europe/Amsterdam", "–"]
    assert "Abort" in run("site", "live", shop, code=1, answer="n\n").output
    assert site_of(database_url, shop).state == "trying"
    assert run("site", "live", "Fietsenwinkel", "--yes").stdout.startswith("Live. 0 trial views")
    assert site_of(database_url, shop).state == "live"
    assert "is live already" in refused(run("site", "live", shop, "--yes", code=1))


def test_at_a_terminal_a_key_is_folded_and_never_cut() -> None:
    out = io.StringIO()
    key = "gs_" + "k" * 40
    terminal = Console(file=out, force_terminal=True, width=30, no_color=True)
    show(("key", "name"), [(key, "[b]Winkel[/b]")], terminal)
    told = out.getvalue()
    assert "…" not in told
    assert told.count("k") == 42, "40 of the key, and those of its heading and of the name"
    assert "[b]" in told, "names are no markup"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("site", "add", " "), "needs a name"),
        (("site", "add", "x", "--time-zone", "Mars/Phobos"), "is no time zone"),
        (("site", "live", "nobody", "--yes"), "there is no site 'nobody'"),
        (("key", "add", "nobody"), "there is no site 'nobody'"),
        (("key", "revoke", "7"), "there is no key 7 in use"),
        (("snippet", "--site", "nobody", "--page", "x"), "there is no site 'nobody'"),
        (("render", "--site", "nobody", "--page", "x"), "there is no site 'nobody'"),
        (("render", "--site", "x", "--page", "x", "--filter", "a"), "takes name=value"),
        (
            ("render", "--site", "x", "--page", "x", "--filter", "a=1"),
            "a: there is no such parameter; there are ",
        ),
        (
            ("render", "--site", "x", "--page", "x", "--kind", "heat"),
            "kind: must be one of attention, ",
        ),
        (
            ("render", "--site", "x", "--page", "x", "--kind", "click", "--against", "completed"),
            "--against is of --kind stall",
        ),
        (("render", "--site", "x", "--page", "x", "--against", "lost"), "outcome: must be one of"),
        (("capture", "p.html", "--site", "x", "--page", "y", "--url", "http://z"), "go together"),
        (("capture", "p.html", "--site", "x", "--page", "y", "--width", "1.5"), "whole numbers"),
        (("capture", "p.html", "--site", "x", "--page", "y", "--engines", "opera"), "firefox"),
        (("capture", "p.html", "--site", "x", "--page", "y"), "there is no site 'x'"),
        (("serve", "--port", "70000"), "GLOED_PORT: "),
        (("serve", "--workers", "0"), "GLOED_WORKERS: "),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    run: Callable[..., Result], words: tuple[str, ...], told: str
) -> None:
    assert told in refused(run(*words, code=1))


@pytest.mark.parametrize(
    "words", [("key", "revoke", "99999999999"), ("site", "add"), ("nonsense",)]
)
def test_words_that_are_no_command_are_shown_how_it_is_used(
    run: Callable[..., Result], words: tuple[str, ...]
) -> None:
    assert "Usage" in run(*words, code=2).stderr


def test_a_key_is_made_listed_without_itself_and_revoked(
    run: Callable[..., Result], shop: str, database_url: str
) -> None:
    key = run("key", "add", shop, "--scope", "write", "--label", "dashboard").stdout.strip()
    found = in_store(database_url, lambda store: find_key(store, f"Bearer {key}", system_clock()))
    assert found is not None
    assert found.scope == "write"
    listed = run("key", "list").stdout
    number, *row = listed.splitlines()[1].split("\t")
    assert row[:3] == ["Fietsenwinkel", "write", "dashboard"]
    assert key not in listed
    assert run("key", "list", shop).stdout == run("key", "list", "Fietsenwinkel").stdout == listed
    other = run("site", "add", "Winkel zonder sleutel").stdout.split()[0]
    assert len(run("key", "list", other).stdout.splitlines()) == 1
    run("key", "revoke", number)
    assert len(run("key", "list").stdout.splitlines()) == 1
    assert "one of read, write, goal" in refused(run("key", "add", shop, "--scope", "all", code=1))


SAVED = """<!doctype html><title>x</title><form>
<label for="postcode">Postcode</label><input id="postcode" name="postcode">
<p id="shipping-cost">12,95</p><button id="next">Verder</button></form>"""


def test_a_snippet_names_a_page_and_its_zones_and_prints_what_to_paste(
    run: Callable[..., Result], shop: str, database_url: str, tmp_path: Path
) -> None:
    saved = tmp_path / "shipping.html"
    saved.write_text(SAVED)
    ask = ("snippet", "--site", shop, "--page", "shipping")
    first = run(*ask, "--from", str(saved), "--zone", "betalen=#pay:pay", "--title", "Verzending")
    assert f"/g/{shop}/shipping" in first.stdout
    assert first.stdout.startswith("<")
    assert "it must allow: style-src 'self'" in first.stderr
    page = site_of(database_url, shop).pages["shipping"]
    assert [zone.name for zone in page.zones] == ["Postcode", "Shipping cost", "Verder", "betalen"]
    assert (page.title, page.phase, page.goal) == ("Verzending", Phase.CHECKOUT, False)

    assert run(*ask).stdout == first.stdout
    assert site_of(database_url, shop).pages["shipping"] == page, "asking again changes nothing"

    run(*ask, "--zone", "betalen=#pay-now:pay", "--phase", "payment", "--goal")
    page = site_of(database_url, shop).pages["shipping"]
    assert [(zone.number, zone.selector) for zone in page.zones] == [(4, "#pay-now")]
    assert (page.title, page.phase, page.goal) == ("Verzending", Phase.PAYMENT, True)
    based = run(*ask, "--base", "https://stats.example/g", "--ref", "ORDER_REF").stdout
    assert f"https://stats.example/g/{shop}/shipping/ORDER_REF" in based


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--base", "javascript:alert(1)"), "base"),
        (("--base", "/g/"), "base"),
        (("--zone", "x=a:hover"), None),
        (("--zone", "x=input[value=1]"), "selector"),
        (("--zone", "nothing"), None),
        (("--phase", "somewhere"), "phase must be one of"),
        (("--from", "/nowhere/page.html"), None),
        (("--plan", "/nowhere/shop.toml"), None),
        (("--from", "/"), None),
        (("--page", "Not A Slug"), "a page's name may hold"),
    ],
)
def test_a_snippet_that_cannot_be_says_why(
    run: Callable[..., Result], shop: str, more: tuple[str, ...], told: str | None
) -> None:
    words = ("snippet", "--site", shop, "--page", "shipping", *more)
    if told is None:
        assert "Usage" in run(*words, code=2).stderr
    else:
        assert told in refused(run(*words, code=1))


def test_a_plan_of_a_shop_system_is_written_edited_and_put_in_force(
    run: Callable[..., Result], shop: str, database_url: str, tmp_path: Path
) -> None:
    saved, plan = tmp_path / "shipping.html", tmp_path / "shop.toml"
    saved.write_text(SAVED)
    written = run("zones", "--preset", "woocommerce", "--from", str(saved), "--page", "shipping")
    edited = written.stdout.replace('slug = "checkout"', 'slug = "checkout"\ncells = true')
    plan.write_text('menus = [".mega-menu"]\n' + edited)
    pasted = run("snippet", "--site", shop, "--plan", str(plan))
    for slug in ("cart", "checkout", "thanks", "shipping"):
        assert f"/g/{shop}/{slug}" in pasted.stdout
    pages = site_of(database_url, shop).pages
    assert {page.slug: (page.phase, page.goal, page.cells) for page in pages.values()} == {
        "cart": (Phase.CART, False, False),
        "checkout": (Phase.CHECKOUT, False, True),
        "thanks": (Phase.DONE, True, False),
        "shipping": (Phase.CHECKOUT, False, False),
    }
    assert pages["checkout"].menus == (".mega-menu",)
    zones = {zone.name: zone for zone in pages["checkout"].zones}
    assert zones["E-mail"].watches == {"validity"}
    assert zones["Pay"].states["busy"] == "form.checkout.processing"
    assert zones["Banner"].role == "banner"
    assert "#CybotCookiebotDialog" in zones["Banner"].also
    before = site_of(database_url, shop)
    run("snippet", "--site", shop, "--plan", str(plan), "--page", "checkout")
    assert site_of(database_url, shop).pages == before.pages, "once more changes nothing"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("zones",), "give --preset NAME or --from PAGE.html"),
        (("zones", "--preset", "mystery"), "use one of magento-luma"),
        (("snippet", "--site", "x"), "--plan FILE"),
    ],
)
def test_a_plan_that_cannot_be_says_why(
    run: Callable[..., Result], words: tuple[str, ...], told: str
) -> None:
    assert told in refused(run(*words, code=1))


def test_a_stylesheet_is_audited_from_a_file(run: Callable[..., Result], tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.css"
    sheet.write_text("#pay{color:red}@import 'x'")
    audited = run("check", "css", str(sheet), code=1).stdout
    assert "FAIL it holds '@import'" in audited
    assert "is not about our own elements" in audited
    sheet.write_text("")
    assert "ok   the sheet is empty" in run("check", "css", str(sheet)).stdout
    assert "cannot be fetched" in refused(run("check", "css", "http://127.0.0.1:1/x", code=1))


def test_a_map_is_drawn_into_a_file(
    run: Callable[..., Result], shop: str, database_url: str, tmp_path: Path
) -> None:
    run("snippet", "--site", shop, "--page", "shipping", "--zone", "x=#x")
    site = site_of(database_url, shop)
    file = tmp_path / "map.png"
    ask = ("render", "--site", shop, "--page", "shipping")
    assert "No page view in this period: `gloed check`" in run(*ask, "-o", str(file)).stderr
    at = system_clock() - timedelta(seconds=5)
    row = opened(1, at, 1)
    in_store(database_url, lambda store: put_views(store, site, row))
    drawn = run(*ask, "-o", str(file), "--filter", "dpr=2", "--filter", "picture=white")
    assert drawn.stdout.strip() == str(file)
    assert drawn.stderr.startswith("1 visit, 1 page view, bandwidth 40 px")
    with Image.open(file) as image:
        assert image.size == (2560, 4000)
    dotted = ("--filter", "style=confetti", "--filter", "colour_by=device")
    told = run(*ask, "--kind", "click", *dotted, "-o", str(file)).stderr
    assert told.startswith("1 visit, 1 page view, 0 dots: unknown 0")
    nowhere = refused(run(*ask, "-o", str(tmp_path / "no" / "map.png"), code=1))
    assert f"there is no folder {tmp_path / 'no'}: make it, or give another" in nowhere
    assert "is a folder: give --output the name" in refused(run(*ask, "-o", str(tmp_path), code=1))
    unwritten = refused(run(*ask, "-o", f"{tmp_path}/{'long' * 99}.png", code=1))
    assert unwritten.endswith("File name too long")
    assert "Errno" not in unwritten
    assert "has no page 'cart'" in refused(run("render", "--site", shop, "--page", "cart", code=1))
    in_store(database_url, lambda store: store.execute("UPDATE site SET state = 'live'"))
    assert "rests on 1 visit; 9 more" in refused(run(*ask, "-o", str(file), code=1))


def test_two_cohorts_are_drawn_into_a_file_and_what_differs_is_said(
    run: Callable[..., Result], shop: str, database_url: str, tmp_path: Path
) -> None:
    run("snippet", "--site", shop, "--page", "shipping", "--zone", "costs=#x", "--zone", "next=#y")
    site = site_of(database_url, shop)
    page, file = site.pages["shipping"], tmp_path / "stalls.png"
    draw = ("render", "--site", shop, "--page", "shipping", "--against")
    assert "no layout" in refused(run(*draw, "outcome:completed", "-o", str(file), code=1))
    today = site.day_of(system_clock())
    came = [
        Came(
            today - timedelta(days=n // 36),
            Outcome.COMPLETED if n % 2 else Outcome.ABANDONED,
            dwell_s={1: 2 + n % 5 if n % 2 else 9 + n % 7, 2: 2 + n % 3},
        )
        for n in range(12 * 36)
    ]

    async def fill(store: Store) -> None:
        await put_came(store, site, page, came)
        boxes = (Box(1, 20, 100, 370, 150), Box(2, 20, 300, 370, 340))
        await put_layout(
            store,
            site,
            page,
            width_px=390,
            height_px=500,
            pointer="coarse",
            boxes=boxes,
            picture=None,
            source="api",
            now=system_clock() - timedelta(days=30),
        )

    in_store(database_url, fill)
    since = f"date_from={today - timedelta(days=11)}"
    drawn = run(*draw, "completed", "--filter", since, "-o", str(file))
    assert drawn.stdout.strip() == str(file)
    assert drawn.stderr.startswith("Abandoners spend ")
    assert " at costs, completers " in drawn.stderr
    with Image.open(file) as image:
        assert image.size == (390, 500)


def test_the_jobs_are_listed_with_their_lag(
    run: Callable[..., Result], database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLOED_DATA_DIR", str(tmp_path))
    head, spool = run("jobs").stdout.splitlines()
    assert head == "\t".join(COLUMNS)
    assert spool.split("\t") == ["spool", "–", "–", "empty", "–", "–", "none", ""]
    insert = (
        "INSERT INTO job (name, site_id, period, state) "
        "VALUES ('close', 9, '2026-11-18', 'waiting')"
    )
    in_store(database_url, lambda store: store.execute(insert))
    row = run("jobs").stdout.splitlines()[1].split("\t")
    assert row == ["close", "–", "2026-11-18", "waiting", "never", "–", "none", ""]


COLUMNS = ("job", "shop", "day", "state", "last run, UTC", "took", "lag", "why it failed")


def test_a_store_is_brought_to_the_present_schema_and_again_without_harm(
    run: Callable[..., Result], server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_database(server_url, None) as empty:
        monkeypatch.setenv("GLOED_DATABASE_URL", empty)
        for words in (("site", "list"), ("serve", "--port", "0"), ("check",), ("jobs",)):
            assert "run `gloed migrate`" in refused(run(*words, code=1)), words
        assert "(from empty)" in run("migrate").stdout
        assert "(already there)" in run("migrate").stdout
        run("site", "list")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://127.0.0.1:1/x", "the store cannot be reached"),
        ("postgresql://gloed.invalid/x", "the store cannot be reached"),
        ("postgresql://host:port/x", "GLOED_DATABASE_URL cannot be read"),
        ("mysql://host/x", "GLOED_DATABASE_URL must begin with postgresql://"),
        ("gloed", "GLOED_DATABASE_URL must begin with postgresql://"),
    ],
)
def test_a_store_that_is_not_there_is_said_in_one_line(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.setenv("GLOED_DATABASE_URL", url)
    for words in (("site", "list"), ("migrate",), ("serve", "--port", "0")):
        assert told in refused(run(*words, code=1))


def test_who_only_looks_makes_no_store_in_whatever_folder_it_is(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GLOED_DATABASE_URL")
    monkeypatch.chdir(tmp_path)
    for words in (("site", "list"), ("jobs",), ("snippet", "--site", "x", "--page", "y")):
        told = refused(run(*words, code=1))
        assert f"there is no store in {tmp_path}/.gloed" in told
        assert "GLOED_DATA_DIR" in told
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_there_is_said_in_one_line(
    run: Callable[..., Result], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOED_DATABASE_URL", with_database(database_url, "nothing_here"))
    assert 'database "nothing_here" does not exist' in refused(run("site", "list", code=1))


def test_settings_that_cannot_be_are_said_in_one_line(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLOED_DATABSE_URL", "x")
    assert "did you mean GLOED_DATABASE_URL?" in refused(run("site", "list", code=1))


def test_check_says_that_all_is_well_or_what_is_not(
    run: Callable[..., Result], database_url: str
) -> None:
    empty = run("check", code=1)
    assert "FAIL there is no shop yet: gloed site add" in empty.stdout
    key = run("site", "add", "Fietsenwinkel").stdout.strip()
    good = run("check")
    assert all(line.startswith("ok  ") for line in good.stdout.splitlines())
    assert "Fietsenwinkel (trying): 0 views opened" in good.stdout
    site = site_of(database_url, key)
    today = site.day_of(system_clock())
    counted: list[tuple[str, int]] = [
        ("untrusted_proxy", 5),
        ("bot", 3),
        ("unknown_page", 2),
        ("of_a_later_version", 1),
    ]

    async def count(store: Store) -> None:
        for reason, n in counted:
            told: list[Any] = [site.site_id, today, reason, n]
            await store.execute("INSERT INTO dropped VALUES ($4, $1, $2, 1, $3)", *told)

    in_store(database_url, count)
    lines = run("check", code=1).stdout.splitlines()
    assert any(line.startswith("FAIL") and "set GLOED_TRUSTED_PROXIES" in line for line in lines)
    assert "ok   Fietsenwinkel: 3 dropped: robots" in lines
    assert any(
        line.startswith("FAIL Fietsenwinkel: 2 dropped: the snippet names") for line in lines
    )
    assert "ok   Fietsenwinkel: 1 dropped: of_a_later_version" in lines


def test_check_says_when_days_are_closed_no_more(
    run: Callable[..., Result], shop: str, database_url: str
) -> None:
    site = site_of(database_url, shop)
    job = (
        "INSERT INTO job (name, site_id, period, state, last_run_at) "
        "VALUES ('close', $1, $2, $3, $4)"
    )
    today = system_clock().date()

    def put(state: str, ago: timedelta) -> datetime:
        at = system_clock() - ago
        told = (site.site_id, today, state, at)
        in_store(database_url, lambda store: store.execute("DELETE FROM job"))
        in_store(database_url, lambda store: store.execute(job, *told))
        return at.astimezone(site.time_zone)

    put("done", timedelta(minutes=1))
    run("check")
    at = put("done", timedelta(hours=1))
    told = run("check", code=1).stdout
    assert f"put together at {at:%Y-%m-%d %H:%M} (Europe/Amsterdam): is `gloed serve` run" in told
    assert f"since {site.day_of(system_clock() - LOOKED_BACK)} (Europe/Amsterdam)" in told
    put("failed", timedelta(minutes=1))
    assert "1 days cannot be closed: see `gloed jobs`" in run("check", code=1).stdout


def test_check_needs_the_fleets_secret(
    run: Callable[..., Result], shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLOED_SECRET")
    assert "GLOED_SECRET must be set" in refused(run("check", code=1))


def test_check_looks_at_a_page_as_visitors_get_it(
    run: Callable[..., Result], shop: str, gloed: Running
) -> None:
    assert "no snippet found: paste it" in run("check", f"{gloed.url}/healthz", code=1).stdout
    for address in ("http://127.0.0.1:1/", "http://[bad"):
        assert "cannot be fetched" in run("check", address, code=1).stdout, address
    for address in ("nowhere", "file:///etc/passwd", ""):
        assert "is no address" in run("check", address, code=1).stdout, address
    missing = f"{gloed.url}/nowhere"
    assert f"{missing} answers 404" in run("check", missing, code=1).stdout


def test_pages_by_path_are_shown_and_replaced_as_a_whole(
    run: Callable[..., Result], shop: str
) -> None:
    run("snippet", "--site", shop, "--page", "cart", "--zone", "1=#a", code=0)
    told = run("site", "paths", shop, "/winkelwagen/*=cart", "/cart/=cart").stdout
    assert "/winkelwagen/*" in told
    assert "/cart\tcart" in run("site", "paths", shop).stdout
    assert "no page 'kassa'" in refused(run("site", "paths", shop, "/x=kassa", code=1))
    assert "write a rule as" in refused(run("site", "paths", shop, "/x", code=1))
    assert "/cart" not in run("site", "paths", shop, "--none").stdout
