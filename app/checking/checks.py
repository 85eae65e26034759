"""What `gloed check` looks at: the store, what was dropped and why, and a page with the snippet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urljoin

import httpx

from app.checking.engines import engines
from app.checking.findings import Finding as Finding
from app.checking.findings import Translated
from app.checking.pasted import Pasted, read_pasted
from app.checking.policies import blocked
from app.checking.signs import LOOKED_BACK, Signs, signs
from app.config import Settings
from app.marked import N_
from app.store import Store
from collector.sites import Site, read_sites
from collector.wire import Reason

JOB_LAG = timedelta(minutes=15)
"""The closing job runs by the minute; a quarter of an hour without it is a fault."""

PAGE_TIMEOUT_S = 10.0

MEANING = {
    Reason.OPT_OUT: N_("visitors asked not to be counted (GPC or DNT)"),
    Reason.NO_CONSENT: N_("the consent cookie was absent or said no"),
    Reason.BOT: N_("robots"),
    Reason.PREFETCH: N_("pages fetched ahead and not seen, `gloed check` of a page among them"),
    Reason.UNKNOWN_PAGE: N_("the snippet names a page that `gloed snippet` never made"),
    Reason.BAD_TOKEN: N_("addresses that nobody was given"),
    Reason.BAD_NAME: N_("names outside the grammar: an old sheet, or somebody playing"),
    Reason.BAD_REF: N_("a reference of 4 to 128 of A-Z a-z 0-9 . _ ~ - was expected"),
    Reason.EXPIRED: N_("pages left open for more than a day"),
    Reason.CLOCK: N_("browsers whose clock is days off"),
    Reason.UNKNOWN_SITE: N_("no such site key"),
    Reason.REPEAT: N_("sent again, and kept once"),
    Reason.OUTSIDE_PAGE: N_("places outside the page"),
    Reason.TWIN: N_("opened twice by one page load"),
    Reason.COPIED: N_("tokens that several visitors used"),
    Reason.OFF: N_("the shop is switched off (mode off)"),
    Reason.STAFF: N_("the shop's own people: exclude_networks, and previews of its admin"),
    Reason.ORIGIN: N_("pages elsewhere that bear this shop's key: see its list of origins"),
    Reason.FLOOD: N_("more than one visitor or one page view can send"),
    Reason.TEST_ORDER: N_("test orders of the payment provider"),
    Reason.QUARANTINED: N_("page views that were excluded by hand: `gloed quarantine list`"),
}


UNTRUSTED = N_(
    "%(n)s requests came through a proxy that is not trusted (trusted now: %(trusted)s), so all "
    "its visitors look like one: set GLOED_TRUSTED_PROXIES to the proxy's address, 127.0.0.1 if "
    "it runs on this machine"
)

FAULTS = (Reason.UNKNOWN_PAGE, Reason.BAD_REF)
"""What somebody has to mend; the rest is as it should be."""


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
    told = (
        f"{site.name} ({site.state}): {opened} views opened, {batches} batches since {since} "
        f"({site.time_zone.key})"
    )
    found = await signs(store, site, now)
    return [
        Finding(True, told),
        *drop_findings(found, settings, site),
        *[
            Finding(
                True,
                f"{site.name}: {one.device}, {one.browser} on {one.os}: "
                f"{one.sent} of {one.views} views sent signals; "
                f"can tell {', '.join(one.works) or 'nothing'}; "
                f"silent: {', '.join(one.silent) or 'none'}",
            )
            for one in await engines(store, site, since)
        ],
        *lag_findings(found, site, now),
    ]


def drop_findings(found: Signs, settings: Settings, site: Site) -> list[Finding]:
    """What came and was not kept; and whether a proxy makes visitors look like one."""
    findings = []
    for reason, n in found.dropped.items():
        if reason == Reason.UNTRUSTED_PROXY:
            findings.append(_untrusted(site, settings, n))
        else:
            # A collector of another version may know reasons that this one does not.
            why = Translated(MEANING[Reason(reason)]) if reason in MEANING else reason
            told = {"n": n, "why": why}
            findings.append(
                Finding(reason not in FAULTS, N_("%(n)s dropped: %(why)s"), told, site.name)
            )
    return findings


def _untrusted(site: Site, settings: Settings, n: int) -> Finding:
    trusted = ", ".join(settings.trusted_proxies) or Translated(N_("nobody"))
    return Finding(False, UNTRUSTED, {"n": n, "trusted": trusted}, site.name)


def lag_findings(found: Signs, site: Site, now: datetime) -> list[Finding]:
    if found.failed:
        told = N_("%(n)s days cannot be closed: see `gloed jobs`")
        return [Finding(False, told, {"n": found.failed}, site.name)]
    if found.closed is not None and now - found.closed > JOB_LAG:
        told = N_("visits were last put together at %(at)s: is `gloed serve` running?")
        at = f"{found.closed.astimezone(site.time_zone):%Y-%m-%d %H:%M} ({site.time_zone.key})"
        return [Finding(False, told, {"at": at}, site.name)]
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
        if pasted.href is None and page.status_code != httpx.codes.OK and not pasted.blocks:
            return [Finding(False, _not_there(address, page.status_code))]
        headers = page.headers.get_list("content-security-policy", split_commas=True)
        findings = _led_elsewhere(address, page)
        looked_at = str(page.url) if findings else address
        findings += snippet_findings(pasted, headers, str(page.url), looked_at)
        if pasted.href is not None:
            findings.append(_reached(client, urljoin(str(page.url), pasted.href)))
        return findings


def _led_elsewhere(address: str, page: httpx.Response) -> list[Finding]:
    """An empty cart leads back to itself: what is looked at then is another page."""
    if page.url.path.rstrip("/") == httpx.URL(address).path.rstrip("/"):
        return []
    told = (
        f"it leads to {page.url}, which is what was looked at: save the page in your browser and "
        "paste its source on the shop's page Check"
    )
    return [Finding(False, told, about=address)]


def snippet_findings(
    pasted: Pasted, policies: Iterable[str], page: str, about: str = ""
) -> list[Finding]:
    """Whether the snippet is there and whole, and the policies of the page at `page` let it."""
    faults = list(pasted.faults())
    if pasted.href is None:
        return faults or [
            Finding(False, N_("no snippet found: paste it before </body>"), about=about)
        ]
    link = urljoin(page, pasted.href)
    return [
        Finding(True, N_("the snippet is there"), about=about),
        *faults,
        *_policy([*policies, *pasted.policies], page, link),
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


def _not_there(address: str, status: int) -> str:
    return f"{address} answers {status}: give the address of a page that exists"


def _policy(policies: list[str], page: str, link: str) -> list[Finding]:
    source = f"{link[: link.index('/gs_')]}/"
    if source.startswith(urljoin(page, "/")):
        source = "'self'"
    told = N_("the page's policy lets %(need)s load nothing of Gloed's: add %(source)s to it")
    return [
        Finding(False, told, {"need": need, "source": source})
        for need in blocked(policies, page, link)
    ]
