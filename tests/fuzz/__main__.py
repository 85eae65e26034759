"""`make fuzz`: every target for so many seconds each, driven by what its input reaches.

By atheris, where it is installed (Python 3.11), else by `guided.py`. The corpus is kept in
`.hypothesis/fuzz/`, and every run begins with it; what atheris finds is written there as it was
sent.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from tests.fuzz import guided

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".hypothesis" / "fuzz"
SECONDS = 120
MOST_MB = 2048
INSTRUMENTED = ["collector", "snippets", "app.sealing", "app.drawing", "app.mapping", "app.plain"]
SLOWEST_S = 5
"""An input that takes longer is a find too."""


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("targets", nargs="*", help="all of them where none is named")
    asked.add_argument("--seconds", type=int, default=SECONDS, help="of each")
    asked.add_argument("--only", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.only:
        _drive(given.only, given.seconds)
    known = list(importlib.import_module("tests.fuzz.targets").TARGETS)
    if strange := set(given.targets) - set(known):
        asked.error(f"no such target: {', '.join(sorted(strange))}; there are {', '.join(known)}")
    failed = [name for name in given.targets or known if not _is_clean(name, given.seconds)]
    print(f"found something in: {', '.join(failed)}" if failed else "nothing found")
    return 1 if failed else 0


def _is_clean(name: str, seconds: int) -> bool:
    """In a process of its own: libFuzzer ends the one that it runs in."""
    command = [sys.executable, "-m", "tests.fuzz", "--only", name, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = [line for line in done.stderr.splitlines() if "DONE" in line][-1:]
    print(f"{name:10} {'clean' if done.returncode == 0 else 'FOUND'}  {''.join(last)}", flush=True)
    if done.returncode:
        print(done.stdout[-3000:] + done.stderr[-3000:])
    return done.returncode == 0


def _drive(name: str, seconds: int) -> None:
    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    by = _by_atheris if importlib.util.find_spec("atheris") else _by_ourselves
    by(name, seconds, corpus)
    sys.exit(0)


def _sow(corpus: Path) -> None:
    for n, seed in enumerate(importlib.import_module("tests.fuzz.seeds").SEEDS):
        (corpus / f"seed-{n}").write_bytes(seed)


def _by_ourselves(name: str, seconds: int, corpus: Path) -> None:
    _sow(corpus)
    targets = importlib.import_module("tests.fuzz.targets")
    roots = [str(ROOT / part) for part in ("app", "collector", "snippets")]
    target, longest = targets.TARGETS[name], targets.LONGEST
    run = guided.drive(
        target, guided.kept_in(corpus), seconds=seconds, roots=roots, longest=longest
    )
    guided.keep(run.corpus, corpus)
    told = f"{run.tried} tried, {len(run.edges)} edges, {len(run.corpus)} kept, without atheris"
    print(f"DONE {told}", file=sys.stderr)


def _by_atheris(name: str, seconds: int, corpus: Path) -> None:
    atheris = importlib.import_module("atheris")
    # Before anything else imports them: what is imported already is never instrumented.
    with atheris.instrument_imports(include=INSTRUMENTED):
        targets = importlib.import_module("tests.fuzz.targets")
    _sow(corpus)
    limits = (f"-max_total_time={seconds}", f"-max_len={targets.LONGEST}", f"-timeout={SLOWEST_S}")
    kept = (f"-rss_limit_mb={MOST_MB}", f"-artifact_prefix={KEPT}/{name}-", str(corpus))
    atheris.Setup([sys.argv[0], *limits, *kept], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
