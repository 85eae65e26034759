"""compose.yaml: what it says, and its processes run by hand where there is no container engine."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import httpx
import pytest

from app.config import refuse_unknown
from app.store import Store
from collector.sites import Site
from tests.browser.processes import last_words, private_environment, running, wait_for
from tests.build import DESKTOP, make_shop
from tests.conftest import NOON
from tests.install.fronts import DOCUMENTED, free_port, needs
from tests.install.plain_yaml import read_plain_yaml
from tests.provide import programs

ROOT = DOCUMENTED.parents[1]
COMPOSE = read_plain_yaml(ROOT / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
DOMAIN = "localhost"
"""A name for which Caddy needs no authority but its own."""

SECRETS = {"secret": 64, "postgres-password": 64}
"""What the first start makes, and how many characters each holds."""


# What it says ---------------------------------------------------------------------------------


def test_one_variable_must_be_set_and_that_is_the_domain() -> None:
    asked = set(re.findall(r"\$\{(\w+)(:-)?", (ROOT / "compose.yaml").read_text()))
    assert {name for name, default in asked if not default} == {"GLOED_DOMAIN"}
    assert "${GLOED_DOMAIN:?" in SERVICES["gloed"]["environment"]["GLOED_PUBLIC_URL"]


@pytest.mark.parametrize("service", ["migrate", "gloed"])
def test_every_setting_is_one_that_gloed_knows(service: str) -> None:
    refuse_unknown(SERVICES[service]["environment"])


def test_the_proxies_that_are_believed_are_the_networks_own() -> None:
    subnets = [entry["subnet"] for entry in COMPOSE["networks"]["gloed"]["ipam"]["config"]]
    trusted = SERVICES["gloed"]["environment"]["GLOED_TRUSTED_PROXIES"]
    assert trusted == next(net for net in subnets if ip_network(net).version == 4)
    assert sum(ip_network(net).version == 6 for net in subnets) == 1
    assert all(ip_network(net).is_private for net in subnets)


def test_only_caddy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert all("network_mode" in service or "networks" in service for service in SERVICES.values())


def test_every_file_and_volume_that_is_mounted_exists() -> None:
    mounted = [
        volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]
    ]
    for source in mounted:
        assert (
            (ROOT / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"]
        )
    assert set(COMPOSE["volumes"]) <= set(mounted)


def test_each_service_waits_for_the_one_that_makes_what_it_needs() -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    done, well = "service_completed_successfully", "service_healthy"
    assert waits == {
        "first-start": {},
        "postgres": {"first-start": done},
        "migrate": {"postgres": well},
        "gloed": {"migrate": done},
        "caddy": {"gloed": well},
    }
    assert "healthcheck" in SERVICES["postgres"]


def test_the_image_is_built_from_files_that_are_there_and_let_through() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = [
        source
        for line in re.findall(r"(?m)^COPY (?!--from)(.*)$", dockerfile)
        for source in line.split()[:-1]
    ]
    let_through = re.findall(r"(?m)^!(.*)$", (ROOT / ".dockerignore").read_text())
    assert sorted(copied) == sorted(let_through)
    assert all((ROOT / source).exists() for source in copied)


def test_the_image_runs_as_nobody_special_and_is_built_by_the_same_uv() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"(?m)^USER gloed$", last_stage)
    assert re.search(r"HEALTHCHECK .*\\\n\s*CMD \[.*/healthz", last_stage)
    assert "pip install" not in last_stage
    pinned = re.search(r"UV_VERSION := (.*)", (ROOT / "Makefile").read_text())
    assert pinned
    assert f"ARG UV_VERSION={pinned[1]}\n" in dockerfile


# Its processes by hand ------------------------------------------------------------------------


def first_start(secrets: Path) -> dict[str, str]:
    script = DOCUMENTED / "first-start.sh"
    subprocess.run(["sh", str(script), str(secrets)], check=True)
    return {file.name: file.read_text() for file in secrets.iterdir()}


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    made = first_start(tmp_path)
    assert {name: len(made[name]) for name in SECRETS} == SECRETS
    assert made["secret"] != made["postgres-password"]
    assert made["pgpass"] == f"*:*:gloed:gloed:{made['postgres-password']}\n"
    assert set(made) == {*SECRETS, "pgpass"}
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert first_start(tmp_path) == made


@dataclass(frozen=True, slots=True)
class Stack:
    """All of compose.yaml's processes, running."""

    port: int
    authority: Path
    sign_in: str
    site: Site
    database_url: str
    caddy_log: Path

    def client(self, source: str = "127.0.0.1") -> httpx.Client:
        trust = ssl.create_default_context(cafile=str(self.authority))
        transport = httpx.HTTPTransport(verify=trust, local_address=source)
        return httpx.Client(transport=transport, base_url=f"https://{DOMAIN}:{self.port}")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    needs("caddy", "postgresql")
    with TemporaryDirectory(prefix="gloed-compose-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        secrets = home / "secrets"
        secrets.mkdir()
        password = first_start(secrets)["postgres-password"]
        with postgres(home, password) as postgres_port:
            place = f"127.0.0.1:{postgres_port}"
            store_url = f"postgresql://gloed:{password}@{place}/gloed"
            asyncio.run(refuses_strangers(place))
            with gloed(home, secrets, place) as (gloed_port, said):
                site = asyncio.run(new_shop(store_url))
                with caddy(home, gloed_port) as (port, authority, log):
                    yield Stack(port, authority, said, site, store_url, log)


@contextmanager
def postgres(home: Path, password: str) -> Iterator[int]:
    """As the image makes it: user and database gloed, a password for whoever comes by TCP."""
    data, port = home / "postgres", free_port()
    data.mkdir()
    handed = data / "password"
    handed.write_text(password)
    found = programs("postgresql")
    assert found
    lent: list[str] = []
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        for path in (data, handed):
            os.chown(path, account.pw_uid, account.pw_gid)
        lent = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    cluster = ["--username=gloed", "--auth-host=scram-sha-256", "--auth-local=trust", "--no-sync"]
    made = [*lent, str(found["initdb"]), *cluster, f"--pwfile={handed}", "-D", str(data / "18")]
    subprocess.run(made, check=True, capture_output=True, cwd="/")
    listen = ["-h", "127.0.0.1", "-p", str(port), "-k", str(data), "-F"]
    command = [*lent, str(found["postgres"]), "-D", str(data / "18"), *listen]
    log = home / "postgres.log"
    url = f"postgresql://gloed:{password}@127.0.0.1:{port}/postgres"
    with running(command, env=private_environment(home), log=log) as process:
        wait_for(process, log, lambda: asyncio.run(make_database(url)))
        yield port


async def make_database(url: str) -> bool | None:
    try:
        connection = await asyncpg.connect(url)
    except (OSError, asyncpg.CannotConnectNowError):
        return None
    await connection.execute("CREATE DATABASE gloed")
    await connection.close()
    return True


async def refuses_strangers(place: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://gloed:guess@{place}/gloed")


async def new_shop(url: str) -> Site:
    store = Store(url)
    await store.open()
    try:
        return await make_shop(store, NOON)
    finally:
        await store.close()


def composed(service: str, secrets: Path, place: str) -> dict[str, str]:
    """The service's environment; only the addresses and folders of containers are replaced."""
    told = SERVICES[service]["environment"].copy()
    if "GLOED_TRUSTED_PROXIES" in told:
        told["GLOED_TRUSTED_PROXIES"] = "127.0.0.1/32"
    return {
        name: re.sub(r"\$\{GLOED_DOMAIN[^}]*\}", DOMAIN, value)
        .replace("@postgres/", f"@{place}/")
        .replace("/secrets/", f"{secrets}/")
        for name, value in told.items()
    }


@contextmanager
def gloed(home: Path, secrets: Path, place: str) -> Iterator[tuple[int, str]]:
    """The store is migrated, then Gloed serves; its port and the link that it printed."""
    own = Path(sys.executable).with_name("gloed")
    command = SERVICES["migrate"]["command"]
    environment = private_environment(home, **composed("migrate", secrets, place))
    migrated = subprocess.run(
        [str(own), *command[1:]], env=environment, cwd=home, capture_output=True, text=True
    )
    assert migrated.returncode == 0, migrated.stderr
    serve = re.search(r"(?m)^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text())
    assert serve
    arguments = ["127.0.0.1" if part == "0.0.0.0" else part for part in json.loads(serve[1])[1:]]
    environment = private_environment(home, **composed("gloed", secrets, place))
    port, log = free_port(), home / "gloed.log"
    command = [str(own), *arguments, "--port", str(port)]
    with running(command, env=environment, log=log) as process:
        wait_for(process, log, lambda: _healthy(port))
        link = re.search(r"Sign in once.*?(https?://\S+)", log.read_text())
        assert link, last_words(log)
        yield port, link[1]


def _healthy(port: int) -> bool | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success or None
    except httpx.TransportError:
        return None


@contextmanager
def caddy(home: Path, gloed_port: int) -> Iterator[tuple[int, Path, Path]]:
    """Caddy on other ports than 80 and 443, and in a home of its own; nothing else is changed."""
    port = free_port()
    shutil.copy(DOCUMENTED / "Caddyfile", home / "gloed.caddy")
    options = f"admin off\nskip_install_trust\nhttp_port {free_port()}\nhttps_port {port}\n"
    text = (DOCUMENTED / "Caddyfile.compose").read_text()
    changed = re.sub(r"(?m)^\{\n", "{\n" + options, text, count=1)
    assert changed != text
    # A busy machine must not look like a Gloed that is away.
    patient = (home / "gloed.caddy").read_text().replace("300ms", "60s")
    (home / "gloed.caddy").write_text(patient)
    (home / "Caddyfile").write_text(changed)
    environment = private_environment(
        home, GLOED_DOMAIN=DOMAIN, GLOED_UPSTREAM=f"127.0.0.1:{gloed_port}"
    )
    found, log = programs("caddy"), home / "caddy.log"
    assert found
    command = [str(found["caddy"]), "run", "--adapter", "caddyfile"]
    authority = home / ".local/share/caddy/pki/authorities/local/root.crt"
    with running([*command, "--config", str(home / "Caddyfile")], env=environment, log=log) as it:
        wait_for(it, log, lambda: _certified(port, authority))
        yield port, authority, log


def _certified(port: int, authority: Path) -> bool | None:
    if not authority.exists():
        return None
    try:
        trust = ssl.create_default_context(cafile=str(authority))
        return httpx.get(f"https://{DOMAIN}:{port}/healthz", verify=trust).is_success or None
    except (httpx.TransportError, ssl.SSLError):
        return None


def test_the_first_start_prints_a_link_that_signs_in_under_the_domain(stack: Stack) -> None:
    own = f"https://{DOMAIN}/"
    assert stack.sign_in.startswith(own)
    with stack.client() as client:
        answer = client.get("/" + stack.sign_in.removeprefix(own))
        assert answer.status_code < 400, answer.text


def test_the_domain_is_served_over_tls_and_http_2(stack: Stack) -> None:
    needs("curl")
    command = ["curl", "--silent", "--show-error", "--http2", "--cacert", str(stack.authority)]
    written = ["--write-out", "\n%{http_version} %{http_code}"]
    url = f"https://{DOMAIN}:{stack.port}/healthz"
    done = subprocess.run([*command, *written, url], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ['{"status":"ok"}', "2 200"]


def test_visitors_of_the_domain_stay_different_and_leave_no_address_in_a_log(stack: Stack) -> None:
    for source in ("127.0.0.2", "127.0.0.3", "127.0.0.2"):
        with stack.client(source) as client:
            path = f"/g/{stack.site.public_key}/shipping"
            assert client.get(path, headers={"user-agent": DESKTOP}).status_code == 302
    first, second, again = asyncio.run(visitors(stack.database_url))
    assert first == again
    assert first != second
    assert "127.0.0.2" not in stack.caddy_log.read_text()


async def visitors(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT visitor FROM beacon WHERE name = 'open' ORDER BY at")
        return [row["visitor"] for row in rows]
    finally:
        await connection.close()
