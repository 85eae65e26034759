"""The two documents for writers of clients and converters say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.replay import batches, read_recordings
from app.replay.account import read_account
from collector import wire
from collector.decode import RESULTS, BatchBody, decode_batch, decode_goal
from collector.wire import BEACON_NAME, Kind, Reason

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIRE = (DOCS / "wire.md").read_text()
RECORDINGS = (DOCS / "recordings.md").read_text()

NEVER_ANSWERED = {Reason.TWIN, Reason.COPIED, Reason.UNTRUSTED_PROXY, Reason.OUTSIDE_PAGE}
"""Found later, counted beside the answer, or left to other forms of capture."""


def examples(text: str) -> list[str]:
    return re.findall(r"```json\n(.*?)```", text, re.DOTALL)


def test_the_example_of_a_batch_is_taken() -> None:
    batch = decode_batch(examples(WIRE)[0].encode())
    assert (batch.slug, batch.seq, batch.n) == ("checkout", 0, 3)


def test_every_field_of_a_batch_is_described_and_no_other() -> None:
    section = WIRE.partition("## The batch")[2].partition("## The goal")[0]
    described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(described) == sorted(BatchBody.__struct_fields__)


def test_the_example_of_a_goal_is_taken_and_every_result_named() -> None:
    assert decode_goal(examples(WIRE)[1].encode()) == ("checkout-7Qm2", RESULTS["completed"], False)
    assert all(f"`{result}`" in WIRE for result in RESULTS)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.STALL])
def test_every_kind_has_its_number_there(kind: Kind) -> None:
    assert re.search(rf"\| {int(kind)} \| {kind.name.lower()}\b", WIRE)


@pytest.mark.parametrize("reason", sorted(set(Reason) - NEVER_ANSWERED))
def test_every_reason_of_an_answer_is_explained(reason: Reason) -> None:
    table = WIRE.partition("| `X-Gloed-Drop` | because |")[2].partition("## Routes")[0]
    assert re.search(rf"`{reason}`.*\|", table)


def test_every_example_of_a_beacon_is_in_the_grammar() -> None:
    section = WIRE.partition("## Names of beacons")[2].partition("A view's beacon")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(named) > 20
    for name in named:
        assert BEACON_NAME.match(name.replace("Z", "7").replace("N", "5")), name


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (wire.MAX_BODY_BYTES, WIRE),
        (wire.MAX_POINTS, WIRE),
        (wire.MAX_EVENTS, WIRE),
        (wire.MAX_SEQ, WIRE.replace("32767", "32,767")),
        (wire.MAX_PATH_BYTES, WIRE),
        (wire.MAX_X_PX, WIRE + RECORDINGS),
        (wire.MAX_Y_PX, WIRE + RECORDINGS),
        (wire.BAND_PX, WIRE),
        (wire.MAX_ZONE, WIRE),
        (batches.BATCH_POINTS, RECORDINGS),
        (wire.MAX_EVENTS, RECORDINGS),
    ],
)
def test_the_limits_are_those_of_the_code(limit: int, text: str) -> None:
    assert f"{limit:,}" in text


def test_the_steps_are_those_of_the_code() -> None:
    for steps in (wire.DWELL_STEPS_S, wire.ALIVE_STEPS_S):
        assert " ".join(map(str, steps)) in WIRE


def test_the_example_of_a_recording_is_read(tmp_path: Path) -> None:
    path = tmp_path / "views.jsonl"
    path.write_text(examples(RECORDINGS)[0])
    (recording,) = read_recordings(path)
    assert [event.kind for event in recording.events] == ["move", "move", "scroll", "click"]


def test_the_example_of_a_ledger_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(examples(RECORDINGS)[1])
    account = read_account(path)
    assert account.header.page == "checkout"
    assert list(account.entries) == [("5feceb66ffc86f38", 0)]
    assert all(json.loads(line) for line in path.read_text().splitlines())
