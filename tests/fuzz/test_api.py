"""schemathesis over the OpenAPI document: what it allows and what it forbids, also in a row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.access.keys import add_key
from tests.build import Walker, make_shop
from tests.serving import Running

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
"""Left out: whether bad data is taken, as a beacon's GIF is given to anything."""

WITHIN_S = 280
"""Several times what it takes; the rest is for a busy machine."""

SHORT = ("5", "fuzzing,stateful")
LONG = ("25", "examples,coverage,fuzzing,stateful")
"""Examples of each operation, and in which ways they are found: `GLOED_TEST_FUZZ=long` takes a
minute or two more."""

CONFIGURATION = """
[parameters]
"path.site" = "{site}"
"path.page" = "shipping"
"""


@pytest.mark.timeout(WITHIN_S + 30)
def test_no_answer_is_our_fault_or_another_than_described(gloed: Running, tmp_path: Path) -> None:
    site = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    walker = Walker(gloed.url)
    walker.tell(walker.open(site, "shipping"), "w1280", "g720", "2.h5", "3.p1")
    key = gloed.do(add_key(gloed.store, site.site_id, "write", "fuzz", gloed.clock()))
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.format(site=site.public_key))
    examples, phases = LONG if os.environ.get("GLOED_TEST_FUZZ") == "long" else SHORT
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from schemathesis.cli import schemathesis; schemathesis()",
            f"--config-file={configuration}",
            "run",
            f"{gloed.url}/api/v1/openapi.json",
            f"--header=Authorization: Bearer {key}",
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={examples}",
            f"--phases={phases}",
            "--generation-database=none",
            "--suppress-health-check=all",
            "--max-failures=5",
            "--seed=7",
        ],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
