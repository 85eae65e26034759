"""Make sure that what the tests need from the machine is there: `python -m tests.provide`.

Installs only what is missing, as Debian packages where apt-get may be used, else Playwright's
builds of the browsers. What cannot be had is named with its remedy; in CI that is a failure,
elsewhere the tests that need it are left out. Tests ask `has("nginx")` and say `remedy("nginx")`.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    name: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    # systemd units the packages start by themselves, which tests do not want listening.
    services: tuple[str, ...] = ()
    # Builds of Playwright's that serve instead; all of them are needed.
    builds: tuple[str, ...] = ()


NEEDS = (
    # Playwright runs a headless Chromium as a build of its own, the shell.
    Need("chromium", ("chromium",), ("chromium",), builds=("chromium-headless-shell",)),
    Need("firefox", ("firefox-esr",), ("firefox-esr",), builds=("firefox",)),
    Need(
        "webkit",
        ("WebKitWebDriver", "MiniBrowser", "Xvfb"),
        ("webkit2gtk-driver", "xvfb"),
        builds=("webkit",),
    ),
    Need("nginx", ("nginx",), ("nginx",), services=("nginx.service",)),
    Need("caddy", ("caddy",), ("caddy",), services=("caddy.service",)),
    # apache2-bin holds the server with mod_http2 and mod_proxy_http2, but no service.
    Need("apache2", ("apache2",), ("apache2-bin",)),
    Need("curl", ("curl",), ("curl",)),
    Need("openssl", ("openssl",), ("openssl",)),
    Need("postgresql", ("postgres", "initdb"), ("postgresql",), services=("postgresql.service",)),
)

POSTGRESQL_LEAST = 15


# Where things are ---------------------------------------------------------------------------------


def search_path(root: Path = Path("/")) -> str:
    """PATH, and the places Debian keeps programs that are not on it; the newest version first."""
    servers = [
        directory
        for directory in root.glob("usr/lib/postgresql/*/bin")
        if directory.parent.name.isdecimal() and int(directory.parent.name) >= POSTGRESQL_LEAST
    ]
    servers.sort(key=lambda directory: -int(directory.parent.name))
    webkits = sorted(root.glob("usr/lib/*/webkit*gtk-*"), reverse=True)
    places = [*servers, *webkits, root / "usr/local/sbin", root / "usr/sbin"]
    return os.pathsep.join([*map(str, places), os.environ.get("PATH", os.defpath)])


def programs(name: str, path: str | None = None) -> dict[str, Path] | None:
    """Where the system's programs for a need are, by program name; None unless all are there."""
    places = search_path() if path is None else path
    found = {program: shutil.which(program, path=places) for program in _need(name).programs}
    return (
        {program: Path(at) for program, at in found.items() if at} if all(found.values()) else None
    )


def playwright_builds() -> Path:
    """The directory Playwright downloads browsers to."""
    chosen = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    return Path(chosen) if chosen else Path.home() / ".cache/ms-playwright"


def playwright_revisions() -> dict[str, str]:
    """The revision of each build that the installed Playwright runs; empty without Playwright."""
    spec = importlib.util.find_spec("playwright")
    if spec is None or spec.origin is None:
        return {}
    listed = Path(spec.origin).parent / "driver/package/browsers.json"
    return {b["name"]: b["revision"] for b in json.loads(listed.read_text())["browsers"]}


def downloaded(name: str, builds: Path, revisions: dict[str, str]) -> bool:
    """Whether Playwright's builds for a need are complete, in the revision it would run."""
    wanted = _need(name).builds
    return bool(wanted) and all(
        build in revisions and (_build(builds, build, revisions) / "INSTALLATION_COMPLETE").exists()
        for build in wanted
    )


def _build(builds: Path, build: str, revisions: dict[str, str]) -> Path:
    return builds / f"{build.replace('-', '_')}-{revisions[build]}"


def has(name: str, path: str | None = None) -> bool:
    return programs(name, path) is not None or downloaded(
        name, playwright_builds(), playwright_revisions()
    )


def missing(path: str | None = None) -> list[str]:
    places = search_path() if path is None else path
    return [need.name for need in NEEDS if not has(need.name, places)]


def remedy(name: str) -> str:
    """One line for whoever lacks it."""
    need = _need(name)
    by_hand = f"apt-get install {' '.join(need.packages)}"
    instead = f" or playwright install --with-deps {need.name}" if need.builds else ""
    return f"run python -m tests.provide as root or with sudo, or by hand: {by_hand}{instead}"


