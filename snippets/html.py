"""What a shop pastes before </body>: a link to the sheet and our own empty elements, no script.

Where a page allows it the optional script is added to these, or pasted alone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import wire
from collector.sites import Page
from snippets.errors import SnippetError, shown
from snippets.script.build import Script
from snippets.sheet import DEPTH_MARKS_PX, checked_zone

BASE = re.compile(
    r"""(?P<origin>https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?)?
        (?P<path>(/[A-Za-z0-9._~-]+)*)""",
    re.VERBOSE | re.ASCII,
)
INTEGRITY = re.compile(r"sha(256|384|512)-[A-Za-z0-9+/]{43,86}={0,2}")
MAX_SPARE = 50

NOBODY = "gl-0"
"""Selector of no element: stands where a number belongs to no zone that the script is told of."""

_TEMPLATES = Environment(
    loader=PackageLoader("snippets"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Scripted:
    """That a paste bears the optional script.

    frozen  with its integrity: the browser refuses any other, also the next version of Gloed's
    """

    script: Script
    frozen: bool = False


def snippet_html(
    *,
    site_key: str,
    page: Page,
    base: str = "/g",
    ref: str | None = None,
    spare: int = 3,
    zones: int = 0,
    integrity: str | None = None,
    scripted: Scripted | None = None,
) -> str:
    """The HTML for one page.

    base       where the collector answers: a path of the shop's own host, or scheme, host and path
    ref        the shop's own reference of this checkout
    spare      slots beyond the highest zone number, so that zones can be added without pasting anew
    zones      highest zone number of other pages that this fragment may be counted as
    integrity  freezes the zones: the browser refuses any other sheet
    scripted   adds the optional script; the zones that it knows are those of now
    Raises SnippetError for a value that cannot stand in the URL or the page.
    """
    origin = _origin(base)
    _check_names(site_key, page, ref)
    if integrity is not None:
        _check("integrity", integrity, INTEGRITY, "use the one that the stylesheet came with")
    if not 0 <= spare <= MAX_SPARE:
        raise SnippetError(f"spare slots must be 0..{MAX_SPARE}, got {spare}; zones can be renamed")
    return _TEMPLATES.get_template("snippet.html.jinja").render(
        href="/".join(part for part in (base, site_key, page.slug, ref) if part is not None),
        # The page's own address refines what it is counted as, but only on the shop's own host:
        # another one learns the origin, whatever the page's policy lets through.
        referrer_policy="strict-origin" if origin else "same-origin",
        integrity=integrity,
        cross_origin=bool(origin),
        slots=min(max((zone.number for zone in page.zones), default=zones) + spare, wire.MAX_ZONE),
        levels=wire.PRESSES,
        bands=wire.BANDS,
        depths=len(DEPTH_MARKS_PX),
        cell_rows=wire.CELL_ROWS if page.cells else 0,
        cell_columns=wire.CELL_COLUMNS,
        held="/".join((base, "hold", site_key, page.slug)),
        scripted=_scripted(site_key, page, base, ref, scripted) if scripted else None,
    )


def script_html(
    *, site_key: str, page: Page, scripted: Scripted, base: str = "/g", ref: str | None = None
) -> str:
    """The optional script alone, for a page without the stylesheet; as `snippet_html` otherwise."""
    _check_names(site_key, page, ref)
    shown_as = _scripted(site_key, page, base, ref, scripted)
    return _TEMPLATES.get_template("script.html.jinja").render(scripted=shown_as)


def wrap_csp(base: str, *, script: bool = False) -> str:
    """What a shop's Content-Security-Policy must allow, as one line to merge into it.

    script  with the optional script, which is no source of others: it may be loaded from below
            `/x/`, and may speak to the collector
    """
    origin = _origin(base)
    source = f"{base}/" if origin else "'self'"
    policy = f"style-src {source}; img-src {source}"
    if not script:
        return policy
    scripts = f"{base}/x/" if origin else "'self'"
    return f"{policy}; script-src {scripts}; connect-src {source}"


def _scripted(
    site_key: str, page: Page, base: str, ref: str | None, scripted: Scripted
) -> dict[str, Any]:
    """What the template shows of the script: its tag, and what the script is told."""
    origin, script = _origin(base), scripted.script
    told = {"v": wire.BATCH_VERSION, "p": page.slug} | ({"ref": ref} if ref is not None else {})
    return {
        "src": "/".join((base, "x", site_key, script.mark)),
        "integrity": script.integrity if scripted.frozen else None,
        "cross_origin": bool(origin),
        "referrer_policy": "strict-origin" if origin else "same-origin",
        "told": json.dumps(
            ["/".join((base, site_key)), _selectors(page), told], separators=(",", ":")
        ),
    }


def _selectors(page: Page) -> list[str]:
    """By number, from 0, which is none. The script is not told of sensitive zones at all."""
    listed = [NOBODY] * (max((zone.number for zone in page.zones), default=0) + 1)
    for zone in page.zones:
        if not zone.sensitive:
            checked = checked_zone(zone)
            listed[zone.number] = ",".join((checked.selector, *checked.also))
    return listed


def _check_names(site_key: str, page: Page, ref: str | None) -> None:
    _check("site key", site_key, wire.SITE_KEY, "use the key that the site was given, gs_…")
    _check("page slug", page.slug, wire.SLUG, "use a-z, 0-9 and -, at most 64")
    if ref is not None:
        _check("reference", ref, wire.REF, "use 4 to 128 of A-Z a-z 0-9 . _ ~ -")


def _origin(base: str) -> str | None:
    """Scheme and host of a base, None where it is a path on the shop's own host."""
    parts = BASE.fullmatch(base)
    if parts is None or not base:
        raise SnippetError(
            f"base {shown(base)} is not understood; write a path such as /g, or "
            f"https://stats.example.com/g, without a slash at its end"
        )
    return parts["origin"]


def _check(what: str, value: str, form: re.Pattern[str], remedy: str) -> None:
    if not form.fullmatch(value):
        raise SnippetError(f"{what} {shown(value)} is not allowed; {remedy}")
