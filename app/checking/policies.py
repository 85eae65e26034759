"""What a page's Content-Security-Policy lets a browser load, as far as the snippet needs it. Pure.

By CSP level 3, section 6.7: a policy is a list of directives, each a list of sources; of several
policies every one must agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

NEEDS = {
    "style-src": ("style-src-elem", "style-src", "default-src"),
    "img-src": ("img-src", "default-src"),
}
"""What the snippet loads, and which directives decide, the first that is there."""

PORTS = {"http": 80, "https": 443}


def blocked(policies: Iterable[str], page: str, asset: str) -> list[str]:
    """Those of NEEDS that some policy does not let a page at `page` load from `asset`."""
    own, asked = urlsplit(page), urlsplit(asset)
    rules = [_rules(policy) for policy in policies]
    return [
        need
        for need, deciding in NEEDS.items()
        if not all(_lets(rule, deciding, own, asked) for rule in rules)
    ]


def _rules(policy: str) -> dict[str, list[str]]:
    """Directives by name; of one that is given twice the first counts."""
    rules: dict[str, list[str]] = {}
    for part in policy.split(";"):
        if words := part.split():
            rules.setdefault(words[0].lower(), words[1:])
    return rules


def _lets(
    rules: dict[str, list[str]], deciding: Iterable[str], own: SplitResult, asked: SplitResult
) -> bool:
    for name in deciding:
        if name in rules:
            return any(_matches(source, own, asked) for source in rules[name])
    return True


def _matches(source: str, own: SplitResult, asked: SplitResult) -> bool:
    if source == "*":
        return asked.scheme in PORTS or asked.scheme == own.scheme
    if source.lower() == "'self'":
        same_place = own.hostname == asked.hostname and _ports_match(_port(own), asked)
        return same_place and _scheme_matches(own.scheme, asked.scheme)
    if source.startswith("'"):  # nonces and hashes: the snippet bears none
        return False
    if source.endswith(":"):
        return _scheme_matches(source[:-1].lower(), asked.scheme)
    return _host_matches(source, own, asked)


def _host_matches(source: str, own: SplitResult, asked: SplitResult) -> bool:
    scheme, mark, rest = source.rpartition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.partition(":")
    if not _scheme_matches(scheme.lower() if mark else own.scheme, asked.scheme):
        return False
    name, wanted = (asked.hostname or "").lower(), host.lower()
    if wanted != "*" and name != wanted and not (wanted[:2] == "*." and name.endswith(wanted[1:])):
        return False
    if port != "*" and not _ports_match(int(port) if port.isdigit() else None, asked):
        return False
    path = f"/{path}" if path else ""
    return path in ("", "/", asked.path) or (path.endswith("/") and asked.path.startswith(path))


def _scheme_matches(allowed: str, asked: str) -> bool:
    """What is allowed over http may come over https."""
    return allowed == asked or (allowed, asked) == ("http", "https")


def _port(url: SplitResult) -> int | None:
    return url.port or PORTS.get(url.scheme)


def _ports_match(allowed: int | None, asked: SplitResult) -> bool:
    port = _port(asked)
    if allowed is None:
        return port == PORTS.get(asked.scheme)
    return port == allowed or (allowed, port, asked.scheme) == (80, 443, "https")
