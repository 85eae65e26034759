"""Taking visits out of every answer, and back: a period, one visit, or the pages of an origin.

What is quarantined stays stored until its time is over; it is counted, and shown as left out. The
rules stand in the shop's configuration. Visits bear a flag, which maps, tiles, contrasts and
journeys leave out; an origin is known at arrival alone, so it is shut out from then on.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from app.closing.shut_out import RULES, SHUT_OUT, Rule, rules_of
from app.configuration import Host, configure
from app.due import make_anew
from app.shops import ShopError, Unknown, find_site
from app.store import Store
from collector.sites import Site

ORIGINS = "quarantined_origins"
DAY = timedelta(days=1)

_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class QuarantineBody(BaseModel):
    """A period, or one visit, or a host whose pages bear the shop's key and are not the shop's."""

    model_config = ConfigDict(extra="forbid")

    begins_at: Annotated[AwareDatetime | None, Field(alias="from")] = None
    ends_at: Annotated[AwareDatetime | None, Field(alias="to")] = None
    visit: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    origin: Host | None = None

    @model_validator(mode="after")
    def _is_one(self) -> QuarantineBody:
        period = self.begins_at is not None and self.ends_at is not None
        half = (self.begins_at is None) != (self.ends_at is None)
        if half or [period, self.visit is not None, self.origin is not None].count(True) != 1:
            raise ValueError("give from with to, or visit, or origin")
        return self


@dataclass(frozen=True, slots=True)
class Applied:
    """visits: how many bear the flag now; final_days: days whose maps cannot change any more."""

    rule_id: str
    visits: int
    final_days: int


def read_moment(text: str) -> datetime:
    """Raises ShopError, naming the form."""
    try:
        return _MOMENT.validate_python(text)
    except ValidationError as problem:
        raise ShopError("write a moment as 2026-11-22T14:00:00+01:00") from problem


async def shut_out_period(
    store: Store, site: Site, begins_at: datetime, ends_at: datetime
) -> Applied:
    if begins_at >= ends_at:
        raise ShopError("the period ends before it begins: give `from` and `to` in that order")
    return await _add(store, site, Rule(_new_id(), begins_at, ends_at))


async def shut_out_visit(store: Store, site: Site, visit_id: int) -> Applied:
    row = await store.fetchrow(
        "SELECT started_at, ended_at FROM visit WHERE site_id = $1 AND visit_id = $2 "
        "ORDER BY day LIMIT 1",
        site.site_id,
        visit_id,
    )
    if row is None:
        raise Unknown("there is no such visit of this shop, or not any more")
    return await _add(store, site, Rule(_new_id(), row["started_at"], row["ended_at"], visit_id))


async def shut_out_origin(store: Store, site: Site, host: str) -> Applied:
    """From now on; what its pages sent before bears no origin: shut out the period too."""
    hosts = [*site.config.get(ORIGINS, ()), host]
    await configure(store, site, {**site.config, ORIGINS: hosts})
    return Applied(host, 0, 0)


async def let_back(store: Store, site: Site, name: str) -> None:
    """Lift a rule by its number, or an origin by its host."""
    rules, hosts = site.config.get(RULES, []), site.config.get(ORIGINS, [])
    left = {RULES: [rule for rule in rules if rule["id"] != name]}
    left[ORIGINS] = [host for host in hosts if host != name]
    if len(left[RULES]) + len(left[ORIGINS]) == len(rules) + len(hosts):
        raise Unknown("there is no such rule: `gloed quarantine list` shows those there are")
    await configure(store, site, {**site.config, **left})
    for rule in rules_of(site):
        if rule.rule_id == name:
            await _apply(store, await find_site(store, site.public_key), rule)


def _new_id() -> str:
    return f"q{secrets.token_hex(4)}"


async def _add(store: Store, site: Site, rule: Rule) -> Applied:
    rules = [*site.config.get(RULES, ()), rule.told]
    await configure(store, site, {**site.config, RULES: rules})
    return await _apply(store, await find_site(store, site.public_key), rule)


_FLAG = f"""
    UPDATE visit SET flags = (flags & ~{SHUT_OUT}) | CASE WHEN EXISTS (
        SELECT FROM jsonb_to_recordset($4::jsonb) AS rule(begins timestamptz, ends timestamptz,
            number bigint)
        WHERE CASE WHEN rule.number IS NULL
            THEN visit.started_at < rule.ends AND visit.ended_at >= rule.begins
            ELSE visit.visit_id = rule.number END)
        THEN {SHUT_OUT} ELSE 0 END
    WHERE site_id = $1 AND day BETWEEN $2 AND $3
"""


async def _apply(store: Store, site: Site, changed: Rule) -> Applied:
    """Flag the visits around the rule by all rules there are now, and have the days made anew."""
    first, last = _days(site, changed)
    rules = [
        {"begins": r.begins_at.isoformat(), "ends": r.ends_at.isoformat(), "number": r.visit}
        for r in rules_of(site)
    ]
    async with store.transaction() as connection:
        await connection.execute(_FLAG, site.site_id, first, last, json.dumps(rules))
        final = await make_anew(connection, site.site_id, first, last)
        flagged = await connection.fetchval(
            "SELECT count(*) FROM visit WHERE site_id = $1 AND day BETWEEN $2 AND $3 "
            "AND flags & $4 > 0",
            site.site_id,
            first,
            last,
            SHUT_OUT,
        )
    return Applied(changed.rule_id, flagged, final)


def _days(site: Site, rule: Rule) -> tuple[date, date]:
    """A visit belongs to the day of its first view, and may have begun the day before."""
    return site.day_of(rule.begins_at) - DAY, site.day_of(rule.ends_at)
