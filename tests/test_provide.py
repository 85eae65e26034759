import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import provide
from tests.provide import NEEDS
from tests.shared import MUST_RUN

NAMES = [need.name for need in NEEDS]
ROOT = Path(__file__).parent.parent


def a_program(at: Path) -> Path:
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text("#!/bin/sh\n")
    at.chmod(0o755)
    return at


@pytest.fixture
def no_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without builds of Playwright's; returns where they would be."""
    builds = tmp_path / "builds"
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(builds))
    return builds


def test_on_an_empty_path_everything_is_missing(tmp_path: Path, no_builds: Path) -> None:
    assert provide.missing(str(tmp_path)) == NAMES


def test_a_program_on_the_path_is_had(tmp_path: Path, no_builds: Path) -> None:
    nginx = a_program(tmp_path / "nginx")
    assert provide.has("nginx", str(tmp_path))
    assert provide.programs("nginx", str(tmp_path)) == {"nginx": nginx}
    assert provide.missing(str(tmp_path)) == [name for name in NAMES if name != "nginx"]


def test_one_program_of_several_is_not_enough(tmp_path: Path, no_builds: Path) -> None:
    for program in ("WebKitWebDriver", "MiniBrowser"):
        a_program(tmp_path / program)
        assert not provide.has("webkit", str(tmp_path))
    a_program(tmp_path / "Xvfb")
    assert provide.has("webkit", str(tmp_path))


def test_a_file_that_cannot_be_run_is_not_had(tmp_path: Path, no_builds: Path) -> None:
    a_program(tmp_path / "caddy").chmod(0o644)
    assert not provide.has("caddy", str(tmp_path))


def test_a_name_nobody_needs_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(KeyError, match=r"'ngnix'; use one of chromium, .*nginx"):
        provide.has("ngnix")