def _need(name: str) -> Need:
    for need in NEEDS:
        if need.name == name:
            return need
    raise KeyError(f"no need is named {name!r}; use one of {', '.join(n.name for n in NEEDS)}")


# How they are had ---------------------------------------------------------------------------------


def offered(policy: str) -> set[str]:
    """The packages that have a candidate, read from what `apt-cache policy` prints."""
    packages: set[str] = set()
    package = ""
    for line in policy.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            package = line[:-1]
        elif line.strip().startswith("Candidate:") and "(none)" not in line:
            packages.add(package)
    return packages


def obtainable(names: Iterable[str], packages: Collection[str]) -> list[str]:
    return [name for name in names if set(_need(name).packages) <= set(packages)]


def apt_commands(names: Sequence[str], privilege: Argv, *, systemd: bool) -> list[Argv]:
    """What installs these needs and leaves no server of theirs listening, not for a moment.

    With systemd their units are masked until the packages are configured, and disabled then;
    without it the packages' scripts are told that this is runlevel 1, where no server starts.
    """
    needs = [_need(name) for name in names]
    packages = [package for need in needs for package in need.packages]
    services = [service for need in needs for service in need.services] if systemd else []
    quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
    install = ("apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", "--no-install-recommends")
    commands: list[Argv] = [(*quiet, *install, "install", *packages)] if packages else []
    if services:
        commands.insert(0, ("systemctl", "mask", "--runtime", *services))
        commands.append(("systemctl", "unmask", "--runtime", *services))
        commands.append(("systemctl", "disable", "--now", *services))
    return [(*privilege, *command) for command in commands]


def playwright_command(
    names: Iterable[str], builds: Collection[str], *, privileged: bool
) -> Argv | None:
    """What downloads those of Playwright's builds that serve these needs; None if none does."""
    engines = [
        need.name for need in map(_need, names) if need.builds and {*need.builds} <= {*builds}
    ]
    # Their libraries are Debian packages, which Playwright installs itself where it may.
    libraries = ("--with-deps",) if privileged else ()
    command = (sys.executable, "-m", "playwright", "install", *libraries, *engines)
    return command if engines else None


def privilege() -> Argv | None:
    """What to put before a command that changes the system; None if nothing would help."""
    if os.geteuid() == 0:
        return ()
    sudo = ("sudo", "-n")
    return sudo if shutil.which("sudo") and _run((*sudo, "true")) is not None else None


def _run(command: Argv) -> str | None:
    """The command's output, or None when it failed; then its last line is printed."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return done.stdout
    said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
    print(f"  {' '.join(command)}: {said}", file=sys.stderr)
    return None


def _by_apt(names: Sequence[str], prefix: Argv) -> None:
    _run((*prefix, "apt-get", "-qq", "update"))
    packages = [package for name in names for package in _need(name).packages]
    policy = _run(("env", "LC_ALL=C", "apt-cache", "policy", *packages)) or ""
    systemd = Path("/run/systemd/system").is_dir()
    for command in apt_commands(obtainable(names, offered(policy)), prefix, systemd=systemd):
        _run(command)


def provide(path: str | None = None) -> dict[str, str]:
    """Install what is missing; returns how each need is met, without those that are not."""
    lacking = missing(path)
    ways = {need.name: "found" for need in NEEDS if need.name not in lacking}
    if not lacking:
        return ways
    prefix = privilege()
    if prefix is not None and shutil.which("apt-get"):
        _by_apt(lacking, prefix)
        ways |= {name: "installed by apt-get" for name in lacking if has(name, path)}
    lacking = [name for name in lacking if name not in ways]
    download = playwright_command(lacking, playwright_revisions(), privileged=prefix is not None)
    if download is not None:
        _run(download)
        ways |= {name: "downloaded by Playwright" for name in lacking if has(name, path)}
    return ways


def main(path: str | None = None) -> int:
    ways = provide(path)
    in_ci = os.environ.get("CI") == "true"
    otherwise = "missing" if in_ci else "missing, its tests are left out"
    for need in NEEDS:
        print(f"{need.name:12}{ways.get(need.name) or f'{otherwise}: {remedy(need.name)}'}")
    return 1 if in_ci and len(ways) < len(NEEDS) else 0


if __name__ == "__main__":
    sys.exit(main())
