"""A shop's own web server, started by hand around the very file that `docs/install` offers.

Only ports and folders are replaced. The shop itself is an upstream of its own, so that a test sees
what the file does to the paths that are not Gloed's.
"""

from __future__ import annotations

import getpass
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.absent import leave_out, need
from tests.browser.processes import last_words, private_environment, running, wait_for
from tests.provide import programs

DOCUMENTED = Path(__file__).resolve().parents[2] / "docs/install"
SHOP = "shop.example"
FRONTS = ("nginx", "caddy", "apache2")
APACHE_MODULES = Path("/usr/lib/apache2/modules")
GLOED_PORT = ":8700"
"""What stands in the documented files."""

BUDGET = re.compile(r"\b300ms|\b(?<=timeout=)1\b")
PATIENCE = "60s"
"""Takes the place of the budget where Gloed is well: a busy machine must not look like trouble."""

LOGGED_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of the shop and of a made-up authority, as files."""

    authority: Path
    chain: Path
    key: Path

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))


@dataclass(frozen=True, slots=True)
class Front:
    """A running web server of the shop."""

    port: int
    certificate: Certificate
    logs: tuple[Path, ...]

    def client(self, source: str = "127.0.0.1") -> httpx.Client:
        """A visitor at that address, who finds the shop under its name."""
        transport = httpx.HTTPTransport(verify=self.certificate.trust(), local_address=source)
        return httpx.Client(
            transport=transport,
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"host": f"{SHOP}:{self.port}"},
            event_hooks={"request": [_named]},
        )

    def curl(self, path: str, *options: str) -> str:
        """What curl prints; unlike httpx it speaks HTTP/2 here."""
        url = f"https://{SHOP}:{self.port}{path}"
        found = f"{SHOP}:{self.port}:127.0.0.1"
        command = ["curl", "--silent", "--show-error", "--resolve", found]
        command += ["--cacert", str(self.certificate.authority), *options, url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def logged(self, until: str) -> str:
        """All logs, once `until` stands in them: a line is written after its answer."""
        deadline = time.monotonic() + LOGGED_WITHIN_S
        text = ""
        while until not in text and time.monotonic() < deadline:
            text = "".join(log.read_text() for log in self.logs if log.exists())
            time.sleep(0.02)
        return text


def _named(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = SHOP


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is to run, and before what."""

    home: Path
    port: int
    gloed_port: int
    shop_port: int
    certificate: Certificate
    consent: bool
    patient: bool

    def documented(self, name: str) -> str:
        """The file as it would be pasted; with the lines about consent when these are asked for."""
        text = (DOCUMENTED / name).read_text()
        assert GLOED_PORT in text, f"{name} no longer names Gloed's port"
        assert BUDGET.search(text), f"{name} no longer has a budget"
        if self.patient:
            text = BUDGET.sub(PATIENCE, text)
        if self.consent:
            text, switched_on = re.subn(r"(?m)^(\s*)#(?=\S)", r"\1", text)
            assert switched_on, f"{name} offers no lines about consent"
        return text.replace(GLOED_PORT, f":{self.gloed_port}")

    def write(self, name: str, text: str) -> Path:
        path = self.home / name
        path.write_text(text)
        return path


def needs(*names: str) -> None:
    """Leave the test out where a program is missing; where everything must run, fail it."""
    for name in names:
        known = name in (*FRONTS, "postgresql")
        if known:
            need(name)
        elif shutil.which(name) is None:
            leave_out(f"there is no {name}")


