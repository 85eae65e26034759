"""`gloed check css`: whether a stylesheet keeps what ours promise, for whoever doubts one."""

from __future__ import annotations

from pathlib import Path

import httpx

from app.checking.checks import PAGE_TIMEOUT_S, Finding
from snippets.audit import faults, requests
from snippets.errors import SheetError

MAX_SHEET_BYTES = 1 << 20
"""Ours are a tenth of it, pointer cells included."""

MOST_TOLD = 10

AS_A_BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
}
"""Robots are sent an empty sheet; so this opens a view, which stays without a signal."""


def check_sheet(source: str | None) -> list[Finding]:
    """What a sheet, in a file or at an address, may see and ask for, or which promise it breaks."""
    if source is None:
        raise SheetError("give a file or an address: gloed check css FILE|URL")
    css = _read(source)
    broken = faults(css)
    if broken:
        rest = len(broken) - MOST_TOLD
        more = [Finding(False, f"and {rest} more")] if rest > 0 else []
        return [*(Finding(False, fault) for fault in broken[:MOST_TOLD]), *more]
    if not css:
        return [Finding(True, "the sheet is empty: it asks for nothing")]
    asked = len(requests(css))
    return [
        Finding(True, f"it can ask for {asked} beacons of its own view, and for nothing else"),
        Finding(True, "it sets no property on an element of the shop, and holds no script"),
        Finding(True, "it reads no value, pattern or placeholder, and nothing of a password field"),
    ]


def _read(source: str) -> str:
    if not source.startswith(("http://", "https://")):
        return _text(Path(source).read_bytes(), source)
    try:
        answer = httpx.get(
            source, follow_redirects=True, timeout=PAGE_TIMEOUT_S, headers=AS_A_BROWSER
        )
    except httpx.HTTPError as problem:
        raise SheetError(f"{source} cannot be fetched: {problem}") from problem
    if answer.status_code != httpx.codes.OK:
        raise SheetError(f"{source} answers {answer.status_code}")
    return _text(answer.content, source)


def _text(css: bytes, source: str) -> str:
    if len(css) > MAX_SHEET_BYTES:
        raise SheetError(
            f"{source} has more than {MAX_SHEET_BYTES} bytes: that is no sheet of ours"
        )
    return css.decode("utf-8", errors="replace")
