"""Settings, and the fleet's secret: what is wrong is said before anything starts."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import PREFIX, TEST_PREFIX, Settings, SettingsError, read_settings
from app.secret import FILE, fleet_secret

STRONG = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the account which Postgres is run as by root may pass through."""
    made = Path(tempfile.mkdtemp(prefix="gloed-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return read_settings()


def test_without_any_setting_it_runs_its_own_store_on_this_machine_alone() -> None:
    settings = read_settings()
    assert settings.embedded
    assert (settings.host, settings.port, settings.workers, settings.prefix) == (
        "127.0.0.1",
        8700,
        1,
        "/g",
    )
    assert settings.trusted_proxies == ()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("WORKER", "WORKERS"),
        ("SECRETFILE", "SECRET_FILE"),
    ],
)
def test_a_misspelt_variable_stops_the_start_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    with pytest.raises(SettingsError, match=f"GLOED_{name} is no setting.*GLOED_{meant}\\?"):
        read(monkeypatch, **{name: "x"})


def test_variables_of_the_tests_and_of_others_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GLOEDWORM", "x")
    assert read(monkeypatch, TEST_ANYTHING="x").port == 8700


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "65536", "PORT: "),
        ("PORT", "eighty", "PORT: "),
        ("WORKERS", "0", "WORKERS: "),
        ("PREFIX", "g", "PREFIX: "),
        ("PREFIX", "/g/", "PREFIX: "),
        ("PREFIX", "/api/g", "would hide a path of Gloed's own"),
        ("TRUSTED_PROXIES", "127.0.0.1,proxy", "'proxy' is no address or network"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "is no address or network"),
        ("PUBLIC_URL", "stats.example", "PUBLIC_URL: "),
        ("PUBLIC_URL", "https://stats.example/?a=1", "PUBLIC_URL: "),
        ("SECRET", "short", "too weak"),
        ("SECRET", "ab" * 20, "too weak"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT: "),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as refused:
        read(monkeypatch, **{name: value})
    assert "Traceback" not in str(refused.value)
    assert name != "SECRET" or value not in str(refused.value), "a secret is never repeated"


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, PORT="x", WORKERS="y")
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["GLOED_PORT", "GLOED_WORKERS"]


def test_proxies_are_listed_with_commas_and_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8 ,2001:db8::/32,")
    assert settings.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As compose files write it for what the operator left out."""
    assert read(monkeypatch, DATABASE_URL="", SECRET="", PORT="").embedded


def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOED_PORT", "9000")
    assert read_settings(port=9001).port == 9001
    assert read_settings(port=None).port == 9000
    with pytest.raises(SettingsError, match="PORT: "):
        read_settings(port=99_999)


def test_a_secret_comes_from_a_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{STRONG}\n")
    assert fleet_secret(read(monkeypatch, SECRET_FILE=str(file))) == STRONG.encode()
    with pytest.raises(SettingsError, match="both set: unset one"):
        read(monkeypatch, SECRET=STRONG)


@pytest.mark.parametrize("content", [None, b"", b"weak\n", b"\xff" * 40])
def test_a_file_without_a_good_secret_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=str(file)):
        fleet_secret(read(monkeypatch, SECRET_FILE=str(file)))


def test_a_store_elsewhere_needs_a_secret_that_the_fleet_shares() -> None:
    settings = Settings(database_url="postgresql://db/gloed")
    with pytest.raises(SettingsError, match=r"GLOED_SECRET must be set.*token_hex"):
        fleet_secret(settings)


def _secret_of(folder: str) -> bytes:
    return fleet_secret(Settings(data_dir=Path(folder)))


def test_a_secret_is_made_once_by_processes_that_start_together(home: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        made = set(pool.map(_secret_of, [str(home)] * 12, chunksize=1))
    assert len(made) == 1
    assert len(made.pop()) == 64
    (file,) = [path for path in home.rglob("*") if path.is_file()]
    assert (file.name, file.stat().st_mode & 0o777) == (FILE, 0o600)


def test_a_secret_that_was_cut_off_is_refused_and_not_used(home: Path) -> None:
    secret = _secret_of(str(home))
    (file,) = [path for path in home.rglob(FILE) if path.is_file()]
    assert file.read_bytes() == secret
    file.write_text("")
    with pytest.raises(SettingsError, match=str(file)):
        _secret_of(str(home))


def test_each_installation_makes_a_secret_of_its_own(home: Path) -> None:
    made = {_secret_of(str(home / name)) for name in ("one", "two")}
    assert len(made | {secrets.token_hex(32).encode()}) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"host": "0.0.0.0"}, "GLOED_HOST=127.0.0.1"),
        ({"host": "192.168.1.5"}, "GLOED_TRUSTED_PROXIES"),
        ({"trusted_proxies": "0.0.0.0/0"}, "every address"),
        ({"host": "0.0.0.0", "trusted_proxies": "10.0.0.1,::/0"}, "every address"),
    ],
)
def test_no_sign_in_is_refused_where_others_could_reach_the_port(
    given: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        read_settings(sign_in="none", **given)


@pytest.mark.parametrize(
    "given", [{}, {"host": "::1"}, {"host": "0.0.0.0", "trusted_proxies": "10.87.0.2"}]
)
def test_no_sign_in_is_taken_behind_a_proxy(given: dict[str, str]) -> None:
    assert read_settings(sign_in="none", **given).sign_in == "none"