def test_the_newest_database_server_is_found_and_one_too_old_is_not(
    tmp_path: Path, no_builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for version in ("9.6", "14"):
        for program in ("postgres", "initdb"):
            a_program(tmp_path / "usr/lib/postgresql" / version / "bin" / program)
    assert provide.programs("postgresql", provide.search_path(tmp_path)) is None
    for version in ("15", "100", "17"):
        for program in ("postgres", "initdb"):
            a_program(tmp_path / "usr/lib/postgresql" / version / "bin" / program)
    found = provide.programs("postgresql", provide.search_path(tmp_path))
    assert found is not None
    assert found["postgres"] == tmp_path / "usr/lib/postgresql/100/bin/postgres"


def test_programs_off_the_path_are_found_where_debian_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for program in ("bin/WebKitWebDriver", "bin/Xvfb", "usr/sbin/apache2"):
        a_program(tmp_path / program)
    browser = a_program(tmp_path / "usr/lib/riscv64-linux-gnu/webkit2gtk-4.1/MiniBrowser")
    places = provide.search_path(tmp_path)
    assert provide.programs("apache2", places) == {"apache2": tmp_path / "usr/sbin/apache2"}
    assert (provide.programs("webkit", places) or {})["MiniBrowser"] == browser


def test_a_build_of_playwrights_serves_once_complete_and_in_its_revision(
    tmp_path: Path, no_builds: Path
) -> None:
    revisions = {"chromium": "1", "chromium-headless-shell": "7"}
    (no_builds / "chromium-1").mkdir(parents=True)
    (no_builds / "chromium-1/INSTALLATION_COMPLETE").touch()
    assert not provide.downloaded("chromium", no_builds, revisions)
    shell = no_builds / "chromium_headless_shell-7"
    shell.mkdir()
    assert not provide.downloaded("chromium", no_builds, revisions)
    (shell / "INSTALLATION_COMPLETE").touch()
    assert provide.downloaded("chromium", no_builds, revisions)
    assert not provide.downloaded(
        "chromium", no_builds, revisions | {"chromium-headless-shell": "8"}
    )
    assert not provide.downloaded("chromium", no_builds, {})


def test_the_installed_playwright_names_a_build_for_every_engine(
    tmp_path: Path, no_builds: Path
) -> None:
    for build, revision in provide.playwright_revisions().items():
        complete = no_builds / f"{build.replace('-', '_')}-{revision}/INSTALLATION_COMPLETE"
        complete.parent.mkdir(parents=True)
        complete.touch()
    engines = [need.name for need in NEEDS if need.builds]
    assert engines == ["chromium", "firefox", "webkit"]
    assert provide.missing(str(tmp_path)) == [name for name in NAMES if name not in engines]


POLICY = """\
chromium:
  Installed: (none)
  Candidate: 156.0.8078.79-1~deb12u1
  Version table:
     156.0.8078.79-1~deb12u1 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
firefox-esr:
  Installed: (none)
  Candidate: (none)
  Version table:
webkit2gtk-driver:
  Installed: (none)
  Candidate: 2.50.6-1~deb12u2
"""


def test_only_what_the_archive_offers_whole_is_asked_for() -> None:
    packages = provide.offered(POLICY)
    assert packages == {"chromium", "webkit2gtk-driver"}
    assert provide.obtainable(["chromium", "firefox", "webkit"], packages) == ["chromium"]
    assert provide.obtainable(["webkit"], packages | {"xvfb"}) == ["webkit"]


def test_nothing_missing_runs_nothing() -> None:
    assert provide.apt_commands([], (), systemd=True) == []
    assert provide.playwright_command([], ["firefox"], privileged=True) is None


def test_only_missing_packages_are_installed_without_asking_or_recommending() -> None:
    (install,) = provide.apt_commands(["chromium", "webkit"], (), systemd=True)
    assert install[: install.index("apt-get")] == (
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "RUNLEVEL=1",
    )
    assert {"-y", "--no-install-recommends"} <= set(install)
    assert install[install.index("install") + 1 :] == ("chromium", "webkit2gtk-driver", "xvfb")


def test_under_systemd_no_server_starts_and_none_stays_masked_or_enabled() -> None:
    services = ("nginx.service", "caddy.service", "postgresql.service")
    mask, install, unmask, disable = provide.apt_commands(
        ["nginx", "caddy", "apache2", "postgresql"], ("sudo", "-n"), systemd=True
    )
    assert mask == ("sudo", "-n", "systemctl", "mask", "--runtime", *services)
    assert install[:3] == ("sudo", "-n", "env")
    assert install[-4:] == ("nginx", "caddy", "apache2-bin", "postgresql")
    assert unmask == ("sudo", "-n", "systemctl", "unmask", "--runtime", *services)
    assert disable == ("sudo", "-n", "systemctl", "disable", "--now", *services)


def test_without_systemd_runlevel_one_is_all_it_takes() -> None:
    (install,) = provide.apt_commands(["nginx", "postgresql"], (), systemd=False)
    assert "RUNLEVEL=1" in install


def test_playwright_is_asked_for_browsers_it_has_and_for_libraries_if_it_may() -> None:
    lacking, builds = ["firefox", "nginx", "webkit"], ["firefox", "webkit", "ffmpeg"]
    run = (sys.executable, "-m", "playwright", "install")
    assert provide.playwright_command(lacking, builds, privileged=False) == (
        *run,
        "firefox",
        "webkit",
    )
    assert provide.playwright_command(["firefox"], builds, privileged=True) == (
        *run,
        "--with-deps",
        "firefox",
    )
    assert provide.playwright_command(["nginx", "chromium"], builds, privileged=True) is None


def test_a_remedy_names_the_packages_and_the_other_way_where_there_is_one() -> None:
    assert "apt-get install webkit2gtk-driver xvfb or playwright" in provide.remedy("webkit")
    assert provide.remedy("nginx").endswith("apt-get install nginx")


# The commands themselves, on a machine on which apt-get, apt-cache and systemctl are scripts that
# write down how they were called, and installing nginx brings a file of that name.
SCRIPTS = {
    "apt-get": 'case "$*" in *install*) cp "$0" "$BIN/nginx";; esac',
    "apt-cache": "printf 'nginx:\\n  Candidate: 1\\ncaddy:\\n  Candidate: (none)\\n'",
    "sudo": 'shift; exec "$@"',
    "systemctl": "",
}


def run_provide(tmp_path: Path, **extra: str) -> tuple[int, dict[str, str], list[str]]:
    """Run it where only SCRIPTS and a shell are on the path; its code, its lines, its calls."""
    tools, calls = tmp_path / "bin", tmp_path / "calls"
    for name, body in SCRIPTS.items():
        a_program(tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$CALLS"\n{body}\n')
    for name in ("sh", "cp", "env", "true"):
        if not (tools / name).exists():
            (tools / name).symlink_to(Path("/bin") / name)
    code = f"import sys; from tests import provide; sys.exit(provide.main({str(tools)!r}))"
    environment = {
        "PATH": str(tools),
        "BIN": str(tools),
        "CALLS": str(calls),
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    # -S leaves out site-packages, and with them Playwright, which would go and download.
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment | extra, capture_output=True, text=True)
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    return done.returncode, lines, calls.read_text().splitlines()


def test_what_is_missing_is_installed_and_each_way_is_told(tmp_path: Path) -> None:
    code, lines, calls = run_provide(tmp_path)
    assert code == 0
    assert lines["nginx"] == "installed by apt-get"
    assert lines["caddy"].startswith("missing, its tests are left out: run python -m tests.provide")
    assert list(lines) == NAMES
    assert [call for call in calls if "update" in call] == ["apt-get -qq update"]
    installed = next(call for call in calls if " install " in call)
    assert installed.endswith("--no-install-recommends install nginx")


def test_in_ci_what_cannot_be_had_fails_the_run(tmp_path: Path) -> None:
    code, lines, _ = run_provide(tmp_path, CI="true")
    assert code == 1
    assert lines["caddy"].startswith("missing: run")


@pytest.mark.skipif(
    bool(provide.missing()) and not MUST_RUN, reason="shows what happens where nothing is missing"
)
def test_with_all_there_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    for name, body in SCRIPTS.items():
        a_program(tmp_path / "bin" / name).write_text(
            f'#!/bin/sh\necho {name} >> "{calls}"\n{body}'
        )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert provide.main() == 0
    assert not calls.exists()
