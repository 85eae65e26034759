"""`gloed account`, `gloed share`, `gloed site consent`, `gloed privacy`, as people type them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from app.access.keys import Signer
from app.cli.main import cli
from app.shops import find_site, put_page
from app.store import Store
from collector.sites import Consent, Site
from tests.app.build import in_store
from tests.conftest import NOON
from tests.serving import SECRET

WORDS = "vier losse woorden hier\n"
Run = Callable[..., str]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GLOED_DATABASE_URL", database_url)
    monkeypatch.setenv("GLOED_SECRET", SECRET)
    monkeypatch.setenv("GLOED_PUBLIC_URL", "https://stats.shop.example")
    monkeypatch.setattr("app.access.passwords.LOG2_N", 4)

    def invoke(*words: str, code: int = 0, answer: str | None = None) -> str:
        result = CliRunner().invoke(cli, words, input=answer)
        assert result.exit_code == code, (words, result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return (result.stdout if code == 0 else result.output).strip()

    return invoke


@pytest.fixture
def shop(run: Run, database_url: str) -> str:
    key = run("site", "add", "Fietsenwinkel")

    async def name_a_page(store: Store) -> None:
        await put_page(store, await find_site(store, key), "shipping", NOON)

    in_store(database_url, name_a_page)
    return key


def test_an_account_is_added_given_a_password_and_revoked(run: Run, shop: str) -> None:
    run("account", "add", "anna", "--site", shop, "--role", "editor")
    assert run("account", "list").splitlines()[-1] == "anna\tlink\tFietsenwinkel: editor"
    run("account", "password", "anna", answer=WORDS)
    assert run("account", "list").splitlines()[-1].startswith("anna\tpassword, link\t")
    run("account", "role", "anna", shop, "none")
    assert run("account", "list").splitlines()[-1] == "anna\tpassword, link\t–"
    run("account", "revoke", "anna")
    assert "anna" not in run("account", "list")
    assert "gloed account list" in run("account", "revoke", "anna", code=1)


def test_a_weak_password_is_refused_and_not_repeated(run: Run, shop: str) -> None:
    run("account", "add", "anna", "--site", shop)
    told = run("account", "password", "anna", code=1, answer="geheim1\n")
    assert "15 to 256 characters" in told
    assert "geheim1" not in told
    assert "one line" in run("account", "password", "anna", code=1, answer="a\nb\n")


def test_a_link_is_printed_for_the_owner_and_for_anybody_else(run: Run, shop: str) -> None:
    assert run("account", "link").startswith("https://stats.shop.example/sign-in/")
    run("account", "add", "anna", "--site", shop)
    assert run("account", "link", "anna").startswith("https://stats.shop.example/sign-in/")
    assert "gloed account list" in run("account", "link", "bert", code=1)
    assert "owner\tlink\tevery shop: owner" in run("account", "list")


def test_a_link_is_for_the_port_that_was_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLOED_PUBLIC_URL")
    link = run("account", "link", "--port", "8710")
    assert link.startswith("http://127.0.0.1:8710/sign-in/")


def test_a_share_is_made_listed_and_revoked(run: Run, shop: str) -> None:
    page = run("share", "add", shop, "shipping", "--days", "7")
    token = page.removeprefix("https://stats.shop.example/shared/")
    assert token != page
    picture = run("share", "add", shop, "shipping", "--picture", "--kind", "click")
    assert f"/api/v1/sites/{shop}/pages/shipping/heatmap.png?kind=click&" in picture
    rows = [line.split("\t") for line in run("share", "list").splitlines()[1:]]
    assert [row[:4] for row in rows] == [
        ["1", "Fietsenwinkel", "shipping", "map"],
        ["2", "Fietsenwinkel", "shipping", "picture"],
    ]
    run("share", "revoke", "1")
    assert [line[0] for line in run("share", "list").splitlines()[1:]] == ["2"]
    assert "gloed share list" in run("share", "revoke", "1", code=1)
    signer = Signer(SECRET.encode())
    assert signer.shared(token, NOON) == 1, "signed with the fleet's secret"


def test_a_share_of_a_page_that_there_is_not_is_refused(run: Run, shop: str) -> None:
    assert "its pages: shipping" in run("share", "add", shop, "nowhere", code=1)
    assert run("share", "list").splitlines()[1:] == []


def test_consent_is_chosen_by_name(run: Run, shop: str, database_url: str) -> None:
    def rule() -> Consent | None:
        async def look(store: Store) -> Site:
            return await find_site(store, shop)

        found: Site = in_store(database_url, look)
        return found.consent

    assert "cmplz_statistics decides" in run("site", "consent", shop, "complianz")
    assert rule() == Consent("cmplz_statistics", "allow")
    assert "let your page set the cookie" in run("site", "consent", shop, "usercentrics")
    own = ("own", "--cookie", "agreed", "--pattern", "*stats=1*")
    assert run("site", "consent", shop, *own) == "agreed decides."
    assert rule() == Consent("agreed", "*stats=1*")
    assert "consent.pattern" in run("site", "consent", shop, "own", "--cookie", "a", code=1)
    assert "complianz, cookiebot" in run("site", "consent", shop, "onetrust", code=1)
    run("site", "consent", shop, "off")
    assert rule() is None


@pytest.mark.parametrize(
    ("language", "head"),
    [("nl", "# Privacy: Gloed bij Fiets"), ("en", "# Privacy: Gloed at Fiets")],
)
def test_the_privacy_file_is_printed_in_either_language(
    run: Run, shop: str, language: str, head: str
) -> None:
    told = run("privacy", shop, "--language", language)
    assert told.startswith(head)
    assert "| `view_id` |" in told


def test_a_shop_is_configured_part_by_part(run: Run, shop: str) -> None:
    told = run("configure", shop, "exclude_networks", "192.0.2.0/24", "2001:db8::/48")
    assert "192.0.2.0/24, 2001:db8::/48" in told
    assert "exempt" in run("configure", shop, "mode", "exempt")
    for words, why in (
        (("mode", "silent"), "mode: must be one of "),
        (("exclude_networks", "here"), "write a network as"),
        (("exclude_networks", "2001:db8::/100"), "known by their /64"),
        (("origins", "https://shop.nl/"), "origins"),
        (("honour_opt_out", "off"), "needs a way to refuse"),
        (("least_visits", "4"), "least_visits"),
        (("least_visits", "six"), "least_visits"),
        (("colour", "red"), "there is no part of that name"),
    ):
        assert why in run("configure", shop, *words, code=1), words
    assert "192.0.2.0/24" not in run("configure", shop, "exclude_networks", "--unset")
    assert "exempt" in run("configure", shop)


def test_what_is_quarantined_is_listed_and_lifted(run: Run, shop: str) -> None:
    period = ("--from", "2026-11-18T11:00:00Z", "--to", "2026-11-18T12:00:00Z")
    rule = run("quarantine", "add", shop, *period).partition(":")[0]
    assert run("quarantine", "add", shop, "--origin", "copy.example").startswith("copy.example: 0")
    listed = run("quarantine", "list", shop)
    assert rule in listed
    assert "copy.example" in listed
    assert "lifted" in run("quarantine", "lift", shop, rule)
    assert rule not in run("quarantine", "list", shop)
    assert "no such visit" in run("quarantine", "add", shop, "--visit", "0" * 16, code=1)
    assert "16 of 0-9 and a-f" in run("quarantine", "add", shop, "--visit", "1", code=1)
    run("quarantine", "add", shop, "--from", "2026-11-18T11:00:00Z", code=2)


def test_what_was_recorded_is_erased_once_it_is_meant(run: Run, shop: str) -> None:
    days = ("--from", "2026-11-18", "--to", "2026-11-18")
    asked = run("erase", shop, *days, code=1, answer="n\n")
    assert "all that was recorded from " in asked
    assert run("erase", shop, *days, "--yes") == "0 rows are deleted."
    assert run("erase", shop, "--page", "shipping", "--yes") == "0 rows are deleted."
    assert "no such visit" in run("erase", shop, "--visit", "0" * 16, "--yes", code=1)
    assert "never told" in run("erase", shop, "--ref", "order-7", "--yes", code=1)
    assert "4 to 128" in run("erase", shop, "--ref", "a b", "--yes", code=1)
    asked = "203.0.113.7\nMozilla/5.0\n"
    assert "after two days" in run("erase", shop, "--visitor", "--yes", code=1, answer=asked)
    run("erase", shop, "--yes", code=2)
    assert "rows are deleted" in run("erase", shop, "--all", "--yes")
    assert "there is no site" in run("site", "live", shop, "--yes", code=1)
