"""What `gloed check` looks at: the store, what was dropped and why, and a page with the snippet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import httpx

from app.checking.pasted import read_pasted
from app.checking.policies import blocked
from app.config import Settings
from app.folding.hearing import Signal
from app.store import Store
from collector.codes import Browser, Device, System
from collector.sites import Site, read_sites
from collector.wire import Capture, Reason

LOOKED_BACK = timedelta(days=1)
JOB_LAG = timedelta(minutes=15)
"""The closing job runs by the minute; a quarter of an hour without it is a fault."""

PAGE_TIMEOUT_S = 10.0

MEANING = {
    Reason.OPT_OUT: "visitors asked not to be counted (GPC or DNT)",
    Reason.NO_CONSENT: "the consent cookie was absent or said no",
    Reason.BOT: "robots",
    Reason.PREFETCH: "pages fetched ahead and not seen, `gloed check` of a page among them",
    Reason.UNKNOWN_PAGE: "the snippet names a page that `gloed snippet` never made",
    Reason.BAD_TOKEN: "addresses that nobody was given",
    Reason.BAD_NAME: "names outside the grammar: an old sheet, or somebody playing",
    Reason.BAD_REF: "a reference of 4 to 128 of A-Z a-z 0-9 . _ ~ - was expected",
    Reason.EXPIRED: "pages left open for more than a day",
    Reason.CLOCK: "browsers whose clock is days off",
    Reason.UNKNOWN_SITE: "no such site key",
    Reason.REPEAT: "sent again, and kept once",
    Reason.OUTSIDE_PAGE: "places outside the page",
    Reason.TWIN: "opened twice by one page load",
    Reason.COPIED: "tokens that several visitors used",
    Reason.OFF: "the shop is switched off (mode off)",
    Reason.STAFF: "the shop's own people: exclude_networks, and previews of its admin",
    Reason.ORIGIN: "pages elsewhere that bear this shop's key: see its list of origins",
    Reason.FLOOD: "more than one visitor or one page view can send",
    Reason.TEST_ORDER: "test orders of the payment provider",
    Reason.QUARANTINED: "page views that were excluded by hand: `gloed quarantine list`",
}


FAULTS = (Reason.UNKNOWN_PAGE, Reason.BAD_REF)
"""What somebody has to mend; the rest is as it should be."""


@dataclass(frozen=True, slots=True)
class Finding:
    good: bool
    told: str


async def check_store(store: Store, settings: Settings, now: datetime) -> list[Finding]:
    version = await store.fetchval("SHOW server_version")
    kept = await store.fetchval("SHOW synchronous_commit")
    fsync = await store.fetchval("SHOW fsync")
    durable = kept != "off" and fsync == "on"
    findings = [
        Finding(True, f"Postgres {version} answers, at this version's revision"),
        Finding(
            durable,
            "what is acknowledged is on disk"
            if durable
            else f"fsync is {fsync}, synchronous_commit {kept}: switch both on in postgresql.conf",
        ),
    ]
    async with store.connection() as connection:
        sites = await read_sites(connection)
    if not sites:
        findings.append(Finding(False, "there is no shop yet: gloed site add 'My shop'"))
    for site in sites:
        findings += await _check_site(store, settings, site, now)
    return findings


async def _check_site(store: Store, settings: Settings, site: Site, now: datetime) -> list[Finding]:
    since = site.day_of(now - LOOKED_BACK)
    opened = await store.fetchval(
        "SELECT count(*) FROM beacon WHERE site_id = $1 AND day >= $2 AND name = 'open'",
        site.site_id,
        since,
    )
    batches = await store.fetchval(
        "SELECT count(*) FROM batch WHERE site_id = $1 AND day >= $2", site.site_id, since
    )
    rows = await store.fetch(
        "SELECT reason, sum(n)::bigint AS n FROM dropped WHERE site_id = $1 AND day >= $2 "
        "GROUP BY reason ORDER BY reason",
        site.site_id,
        since,
    )
    told = f"{site.name} ({site.state}): {opened} views opened, {batches} batches since {since}"
    return [
        Finding(True, told),
        *_drops(site, settings, rows),
        *await _signals(store, site, since),
        *await _lag(store, site, now),
    ]


_SIGNALS = """
    SELECT device, browser, os, count(*) AS views, count(*) FILTER (WHERE signals > 0) AS sent,
           bit_or(can) AS can
    FROM view WHERE site_id = $1 AND day >= $2 AND captures & $3 > 0
    GROUP BY device, browser, os ORDER BY views DESC, device, browser, os LIMIT $4
