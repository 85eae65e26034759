"""`gloed doctor`: each line names what was found and, where it is bad, the remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.checking.checks import Finding
from app.checking.doctor import disk_findings, durable, settings_findings, store_findings
from app.cli.main import cli
from app.config import Settings
from app.jobs import run_due
from app.store import Store
from collector.nests import BAD, SUFFIX
from tests.conftest import NOON
from tests.serving import SECRET

ELSEWHERE = "postgresql://127.0.0.1:1/gloed"


def settings(**given: object) -> Settings:
    more = {"database_url": "postgresql://x/gloed", "secret": SECRET, **given}
    return Settings.model_validate(more)


def bad(findings: object) -> list[str]:
    assert isinstance(findings, list)
    return [one.told for one in findings if isinstance(one, Finding) and not one.good]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, None),
        ({"public_url": "https://stats.shop.example", "host": "0.0.0.0"}, None),
        ({"public_url": "http://stats.shop.example"}, "GLOED_PUBLIC_URL=https://"),
        ({"host": "0.0.0.0"}, "GLOED_PUBLIC_URL=https://"),
        ({"spool_bytes": 0}, "GLOED_SPOOL_BYTES"),
    ],
)
def test_settings_that_are_unsafe_together_are_told_with_the_remedy(
    given: dict[str, object], told: str | None
) -> None:
    found = bad(list(settings_findings(settings(**given))))
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_no_sign_in_is_pointed_out() -> None:
    told = [one.told for one in settings_findings(settings(sign_in="none"))]
    assert any("GLOED_SIGN_IN" in line for line in told)


def test_a_full_disk_is_told_with_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = settings(data_dir=tmp_path)
    assert bad(list(disk_findings(house, NOON))) == []
    monkeypatch.setattr("app.checking.doctor.LEAST_FREE_SHARE", 1.1)
    (found,) = bad(list(disk_findings(house, NOON)))
    assert "raw_days" in found


def test_a_spool_that_waits_long_or_holds_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    bad_files = tmp_path / "spool" / BAD
    bad_files.mkdir(parents=True)
    (bad_files / f"x{SUFFIX}").write_bytes(b"")
    (found,) = bad(list(disk_findings(settings(data_dir=tmp_path), NOON)))
    assert str(bad_files) in found


def test_a_data_directory_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("")
    (found,) = bad(list(disk_findings(settings(data_dir=file / "below"), NOON)))
    assert found.startswith("disk: ")


@pytest.fixture
async def well(store: Store) -> Store:
    """A store whose jobs ran a moment ago, by its own clock."""
    await run_due(store, await _its_now(store))
    return store


async def _its_now(store: Store) -> datetime:
    moment: datetime = await store.fetchval("SELECT clock_timestamp()")
    return moment.astimezone(UTC)


async def test_a_house_that_is_well_has_nothing_to_mend(well: Store) -> None:
    found = await store_findings(well, await _its_now(well))
    assert bad(found) == []
    parts = [one.told.partition(":")[0] for one in found]
    assert parts == ["store", "durability", "clock", "partitions", "jobs"]


async def test_clocks_that_differ_are_told_by_how_much(well: Store) -> None:
    ahead = await _its_now(well) + timedelta(seconds=90)
    (found,) = bad(await store_findings(well, ahead))
    assert "NTP" in found
    assert "90" in found or "89" in found


async def test_days_without_partitions_are_told(well: Store) -> None:
    now = await _its_now(well)
    tomorrow: date = now.date() + timedelta(days=1)
    await well.execute(f"DROP TABLE beacon_{tomorrow:%Y%m%d}")
    (found,) = bad(await store_findings(well, now))
    assert "ready for 1 of 8 days" in found
    assert "gloed serve" in found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("state = 'failed', error = 'kanarie'", "`gloed jobs`"),
        ("dirty_since = now() - interval '1 hour'", "gloed serve"),
    ],
)
async def test_a_job_that_failed_or_is_late_is_told(well: Store, change: str, told: str) -> None:
    await well.execute(f"UPDATE job SET {change} WHERE name = 'let_go'")
    (found,) = bad(await store_findings(well, await _its_now(well)))
    assert "let_go" in found
    assert told in found
    assert "kanarie" not in found


@pytest.mark.parametrize("off", ["fsync", "full_page_writes"])
def test_a_store_that_may_lose_what_it_acknowledged_is_told(off: str) -> None:
    states = {"fsync": "on", "full_page_writes": "on"}
    assert durable(states).good
    found = durable({**states, off: "off"})
    assert not found.good
    assert f"{off} is off" in found.told
    assert "postgresql.conf" in found.told


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("GLOED_SECRET", SECRET)
    monkeypatch.setenv("GLOED_DATA_DIR", str(tmp_path))

    def invoke(url: str, **more: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["doctor"], env={"GLOED_DATABASE_URL": url, **more})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.output

    return invoke


def test_the_exit_code_says_whether_anything_is_to_be_done(
    run: Callable[..., tuple[int, str]], own_database_url: str
) -> None:
    code, told = run(own_database_url)
    assert code == 1, "a store that nobody serves has no partitions"
    assert "FAIL partitions" in told
    assert "ok   store: Postgres" in told


def test_a_store_that_is_away_is_one_line_among_others(
    run: Callable[..., tuple[int, str]],
) -> None:
    code, told = run(ELSEWHERE)
    assert code == 1
    assert "ok   disk" in told
    assert "FAIL store" in told
    assert "GLOED_DATABASE_URL" in told


def test_a_weak_secret_is_refused_before_anything_is_looked_at(
    run: Callable[..., tuple[int, str]], database_url: str
) -> None:
    code, told = run(database_url, GLOED_SECRET="a" * 32)
    assert code == 1
    assert "too weak" in told
    assert "a" * 32 not in told
