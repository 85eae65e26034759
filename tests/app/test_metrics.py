"""`/metrics`: for the near alone, the same from every worker, labels from closed lists."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from app.checking.vitals import JOBS
from app.jobs import run_due
from app.metrics import FORWARDED, Gauge, text
from collector.tables import RAW
from collector.wire import Reason
from tests.build import Walker, make_shop
from tests.conftest import NOON
from tests.serving import Running, serving

LINE = re.compile(r'gloed_[a-z_]+(?:\{(?P<label>[a-z]+)="(?P<of>[a-z_]+)"\})? (?P<value>[0-9.e+]+)')
CLOSED = {"reason": set(Reason), "job": set(JOBS), "table": set(RAW)}
VOLATILE = ("disk_free_bytes", "store_bytes")
PATIENCE_S = 60.0


def read(gloed: Running, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(f"{gloed.url}/metrics", headers=sent, timeout=PATIENCE_S)


def values(told: str) -> dict[str, float]:
    samples = [line for line in told.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in samples}


def test_every_line_is_a_sample_with_labels_from_closed_lists(gloed: Running) -> None:
    walk(gloed)
    answer = read(gloed)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    seen: dict[str, set[str]] = {}
    for line in answer.text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP gloed_[a-z_]+ [^\n]+\.|TYPE gloed_[a-z_]+ gauge)", line)
            continue
        sample = LINE.fullmatch(line)
        assert sample, line
        if sample["label"]:
            seen.setdefault(sample["label"], set()).add(sample["of"])
    assert seen == CLOSED, "every value, those that are zero too, and no other"


def walk(gloed: Running) -> None:
    """Two good signals, and some that are dropped under names of the sender's choice."""
    site = gloed.do(make_shop(gloed.store, NOON))
    walker = Walker(gloed.url)
    token = walker.open(site, "shipping")
    walker.tell(token, "1.h")
    for name in ("nonsense", "evil%22%7D%201%0Agloed_evil%201", "kanarie"):
        assert walker.get(f"/g/{token}/{name}").headers["x-gloed-drop"] == "bad_name"
    assert walker.get(f"/g/{site.public_key}/nowhere").headers["x-gloed-drop"] == "unknown_page"


def test_no_name_of_a_senders_choice_is_told(gloed: Running) -> None:
    walk(gloed)
    told = read(gloed).text
    assert "kanarie" not in told
    assert "evil" not in told


def test_drops_that_the_store_holds_are_summed_over_shops_for_today(gloed: Running) -> None:
    today = NOON.date()
    rows = [
        (1, today, "bot", 5),
        (2, today, "bot", 2),
        (1, today, "twin", 1),
        (1, today - timedelta(days=1), "bot", 90),
        (1, today, "of_another_version", 7),
    ]
    insert = "INSERT INTO dropped (site_id, day, reason, n, capture) VALUES ($1, $2, $3, $4, 1)"
    for row in rows:
        gloed.do(gloed.store.execute(insert, *row))
    told = values(read(gloed).text)
    assert told['gloed_dropped_today{reason="bot"}'] == 7
    assert told['gloed_dropped_today{reason="twin"}'] == 1
    assert told['gloed_dropped_today{reason="prefetch"}'] == 0
    assert "of_another_version" not in read(gloed).text


def test_a_job_that_fails_or_is_late_is_told_by_name(gloed: Running) -> None:
    gloed.do(run_due(gloed.store, NOON))
    assert values(read(gloed).text)['gloed_job_failed{job="close"}'] == 0
    gloed.do(
        gloed.store.execute(
            "INSERT INTO job (name, site_id, period, state, dirty_since, error) "
            "VALUES ('seal', 9, '2026-11-01', 'failed', $1, 'kanarie')",
            NOON - timedelta(hours=1),
        )
    )
    answer = read(gloed).text
    told = values(answer)
    assert told['gloed_job_failed{job="seal"}'] == 1
    assert told['gloed_job_lag_seconds{job="seal"}'] == 3600
    assert told["gloed_partitions_ahead_days"] == 8
    assert "kanarie" not in answer


def test_every_worker_answers_the_same(gloed: Running) -> None:
    """Two houses on one store stand for two workers: neither counts anything by itself."""
    walk(gloed)
    with serving(gloed.database_url, gloed.clock) as other:
        told = [values(read(one).text) for one in (gloed, other)]
    for one in told:
        for name in VOLATILE:
            del one[f"gloed_{name}"]
        for table in RAW:  # what Postgres counts arrives a moment late
            del one[f'gloed_rows_today{{table="{table}"}}']
    assert told[0] == told[1]


@pytest.mark.parametrize("name", FORWARDED)
def test_through_a_proxy_there_is_no_such_page(gloed: Running, name: str) -> None:
    hidden = httpx.get(f"{gloed.url}/metrics", headers={name: "127.0.0.1"}, timeout=PATIENCE_S)
    absent = httpx.get(f"{gloed.url}/nothing", headers={name: "127.0.0.1"}, timeout=PATIENCE_S)
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text == absent.text.replace("/nothing", "/metrics")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8700", 200),
        ("10.87.0.3", 200),
        ("[::1]:8700", 200),
        ("gloed:8700", 200),
        ("evil.example", 404),
        ("127.0.0.1.evil.example:8700", 404),
    ],
)
def test_a_page_elsewhere_cannot_read_it_under_its_own_name(
    gloed: Running, host: str, status: int
) -> None:
    assert read(gloed, host=host).status_code == status


def test_who_is_not_among_the_readers_finds_no_such_page(database_url: str, gloed: Running) -> None:
    with serving(database_url, gloed.clock, metrics_from=("10.9.8.7",)) as running:
        assert read(running).status_code == 404


def test_a_gauge_is_written_as_the_format_says() -> None:
    gauge = Gauge("of", "Of what.", (({}, 1.5), ({"job": "seal"}, 2**40)))
    assert text([gauge]) == (
        "# HELP gloed_of Of what.\n# TYPE gloed_of gauge\n"
        'gloed_of 1.5\ngloed_of{job="seal"} 1099511627776\n'
    )
