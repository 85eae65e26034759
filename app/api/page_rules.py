"""Pages by path: the rules of a shop, read and put in place as a whole."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import ContextDep, no_parameters, readable_site, writable_site
from app.api.bodies import read_body
from app.page_rules import put_rules, read_rules, told_rules
from app.shops import find_site
from collector.page_rules import LONGEST_GLOB, MOST_RULES
from collector.sites import Site

router = APIRouter(tags=["sites"], dependencies=[Depends(no_parameters)])
SiteDep = Annotated[Site, Depends(writable_site)]

MAX_BODY_BYTES = 2**16
"""As many rules as there may be, each sign of them escaped."""


class PageRuleBody(BaseModel):
    """glob: of a path, as `/product/*`; page: the name of the page that its views are of."""

    model_config = ConfigDict(strict=True, extra="forbid")

    glob: Annotated[str, Field(max_length=LONGEST_GLOB)]
    page: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]


class PageRules(BaseModel):
    """The first whose pattern matches counts."""

    model_config = ConfigDict(strict=True, extra="forbid")

    rules: Annotated[list[PageRuleBody], Field(max_length=MOST_RULES)]


async def rules_body(request: Request, _site: SiteDep) -> PageRules:
    return await read_body(request, PageRules, MAX_BODY_BYTES)


@router.get("/sites/{site}/page-rules")
async def page_rules(site: Annotated[Site, Depends(readable_site)]) -> PageRules:
    """Which page a path is, where a fragment stands on every page alike."""
    return _out(site)


@router.put("/sites/{site}/page-rules")
async def put_page_rules(
    site: SiteDep, body: Annotated[PageRules, Depends(rules_body)], context: ContextDep
) -> PageRules:
    """Put these in place of all; views that are kept already stay where they are."""
    rules = read_rules(site, [(rule.glob, rule.page) for rule in body.rules])
    await put_rules(context.store, site, rules, context.clock())
    context.catalogue.forget()
    return _out(await find_site(context.store, site.public_key))


def _out(site: Site) -> PageRules:
    rules = [PageRuleBody(glob=glob, page=slug) for glob, slug in told_rules(site)]
    return PageRules(rules=rules)
