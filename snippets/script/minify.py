"""JavaScript on standard input → the same program, minified, on standard output.

`python -m snippets.script.minify`: kept apart from `build.py` because loading the minifier starts
the Go runtime.
"""

from __future__ import annotations

import sys

from minify import string


def main() -> None:
    readable = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(string("application/javascript", readable).encode())


if __name__ == "__main__":
    main()
