"""The checker that lies beside the reference values, run as anybody would run it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference.tables import FOLDER
from tests.shared import MUST_RUN, needs_shared, shared_file

ADAPTER = "tests.reference.adapter"
PROJECT = str(Path(__file__).resolve().parents[2])

NAMES = (
    *("kde", "edge_mass", "kde_linbin", "log_rr", "tolerance_p", "scott", "silverman", "isj"),
    *("neff", "global_ise", "visit_test", "stalls"),
)
"""All that the checker asks for but `lscv`: its dozens of double sums take longer than the rest
together, and test_expected.py makes a few of them."""

pytestmark = [
    needs_shared,
    pytest.mark.skipif(
        importlib.util.find_spec("pandas") is None and not MUST_RUN,
        reason="the checker reads its tables with pandas, which comes with the extra `bench`",
    ),
]


def test_the_checker_finds_the_exact_path_exact(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    command = [sys.executable, str(shared_file(FOLDER, "check_reference.py")), "--path", PROJECT]
    command += [part for name in NAMES for part in (f"--{name}", f"{ADAPTER}:{name}")]
    command += ["--fail-above", "1e-9", "--json", str(told)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert {function for _, function, _, _ in json.loads(told.read_text())["rows"]} == set(NAMES)
