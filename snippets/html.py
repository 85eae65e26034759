"""What a shop pastes before </body>: a link to the sheet and our own empty elements, no script."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import wire
from collector.sites import Page
from snippets.errors import SnippetError, shown
from snippets.sheet import DEPTH_MARKS_PX

BASE = re.compile(
    r"""(?P<origin>https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?)?
        (?P<path>(/[A-Za-z0-9._~-]+)*)""",
    re.VERBOSE | re.ASCII,
)
INTEGRITY = re.compile(r"sha(256|384|512)-[A-Za-z0-9+/]{43,86}={0,2}")
MAX_SPARE = 50

_TEMPLATES = Environment(
    loader=PackageLoader("snippets"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def snippet_html(
    *,
    site_key: str,
    page: Page,
    base: str = "/g",
    ref: str | None = None,
    spare: int = 3,
    integrity: str | None = None,
) -> str:
    """The HTML for one page.

    base       where the collector answers: a path of the shop's own host, or scheme, host and path
    ref        the shop's own reference of this checkout
    spare      slots beyond the highest zone number, so that zones can be added without pasting anew
    integrity  freezes the zones: the browser refuses any other sheet
    Raises SnippetError for a value that cannot stand in the URL or the page.
    """
    origin = _origin(base)
    _check("site key", site_key, wire.SITE_KEY, "use the key that the site was given, gs_…")
    _check("page slug", page.slug, wire.SLUG, "use a-z, 0-9 and -, at most 64")
    if ref is not None:
        _check("reference", ref, wire.REF, "use 4 to 128 of A-Z a-z 0-9 . _ ~ -")
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
        slots=min(max((zone.number for zone in page.zones), default=0) + spare, wire.MAX_ZONE),
        levels=wire.PRESSES,
        bands=wire.BANDS,
        depths=len(DEPTH_MARKS_PX),
        cell_rows=wire.CELL_ROWS if page.cells else 0,
        cell_columns=wire.CELL_COLUMNS,
        held="/".join((base, "hold", site_key, page.slug)),
    )


def wrap_csp(base: str) -> str:
    """What a shop's Content-Security-Policy must allow, as one line to merge into it."""
    source = f"{base}/" if _origin(base) else "'self'"
    return f"style-src {source}; img-src {source}"


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
