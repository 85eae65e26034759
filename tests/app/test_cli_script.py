"""`gloed snippet --script`, as people type it, on the store of the house that is running."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from app.cli.main import cli
from collector.sites import Site
from snippets.html import Scripted, snippet_html
from snippets.script.build import script
from tests.build import make_shop
from tests.serving import SECRET, Running

Paste = Callable[..., Result]


@pytest.fixture
def shop(gloed: Running) -> Site:
    return gloed.do(make_shop(gloed.store, gloed.clock()))


@pytest.fixture
def paste(gloed: Running, shop: Site, monkeypatch: pytest.MonkeyPatch) -> Paste:
    monkeypatch.setenv("GLOED_DATABASE_URL", gloed.database_url)
    monkeypatch.setenv("GLOED_SECRET", SECRET)

    def ask(*more: str) -> Result:
        words = ("snippet", "--site", shop.public_key, "--page", "shipping", *more)
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, result.output
        return result

    return ask


def test_the_script_is_pasted_where_it_was_asked_for_and_so_is_its_policy(
    paste: Paste, shop: Site
) -> None:
    plain, scripted = paste(), paste("--script")
    assert "<script" not in plain.stdout
    assert "script-src" not in plain.stderr
    pasted = snippet_html(
        site_key=shop.public_key, page=shop.pages["shipping"], scripted=Scripted(script())
    )
    assert pasted.strip() in scripted.stdout
    assert f"/g/x/{shop.public_key}/{script().mark}" in scripted.stdout
    assert "script-src 'self'; connect-src 'self'" in " ".join(scripted.stderr.split())


def test_frozen_it_bears_its_integrity_and_names_the_host_that_it_comes_from(paste: Paste) -> None:
    base = "https://stats.shop.example/g"
    frozen, thawed = (paste("--script", *more, "--base", base) for more in (("--freeze",), ()))
    assert f'integrity="{script().integrity}" crossorigin="anonymous"' in frozen.stdout
    assert "integrity" not in thawed.stdout
    assert f"script-src {base}/x/" in " ".join(frozen.stderr.split())
