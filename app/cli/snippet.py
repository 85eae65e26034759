"""`gloed zones` and `gloed snippet`: name pages and their zones, and print what to paste."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.cli.base import err, now, out, say, show, told, with_store
from app.page_rules import most_zones
from app.plans import Wish, put_wishes
from app.shops import ShopError, find_site
from app.store import Store
from collector.codes import Phase
from collector.sites import Page, Site, Zone
from snippets.html import Scripted, snippet_html, wrap_csp
from snippets.plan import (
    PHASES,
    PRESETS,
    ROLES,
    Plan,
    PlanError,
    PlannedPage,
    banner,
    preset,
    read_plan,
    write_plan,
)
from snippets.propose import propose, propose_zones
from snippets.script.build import script as made_script

EXAMPLES = """
[bold]Examples[/bold]\n
  gloed zones --preset woocommerce > shop.toml\n
  gloed snippet --site gs_… --plan shop.toml\n
  gloed snippet --site gs_… --page shipping --from shipping.html > snippet.html\n
  gloed snippet --site gs_… --page payment --phase payment --zone 'pay=#pay:pay'\n
  gloed snippet --site gs_… --page thanks --phase done --goal --base https://stats.shop.example/g
"""
ZONES_EXAMPLES = """
[bold]Examples[/bold]\n
  gloed zones --preset woocommerce > shop.toml\n
  gloed zones --from shipping.html --page shipping >> shop.toml
"""


def zones(
    saved: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Saved page to propose zones from.", exists=True, dir_okay=False
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option("--preset", help=f"Shop system: {', '.join(PRESETS)}.")
    ] = None,
    page: Annotated[
        str | None, typer.Option(help="Name of the saved page; default: its file's.")
    ] = None,
) -> None:
    """Print pages and zones as a small file to edit, each zone with its reason.

    `gloed snippet --plan FILE` then puts it in force.
    """
    with told():
        pages = [*preset(system).page] if system is not None else []
        if saved is not None:
            found = propose(saved.read_text(errors="replace"))
            pages.append(PlannedPage(slug=page or saved.stem, zone=[*found, banner()]))
        if not pages:
            raise PlanError("nothing to write down: give --preset NAME or --from PAGE.html")
        written = write_plan(Plan(page=pages))
        read_plan(written)  # a page that stands twice, or a name that cannot be, is told here
    print(written, end="")


def snippet(
    site: Annotated[str, typer.Option(help="Key or name of the shop.")],
    page: Annotated[
        str | None, typer.Option(help="Name of the page: a-z, 0-9 and '-'; or one of the plan's.")
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="File of pages and zones, as `gloed zones` writes.", exists=True, dir_okay=False
        ),
    ] = None,
    saved: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Saved page to propose zones from.", exists=True, dir_okay=False
        ),
    ] = None,
    zone: Annotated[
        list[str] | None, typer.Option(help="A zone as name=selector or name=selector:role.")
    ] = None,
    phase: Annotated[
        str | None, typer.Option(help=f"Where it stands: {', '.join(PHASES)}.")
    ] = None,
    goal: Annotated[bool | None, typer.Option(help="Opening it completes the visit.")] = None,
    cells: Annotated[
        bool | None, typer.Option(help="Lay pointer cells over it: a trail without a script.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What people call the page.")] = None,
    base: Annotated[str, typer.Option(help="Where the collector answers.")] = "/g",
    ref: Annotated[
        str | None,
        typer.Option(
            help="A word, such as ORDER_REF, that your templates replace by the checkout's "
            "own reference."
        ),
    ] = None,
    script: Annotated[bool, typer.Option(help="Add the optional script.")] = False,
    freeze: Annotated[
        bool, typer.Option(help="Give the script its integrity: paste anew when it changes.")
    ] = False,
) -> None:
    """Name pages and their zones, and print the HTML to paste just before </body>.

    Without --plan, --from and --zone the zones stay as they are.
    """
    chosen = [_zone(text) for text in zone or ()]
    with told():
        menus: list[str] = []
        if plan is not None:
            read = read_plan(plan.read_text(encoding="utf-8"))
            menus, wishes = read.menus, _of_plan(read, page)
        elif page is not None:
            if saved is not None:
                chosen = [*propose_zones(saved.read_text(errors="replace")), *chosen]
            wishes = [Wish(page, _phase(phase), goal, cells, title, chosen)]
        else:
            raise PlanError("say which page: --page NAME, or --plan FILE for all of a plan")
        policy = wrap_csp(
            base, script=script
        )  # says what is wrong with a base before anything is changed
        shop = with_store(lambda store: _put(store, site, wishes, menus))
        made = [shop.pages[wish.slug] for wish in wishes]
        scripted = Scripted(made_script(), frozen=freeze) if script else None
        pasted = [
            snippet_html(
                site_key=shop.public_key,
                page=one,
                base=base,
                zones=most_zones(shop, one),
                ref=ref,
                scripted=scripted,
            )
            for one in made
        ]
    for one, text in zip(made, pasted, strict=True):
        _explain(one, policy)
        out.print(f"<!-- Gloed: page {one.slug} -->\n{text.strip()}", markup=False)


def _of_plan(plan: Plan, page: str | None) -> list[Wish]:
    wishes = [Wish.of(planned) for planned in plan.page if page in (None, planned.slug)]
    if not wishes:
        raise PlanError(f"the plan has no page {page!r}" if page else "the plan has no page")
    return wishes


async def _put(store: Store, site: str, wishes: Sequence[Wish], menus: list[str]) -> Site:
    return await put_wishes(store, await find_site(store, site), wishes, menus, now())


def _zone(text: str) -> Zone:
    name, equals, rest = text.partition("=")
    selector, _, role = rest.rpartition(":")
    if not selector:
        selector, role = rest, "text"
    if not equals or not name.strip() or role not in ROLES:
        raise typer.BadParameter(
            f"{text!r}: write name=selector or name=selector:role, with role one of "
            f"{', '.join(ROLES)}"
        )
    return Zone(0, name.strip(), selector, role)


def _phase(name: str | None) -> Phase | None:
    if name is not None and name not in PHASES:
        raise ShopError(f"phase must be one of {', '.join(PHASES)}, got {name!r}")
    return None if name is None else PHASES[name]


def _explain(page: Page, policy: str) -> None:
    say(f"{page.title} ({page.slug}):")
    rows = [(str(zone.number), zone.name, zone.selector, zone.role) for zone in page.zones]
    show(("zone", "name", "selector", "role"), rows, err)
    say(f"If the page sends a Content-Security-Policy, it must allow: {policy}")
    say("Paste this just before </body>:")