@contextmanager
def fronted(
    name: str, gloed_port: int, shop_port: int, *, consent: bool = False, patient: bool = True
) -> Iterator[Front]:
    """The shop's web server with Gloed below /g/, until the block ends."""
    needs(name, "openssl")
    with TemporaryDirectory(prefix=f"gloed-{name}-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # workers that run as somebody else read from here
        certificate = certify(home)
        port = free_port()
        place = Place(home, port, gloed_port, shop_port, certificate, consent, patient)
        command = _SERVERS[name](place)
        log = home / "said.log"
        with running(command, env=private_environment(home), log=log) as process:
            wait_for(process, log, lambda: True if _listens(port) else None)
            try:
                yield Front(port, certificate, (log, home / "error.log", home / "access.log"))
            except BaseException:
                print(f"{name} said: {last_words(log)}")
                raise


def _nginx(place: Place) -> list[str]:
    place.write("gloed.conf", place.documented("nginx.conf"))
    scratch = "".join(
        f"{kind}_temp_path {place.home}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = place.write(
        "nginx.conf",
        f"""
        daemon off; worker_processes 1; user {getpass.getuser()}; pid {place.home}/pid;
        error_log {place.home}/error.log warn;
        events {{ worker_connections 256; }}
        http {{
            access_log {place.home}/access.log combined;
            {scratch}
            server {{
                listen 127.0.0.1:{place.port} ssl http2;
                server_name {SHOP};
                ssl_certificate {place.certificate.chain};
                ssl_certificate_key {place.certificate.key};
                include {place.home}/gloed.conf;
                location / {{ proxy_pass http://127.0.0.1:{place.shop_port}; }}
                location ~* \\.(css|js|gif)$ {{ return 404; }}
            }}
        }}
        """,
    )
    return [_program("nginx"), "-p", str(place.home), "-c", str(config), "-e", "stderr"]


def _caddy(place: Place) -> list[str]:
    documented = place.documented("Caddyfile")
    place.write("gloed.caddy", documented)
    config = place.write(
        "Caddyfile",
        f"""
        {{
            admin off
            auto_https off
            {_advised_options(documented)}
        }}
        https://{SHOP}:{place.port} {{
            bind 127.0.0.1
            tls {place.certificate.chain} {place.certificate.key}
            log {{
                output file {place.home}/access.log
            }}
            import gloed.caddy
            handle {{
                reverse_proxy 127.0.0.1:{place.shop_port}
            }}
        }}
        """,
    )
    return [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(config)]


def _advised_options(documented: str) -> str:
    """The global options that a comment of the file advises."""
    advised = re.findall(r"(?m)^# {5}(?=log|    |})(.*)$", documented)
    assert advised[:1] == ["log {"], "the Caddyfile no longer advises on Caddy's own log"
    return "\n".join(advised)


def _apache(place: Place) -> list[str]:
    shutil.copytree(DOCUMENTED / "gloed-away", place.home / "gloed-away")
    documented = place.documented("apache.conf")
    place.write("gloed.conf", documented.replace("/etc/apache2/", f"{place.home}/"))
    own = re.search(r"#\s+CustomLog \S+ combined (.*)", documented)
    assert own, "apache.conf no longer says how to keep addresses out of the access log"
    advised = re.search(r"a2enmod (.*)", documented)
    assert advised, "apache.conf no longer names the modules it needs"
    # What every Debian installation has enabled, what a2enmod adds by itself, what is advised.
    enabled = ("mpm_event", "authz_core", "ssl", "slotmem_shm", *advised[1].split())
    modules = "\n".join(f"LoadModule {m}_module {APACHE_MODULES}/mod_{m}.so" for m in enabled)
    config = place.write(
        "apache2.conf",
        f"""
        ServerRoot {place.home}
        ServerName {SHOP}
        Listen 127.0.0.1:{place.port}
        PidFile {place.home}/pid
        User www-data
        Group www-data
        {modules}
        ErrorLog {place.home}/error.log
        LogLevel warn
        LogFormat "%h \\"%r\\"" combined
        <Directory />
            Require all denied
        </Directory>
        <VirtualHost 127.0.0.1:{place.port}>
            ServerName {SHOP}
            SSLEngine on
            SSLCertificateFile {place.certificate.chain}
            SSLCertificateKeyFile {place.certificate.key}
            CustomLog {place.home}/access.log combined {own[1]}
            ProxyPass / http://127.0.0.1:{place.shop_port}/
            Protocols h2 http/1.1
            Include gloed.conf
        </VirtualHost>
        """,
    )
    return [_program("apache2"), "-d", str(place.home), "-f", str(config), "-D", "FOREGROUND"]


_SERVERS: dict[str, Callable[[Place], list[str]]] = {
    "nginx": _nginx,
    "caddy": _caddy,
    "apache2": _apache,
}


def _program(name: str) -> str:
    found = programs(name)
    assert found is not None
    return str(found[name])


def certify(home: Path) -> Certificate:
    """A certificate of the shop, signed by an authority that only the test trusts."""
    made = Certificate(home / "authority.pem", home / "shop.pem", home / "shop.key")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2"]
    authority = ["-keyout", str(home / "authority.key"), "-out", str(made.authority)]
    _quietly([*new, "-subj", "/CN=Test authority", *authority])
    signed = ["-CA", str(made.authority), "-CAkey", str(home / "authority.key")]
    plain = [
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        f"subjectAltName=DNS:{SHOP}",
    ]
    files = ["-keyout", str(made.key), "-out", str(made.chain)]
    _quietly([*new, "-subj", f"/CN={SHOP}", *signed, *plain, *files])
    return made


def _quietly(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def free_port() -> int:
    """A port that was free a moment ago; servers that cannot choose their own are told it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
