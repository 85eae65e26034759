"""Run a command on the system's own PostgreSQL, given to it by URL.

With `python -m tests.on_postgres pytest` the suite runs on `GLOED_TEST_DATABASE_URL` instead of
the embedded server, as it would on any Postgres 15 or newer of yours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from app.postgres import embedded_store
from tests import provide


def main() -> int:
    programs = provide.programs("postgresql")
    if programs is None:
        print(f"no PostgreSQL of the system: {provide.remedy('postgresql')}", file=sys.stderr)
        return 1
    folder = next(iter(programs.values())).parent
    with tempfile.TemporaryDirectory(prefix="gloed-system-postgres-") as home:
        Path(home).chmod(0o755)
        with embedded_store(Path(home), explicit=True, say=print, binaries=folder) as url:
            print(f"PostgreSQL of {folder} at {url}", flush=True)
            told = {**os.environ, "GLOED_TEST_DATABASE_URL": url}
            return subprocess.run(sys.argv[1:], env=told, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
