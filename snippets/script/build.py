"""The optional script as it is served: made from its source, the same bytes wherever it is made.

The minifier is a library written in Go. It runs in a process of its own that ends with the work,
so that no second runtime, with its threads and signal handlers, stays in the collector's.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from snippets.errors import ScriptError

MARK_CHARACTERS = 16
"""Of the hash in the script's URL: 96 bits, so that no two versions ever share one."""

MINIFIES_WITHIN_S = 60.0
"""It takes a tenth of a second; a minute is given to a machine that is busy starting."""

LIMIT_BYTES = 1024
"""Of what is served, gzipped."""


@dataclass(frozen=True, slots=True)
class Script:
    js: bytes
    gzip: bytes
    mark: str
    """Hash of the bytes, as it stands in their URL."""
    integrity: str
    """The value of an `integrity` attribute for these bytes."""


@cache
def script() -> Script:
    """What is served, made at the first call. Blocks for as long as a process takes to start.

    Raises ScriptError if it cannot be made.
    """
    js = _minified(source().encode())
    digest = hashlib.sha384(js).digest()
    return Script(
        js=js,
        gzip=gzip.compress(js, compresslevel=9, mtime=0),
        mark=base64.urlsafe_b64encode(digest).decode()[:MARK_CHARACTERS],
        integrity=f"sha384-{base64.b64encode(digest).decode()}",
    )


def source() -> str:
    """The script as people read it."""
    return files("snippets.script").joinpath("script.js").read_text(encoding="utf-8")


def _minified(readable: bytes) -> bytes:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "snippets.script.minify"],
            input=readable,
            capture_output=True,
            timeout=MINIFIES_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise ScriptError(f"the script could not be minified: {cause}") from cause
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ScriptError(f"the script could not be minified: {said}; is the installation whole?")
    return done.stdout
