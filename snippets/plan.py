"""A shop's pages and zones as a small file that people edit (TOML), read and written.

The presets of common shop systems are such files too (`snippets/presets/`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from typing import Annotated

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Meta, Struct

from collector.codes import Phase
from collector.sites import Zone
from collector.wire import SLUG
from snippets.errors import SnippetError, shown
from snippets.selectors import check_selector
from snippets.sheet import checked_zone

PHASES = {phase.name.lower(): phase for phase in Phase}
ROLES = ("text", "field", "button", "pay", "frame", "banner")
PRESETS = ("magento-luma", "prestashop", "shopware", "woocommerce", "woocommerce-blocks")

_TEMPLATES = Environment(
    loader=PackageLoader("snippets"),
    autoescape=False,  # TOML; every value is quoted by `_quoted`
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Short = Annotated[str, Meta(min_length=1, max_length=80)]


class PlanError(SnippetError):
    """A plan that cannot be followed; the message names the place and the remedy."""


class PlannedZone(Struct, frozen=True, forbid_unknown_fields=True):
    """One zone of a page; `why` is for the reader alone."""

    name: Short
    selector: str
    role: str = "text"
    sensitive: bool = False
    watches: list[str] = []
    states: dict[str, str] = {}
    also: list[str] = []
    why: str = ""

    def zone(self) -> Zone:
        if self.role not in ROLES:
            raise PlanError(f"role {shown(self.role)} is unknown; use one of {', '.join(ROLES)}")
        return checked_zone(
            Zone(
                number=0,
                name=self.name,
                selector=self.selector,
                role=self.role,
                sensitive=self.sensitive,
                states=self.states,
                watches=frozenset(self.watches),
                also=tuple(self.also),
            )
        )


class PlannedPage(Struct, frozen=True, forbid_unknown_fields=True):
    """One page of the shop and its zones."""

    slug: str
    title: str = ""
    phase: str = "checkout"
    goal: bool = False
    cells: bool = False
    zone: list[PlannedZone] = []

    @property
    def stands_at(self) -> Phase:
        return PHASES[self.phase]

    def zones(self) -> tuple[Zone, ...]:
        return tuple(planned.zone() for planned in self.zone)


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """All pages of a shop. `menus`: its hover menus, which pointer cells keep clear of."""

    menus: list[str] = []
    page: list[PlannedPage] = []


def read_plan(text: str) -> Plan:
    """Read a plan from TOML. Raises SnippetError, which names the place and the remedy."""
    try:
        plan = msgspec.convert(tomllib.loads(text), Plan)
    except tomllib.TOMLDecodeError as problem:
        raise PlanError(f"the plan is no TOML: {problem}") from problem
    except msgspec.ValidationError as problem:
        raise PlanError(f"the plan is not understood: {problem}") from problem
    for menu in plan.menus:
        check_selector(menu)
    for page in plan.page:
        _check_page(page)
    slugs = [page.slug for page in plan.page]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise PlanError(f"page {slug!r} stands twice in the plan; give each its own slug")
    return plan


def _check_page(page: PlannedPage) -> None:
    if not SLUG.match(page.slug):
        raise PlanError(f"slug {shown(page.slug)} is not allowed; use a-z, 0-9 and -, at most 64")
    if page.phase not in PHASES:
        raise PlanError(
            f"phase {shown(page.phase)} of page {page.slug!r} is unknown; "
            f"use one of {', '.join(PHASES)}"
        )
    for planned in page.zone:
        try:
            planned.zone()
        except SnippetError as problem:
            raise PlanError(f"page {page.slug!r}, zone {planned.name!r}: {problem}") from problem


def preset(name: str) -> Plan:
    """The plan of a common shop system. Raises PlanError for one that is not known."""
    if name not in PRESETS:
        raise PlanError(f"preset {shown(name)} is unknown; use one of {', '.join(PRESETS)}")
    source = files("snippets").joinpath("presets", f"{name}.toml")
    plan = read_plan(source.read_text(encoding="utf-8"))
    return _with_banner(plan)


def banner() -> PlannedZone:
    """The one zone that cookie banners and chat windows share, whatever covers the page."""
    text = files("snippets").joinpath("presets", "banners.toml").read_text(encoding="utf-8")
    known: list[str] = tomllib.loads(text)["ignore"]
    first, *others = known
    return PlannedZone(
        name="Banner",
        selector=first,
        role="banner",
        also=others,
        why="cookie banners and chat windows: time on them is not the page's",
    )


def _with_banner(plan: Plan) -> Plan:
    pages = [
        msgspec.structs.replace(page, zone=[*page.zone, banner()]) if page.zone else page
        for page in plan.page
    ]
    return msgspec.structs.replace(plan, page=pages)


def write_plan(plan: Plan) -> str:
    """Write a plan as TOML for people: what is left at its default is left out."""
    return _TEMPLATES.get_template("plan.toml.jinja").render(plan=plan, quoted=_quoted)


def _quoted(value: str | Iterable[str]) -> str:
    """A string or a list of strings as TOML writes them, which is as JSON does."""
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    return f"[{', '.join(map(_quoted, value))}]"
