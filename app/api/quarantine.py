"""Taking a period, a visit or an origin out of every answer of a shop, and back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.api.access import ContextDep, no_parameters, readable_site, writable_site
from app.api.bodies import read_body
from app.closing.shut_out import Rule, rules_of
from app.quarantine import (
    Applied,
    QuarantineBody,
    let_back,
    shut_out_origin,
    shut_out_period,
    shut_out_visit,
)
from app.shops import find_site
from collector.decode import read_view_id, view_id_text
from collector.sites import Site

router = APIRouter(tags=["quarantine"], dependencies=[Depends(no_parameters)])
SiteDep = Annotated[Site, Depends(writable_site)]

MAX_BODY_BYTES = 4096


class QuarantineOut(BaseModel):
    """A rule; an origin has no period, as it is shut out at arrival."""

    model_config = ConfigDict(validate_by_name=True)

    rule: str
    begins_at: Annotated[AwareDatetime | None, Field(serialization_alias="from")] = None
    ends_at: Annotated[AwareDatetime | None, Field(serialization_alias="to")] = None
    visit: str | None = None


class Quarantines(BaseModel):
    quarantine: list[QuarantineOut]


class QuarantineKept(BaseModel):
    """visits: how many are left out on the days around it; final_days: days whose raw rows are
    gone, whose maps stay as they are."""

    rule: str
    visits: int
    final_days: int


async def quarantine_body(request: Request, _site: SiteDep) -> QuarantineBody:
    return await read_body(request, QuarantineBody, MAX_BODY_BYTES)


@router.get("/sites/{site}/quarantine")
async def quarantine(site: Annotated[Site, Depends(readable_site)]) -> Quarantines:
    """What is left out of the shop's answers."""
    return _listed(site)


def _listed(site: Site) -> Quarantines:
    hosts = [QuarantineOut(rule=host) for host in sorted(site.shut_out)]
    return Quarantines(quarantine=[*map(_out, rules_of(site)), *hosts])


def _out(rule: Rule) -> QuarantineOut:
    return QuarantineOut(
        rule=rule.rule_id,
        begins_at=rule.begins_at,
        ends_at=rule.ends_at,
        visit=None if rule.visit is None else view_id_text(rule.visit),
    )


@router.post("/sites/{site}/quarantine")
async def take_out(
    site: SiteDep,
    body: Annotated[QuarantineBody, Depends(quarantine_body)],
    context: ContextDep,
) -> QuarantineKept:
    """Leave it out from now on; nothing is deleted."""
    applied = await _taken_out(site, body, context)
    context.catalogue.forget()
    return QuarantineKept(
        rule=applied.rule_id, visits=applied.visits, final_days=applied.final_days
    )


async def _taken_out(site: Site, body: QuarantineBody, context: ContextDep) -> Applied:
    if body.visit is not None:
        return await shut_out_visit(context.store, site, read_view_id(body.visit))
    if body.origin is not None:
        return await shut_out_origin(context.store, site, body.origin)
    assert body.begins_at is not None
    assert body.ends_at is not None
    return await shut_out_period(context.store, site, body.begins_at, body.ends_at)


@router.delete("/sites/{site}/quarantine/{rule}")
async def let_in(
    site: SiteDep,
    rule: Annotated[str, Path(pattern=r"^[A-Za-z0-9.-]{1,253}$", description="rule or host")],
    context: ContextDep,
) -> Quarantines:
    """Let it back into the answers; what is left out still."""
    await let_back(context.store, site, rule)
    context.catalogue.forget()
    return _listed(await find_site(context.store, site.public_key))
