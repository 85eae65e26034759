"""`make test-faults`: the whole of it. Prints what it found, and as its last line one of JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

from tests.faults.kills import Account, killed
from tests.faults.overload import Overload, overloaded

WORKER_KILLS = 50
POSTGRES_KILLS = 20
MOST_MB = 256
RECOVERS_WITHIN_S = 5.0
NAMES = ("lost", "twice", "refused_but_stored", "differing", "acknowledged", "spooled")


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    asked.add_argument("--workers", type=int, default=WORKER_KILLS, help="worker kills")
    asked.add_argument("--postgres", type=int, default=POSTGRES_KILLS, help="kills of Postgres")
    asked.add_argument("--seed", default=os.urandom(4).hex(), help="repeats an earlier order")
    given = asked.parse_args()
    print(f"order of kills: --seed {given.seed}", flush=True)
    account = killed(given.workers, given.postgres, seed=given.seed)
    _show("kill -9 of workers and of Postgres, under load", asdict(account))
    overload = overloaded()
    _show("ten times too much, Postgres silent, the spool full", asdict(overload))
    print(json.dumps(_figures(account, overload)))
    good = account.exact and overload.peak_mb < MOST_MB
    return 0 if good and overload.recovery_s < RECOVERS_WITHIN_S else 1


def _show(title: str, found: dict[str, float]) -> None:
    print(f"\n{title}")
    for name, value in found.items():
        told = f"{value:.1f}" if isinstance(value, float) else str(value)
        print(f"  {name:20} {told:>10}")
    sys.stdout.flush()


def _figures(account: Account, overload: Overload) -> dict[str, float]:
    counted = asdict(account)
    return {
        "kills": account.kills,
        **{name: counted[name] for name in NAMES},
        "peak_mb": round(overload.peak_mb, 1),
        "recovery_s": round(overload.recovery_s, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