"""
MOST_BROWSERS = 12


async def _signals(store: Store, site: Site, since: date) -> list[Finding]:
    """Which signals each kind of browser sends without a script: a phone that opened the page is
    here a minute later."""
    told = (site.site_id, since, 1 << Capture.CSS, MOST_BROWSERS)
    findings = []
    for row in await store.fetch(_SIGNALS, *told):
        who = f"{name_of(Device(row['device']))}, {name_of(Browser(row['browser']))}"
        works = [name for name, bit in BY_NAME.items() if row["can"] & bit]
        silent = [name for name in BY_NAME if name not in works]
        views = f"{row['sent']} of {row['views']} views sent signals"
        told_of = f"can tell {', '.join(works) or 'nothing'}; silent: {', '.join(silent) or 'none'}"
        os = name_of(System(row["os"]))
        findings.append(Finding(True, f"{site.name}: {who} on {os}: {views}; {told_of}"))
    return findings


def name_of(code: Device | Browser | System) -> str:
    return code.name.lower()


BY_NAME = {
    "zones": Signal.ZONES,
    "validity": Signal.VALIDITY,
    "depth": Signal.DEPTH,
    "bands": Signal.BANDS,
    "cells": Signal.CELLS,
    "the leave": Signal.LEAVE,
}


def _drops(site: Site, settings: Settings, rows: Iterable[Any]) -> list[Finding]:
    findings = []
    for row in rows:
        reason, n = row["reason"], row["n"]
        if reason == Reason.UNTRUSTED_PROXY:
            findings.append(Finding(False, _untrusted(site, settings, n)))
        else:
            # A collector of another version may know reasons that this one does not.
            meaning = MEANING.get(reason, reason)
            findings.append(Finding(reason not in FAULTS, f"{site.name}: {n} dropped: {meaning}"))
    return findings


def _untrusted(site: Site, settings: Settings, n: int) -> str:
    trusted = ", ".join(settings.trusted_proxies) or "nobody"
    return (
        f"{site.name}: {n} requests came through a proxy that is not trusted (trusted now: "
        f"{trusted}), so all its visitors look like one: set GLOED_TRUSTED_PROXIES to the proxy's "
        "address, 127.0.0.1 if it runs on this machine"
    )


async def _lag(store: Store, site: Site, now: datetime) -> list[Finding]:
    row = await store.fetchrow(
        "SELECT max(last_run_at) AS ran, count(*) FILTER (WHERE state = 'failed') AS failed "
        "FROM job WHERE name = 'close' AND site_id = $1",
        site.site_id,
    )
    if row["failed"]:
        told = f"{site.name}: {row['failed']} days cannot be closed: see `gloed jobs`"
        return [Finding(False, told)]
    if row["ran"] is not None and now - row["ran"] > JOB_LAG:
        told = f"{site.name}: visits were last put together at {row['ran']:%Y-%m-%d %H:%M} UTC: "
        return [Finding(False, told + "is `gloed serve` running?")]
    return []


def check_page(address: str) -> list[Finding]:
    """A page as visitors get it: is the snippet there and whole, does it reach us, does the page's
    policy let it."""
    with httpx.Client(follow_redirects=True, timeout=PAGE_TIMEOUT_S) as client:
        try:
            page = client.get(address)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
            return [Finding(False, _unfetched(address, problem))]
        pasted = read_pasted(page.text)
        faults = [Finding(False, fault) for fault in pasted.faults()]
        if pasted.href is None:
            return faults or [Finding(False, _no_snippet(address, page.status_code))]
        link = urljoin(str(page.url), pasted.href)
        headers = page.headers.get_list("content-security-policy", split_commas=True)
        return [
            Finding(True, f"{address}: the snippet is there"),
            *faults,
            _reached(client, link),
            *_policy([*headers, *pasted.policies], str(page.url), link),
        ]


def _reached(client: httpx.Client, link: str) -> Finding:
    """A prefetch is dropped on purpose: it proves the way and opens no view."""
    try:
        answer = client.get(link, headers={"sec-purpose": "prefetch"})
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
        return Finding(
            False, f"{link} does not answer ({problem}): is `gloed serve` running there?"
        )
    if answer.headers.get("x-gloed-drop") == Reason.PREFETCH:
        return Finding(True, f"{link} reaches Gloed")
    return Finding(False, f"{link} does not reach Gloed (answer {answer.status_code})")


def _unfetched(address: str, problem: Exception) -> str:
    if not address.startswith(("http://", "https://")):
        return f"{address} is no address: give http://… or https://… of a page that is served"
    return f"{address} cannot be fetched: {problem}"


def _no_snippet(address: str, status: int) -> str:
    if status != httpx.codes.OK:
        return f"{address} answers {status}: give the address of a page that exists"
    return f"{address}: no snippet found: paste it before </body>"


def _policy(policies: list[str], page: str, link: str) -> list[Finding]:
    source = f"{link[: link.index('/gs_')]}/"
    if source.startswith(urljoin(page, "/")):
        source = "'self'"
    return [
        Finding(False, f"the page's policy lets {need} load nothing of Gloed's: add {source} to it")
        for need in blocked(policies, page, link)
    ]
