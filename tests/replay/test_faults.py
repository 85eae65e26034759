"""What a replay does, and what its ledger proves, when lines are cut and stores are wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.replay import Recording, ReplayError, Summary, replay
from app.replay.account import Fate, read_account
from tests.conftest import NOON
from tests.replay.line import ill_line
from tests.replay.shop import BATCHES, PAGE, a_file, a_view, ask, judge, open_shop, send
from tests.serving import Running


@pytest.fixture
def site_key(gloed: Running) -> str:
    return open_shop(gloed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return a_file(tmp_path, [a_view("a"), a_view("b")])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


# The line -----------------------------------------------------------------------------------------


def test_refusals_and_lost_answers_are_sent_again_and_stored_once(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    with ill_line(gloed.url, ("refuse", "swallow", "pass")) as url:
        summary = send(gloed, path, site_key, ledger, url=url, clients=1)
    assert summary.acked == summary.batches == 2 * BATCHES
    assert summary.tries == 3 * summary.batches
    # What was swallowed had been stored, and its repeat was known as one.
    assert summary.repeated == summary.batches
    verdict = judge(gloed, site_key, ledger)
    assert verdict.exact
    assert verdict.stored == 2 * BATCHES


def test_what_is_refused_to_the_end_is_given_up_and_not_stored(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    with ill_line(gloed.url, ("refuse",)) as url:
        summary = send(gloed, path, site_key, ledger, url=url, tries=2)
    assert (summary.refused, summary.acked) == (2 * BATCHES, 0)
    verdict = judge(gloed, site_key, ledger)
    assert verdict.exact
    assert verdict.stored == 0


def test_without_any_answer_the_replay_ends_and_may_be_taken_up_again(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    with (
        ill_line(gloed.url, ("pass", "pass", "swallow", "swallow")) as url,
        pytest.raises(ReplayError, match=r"no answer from .* in 2 tries.* go on with the same"),
    ):
        send(gloed, path, site_key, ledger, url=url, tries=2, clients=1)
    verdict = judge(gloed, site_key, ledger)
    assert verdict.exact
    assert (verdict.acked, verdict.unanswered, verdict.stored) == (2, 1, 3)

    gloed.clock.set(NOON.replace(hour=18))
    summary = send(gloed, path, site_key, ledger)
    assert (summary.skipped, summary.repeated) == (2, 1)
    verdict = judge(gloed, site_key, ledger)
    assert verdict.exact
    assert verdict.acked == verdict.stored == 2 * BATCHES


def test_where_nothing_listens_the_error_says_so(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    with ill_line(gloed.url, ("pass",)) as url:
        pass
    with pytest.raises(ReplayError, match=f"no answer from {url}/g/{site_key} in 1 tries"):
        send(gloed, path, site_key, ledger, url=url, tries=1)


def test_a_wrong_address_is_said_at_once_with_the_answer(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    with pytest.raises(ReplayError, match=r"answered 404 .*check the address, its prefix"):
        send(gloed, path, site_key, ledger, prefix="/elsewhere")


# The store ----------------------------------------------------------------------------------------


@pytest.fixture
def told(gloed: Running, site_key: str, path: Path, ledger: Path) -> Summary:
    return send(gloed, path, site_key, ledger)


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("UPDATE batch SET trail = set_byte(trail, 0, get_byte(trail, 0) # 1) WHERE seq = 0", 2),
        ("UPDATE batch SET ev = set_byte(ev, 4, get_byte(ev, 4) # 1) WHERE seq = 1", 2),
        ("UPDATE batch SET page_height_px = 2401", 6),
        ("UPDATE batch SET opened_min = opened_min + 1", 6),
        ("UPDATE page SET slug = 'renamed'", 6),
    ],
)
def test_a_row_that_was_tampered_with_is_differing(
    gloed: Running, site_key: str, ledger: Path, told: Summary, statement: str, counts: int
) -> None:
    before = judge(gloed, site_key, ledger)
    assert before.exact
    ask(gloed, statement)
    verdict = judge(gloed, site_key, ledger)
    assert verdict == replace(before, differing=counts)
    assert not verdict.exact


def test_a_row_that_is_gone_is_lost(
    gloed: Running, site_key: str, ledger: Path, told: Summary
) -> None:
    before = judge(gloed, site_key, ledger)
    ask(gloed, "DELETE FROM batch WHERE seq = 2")
    verdict = judge(gloed, site_key, ledger)
    assert verdict == replace(before, lost=2, stored=4)
    assert not verdict.exact


def test_a_row_on_two_days_is_there_twice(
    gloed: Running, site_key: str, ledger: Path, told: Summary
) -> None:
    before = judge(gloed, site_key, ledger)
    ask(
        gloed,
        "CREATE TABLE late PARTITION OF batch FOR VALUES FROM ('2031-01-01') TO ('2031-01-02')",
    )
    columns = _columns_but(gloed, "day")
    late = f"SELECT '2031-01-01', {columns} FROM batch WHERE seq = 0"
    ask(gloed, f"INSERT INTO batch (day, {columns}) {late}")
    verdict = judge(gloed, site_key, ledger)
    assert verdict == replace(before, twice=2)
    assert not verdict.exact


def test_a_row_that_was_never_sent_is_noticed(
    gloed: Running, site_key: str, ledger: Path, told: Summary
) -> None:
    before = judge(gloed, site_key, ledger)
    columns = _columns_but(gloed, "seq")
    ask(gloed, f"INSERT INTO batch (seq, {columns}) SELECT 9, {columns} FROM batch WHERE seq = 0")
    verdict = judge(gloed, site_key, ledger)
    assert verdict == replace(before, never_sent=2, stored=8)
    assert not verdict.exact


def test_what_was_refused_but_is_stored_is_noticed(
    gloed: Running, site_key: str, path: Path, ledger: Path, tmp_path: Path
) -> None:
    with ill_line(gloed.url, ("refuse",)) as url:
        send(gloed, path, site_key, ledger, url=url, tries=1, seed="one")
    send(gloed, path, site_key, tmp_path / "other.jsonl", seed="one")
    verdict = judge(gloed, site_key, ledger)
    assert verdict.refused_but_stored == 2 * BATCHES
    assert not verdict.exact


def _columns_but(gloed: Running, left_out: str) -> str:
    rows = ask(
        gloed,
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns "
        "WHERE table_name = 'batch' AND column_name <> $1",
        left_out,
    )
    return str(rows[0][0])


def test_a_packing_of_another_version_is_not_guessed_at(
    gloed: Running, site_key: str, ledger: Path, told: Summary
) -> None:
    ask(gloed, "UPDATE batch SET enc = 9")
    with pytest.raises(ReplayError, match="batches of packing 9, this Gloed reads 1, 2"):
        judge(gloed, site_key, ledger)


# What the collector drops on purpose --------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"user_agent": "curl/8.5.0"}, "bot"), ({"page": "unheard-of"}, "unknown_page")],
)
def test_what_is_dropped_on_purpose_is_counted_by_reason_and_not_as_stored(
    gloed: Running, site_key: str, path: Path, ledger: Path, more: dict[str, str], reason: str
) -> None:
    summary = send(gloed, path, site_key, ledger, **more)
    assert summary.dropped == {reason: 2 * BATCHES}
    assert summary.acked == 0
    verdict = judge(gloed, site_key, ledger)
    assert verdict.exact
    assert (verdict.acked, verdict.stored) == (0, 0)


# The ledger ---------------------------------------------------------------------------------------


def test_a_line_that_a_crash_left_half_written_is_cut_off(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    send(gloed, path, site_key, ledger)
    whole = ledger.read_bytes()
    last_answer = whole.rstrip(b"\n").rfind(b"\n") + 1
    ledger.write_bytes(whole[: last_answer + 20])
    fates = [entry.fate for entry in read_account(ledger).entries.values()]
    assert sorted(fates) == [Fate.ACKED] * 5 + [Fate.UNANSWERED]
    assert judge(gloed, site_key, ledger).exact

    summary = send(gloed, path, site_key, ledger)
    assert (summary.skipped, summary.repeated) == (5, 1)
    assert judge(gloed, site_key, ledger).acked == 2 * BATCHES


def test_a_ledger_names_no_view_and_no_visit(
    gloed: Running, site_key: str, tmp_path: Path, ledger: Path
) -> None:
    # Names that no hexadecimal number can hold by chance.
    send(gloed, a_file(tmp_path, [a_view("grace", visit="hopper")]), site_key, ledger)
    assert b"grace" not in ledger.read_bytes()
    assert b"hopper" not in ledger.read_bytes()


def test_a_file_that_is_no_ledger_is_left_as_it_was(
    gloed: Running, site_key: str, path: Path
) -> None:
    before = path.read_bytes()
    with pytest.raises(ReplayError, match=r"is not a ledger of a replay .* name another file"):
        send(gloed, path, site_key, path)
    path.write_bytes(before[:-1])
    with pytest.raises(ReplayError, match="is not a ledger"):
        send(gloed, path, site_key, path)
    assert path.read_bytes() == before[:-1]


def test_a_ledger_goes_on_with_its_own_seed_page_and_recordings_only(
    gloed: Running, site_key: str, path: Path, ledger: Path, tmp_path: Path
) -> None:
    send(gloed, path, site_key, ledger, seed="one")
    with pytest.raises(ReplayError, match="has another seed, 'one'"):
        send(gloed, path, site_key, ledger, seed="two")
    with pytest.raises(ReplayError, match=f"is of page '{PAGE}'"):
        send(gloed, path, site_key, ledger, page="cart")
    other = Recording(view="a", viewport=(1, 1), page=(1, 1), events=a_view("a").events)
    with pytest.raises(ReplayError, match="belongs to other recordings"):
        send(gloed, a_file(tmp_path, [other]), site_key, ledger)
    with pytest.raises(ReplayError, match=r"is of site gs_.*, not of gs_other"):
        judge(gloed, "gs_other", ledger)


def test_a_store_that_does_not_know_the_site_is_not_judged(
    gloed: Running, site_key: str, ledger: Path, told: Summary
) -> None:
    ask(gloed, "UPDATE site SET public_key = 'gs_' || repeat('z', 16)")
    with pytest.raises(ReplayError, match=f"the store knows no site {site_key}"):
        judge(gloed, site_key, ledger)


def test_a_ledger_without_a_place_is_named(gloed: Running, site_key: str, path: Path) -> None:
    nowhere = path.parent / "nowhere" / "ledger.jsonl"
    with pytest.raises(ReplayError, match=r"ledger\.jsonl cannot be written: No such file"):
        send(gloed, path, site_key, nowhere)
    with pytest.raises(ReplayError, match=r"ledger\.jsonl cannot be read: No such file"):
        judge(gloed, site_key, nowhere)


# What is asked for --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"site_key": "gs_SHOP"}, "'gs_SHOP' is no site key"),
        ({"page": "Check out"}, "'Check out' is no page"),
        ({"speed": -1}, "speed must be 0 .* got -1"),
        ({"clients": 0}, "clients and tries must be 1 or more, got 0 and 10"),
        ({"tries": 0}, "clients and tries must be 1 or more, got 8 and 0"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    path: Path, ledger: Path, wrong: dict[str, object], said: str
) -> None:
    asked: dict[str, Any] = {"site_key": "gs_" + "a" * 16, "page": PAGE, **wrong}
    with pytest.raises(ReplayError, match=said):
        asyncio.run(replay(path, url="http://127.0.0.1:9", ledger_path=ledger, **asked))
    assert not ledger.exists()


def test_progress_is_told_after_every_batch_and_ends_with_the_summary(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    told: list[Summary] = []
    summary = send(gloed, path, site_key, ledger, progress=told.append)
    assert told[-1] == summary
    assert {one.batches for one in told} == set(range(1, 2 * BATCHES + 1))
    assert summary.views == 2


def test_at_its_recorded_pace_everything_arrives_too(
    gloed: Running, site_key: str, path: Path, ledger: Path
) -> None:
    summary = send(gloed, path, site_key, ledger, speed=100)
    assert summary.acked == 2 * BATCHES
    assert judge(gloed, site_key, ledger).exact
