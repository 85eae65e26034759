"""`gloed snippet`: names a page, its zones, and prints what to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.base import err, now, out, say, show, told, with_store
from app.shops import ShopError, find_site, put_page, put_zones
from app.store import Store
from collector.codes import Phase
from collector.sites import Page, Site, Zone
from snippets.html import snippet_html, wrap_csp
from snippets.propose import propose_zones

EXAMPLES = """
[bold]Examples[/bold]\n
  gloed snippet --site gs_… --page shipping --from shipping.html > snippet.html\n
  gloed snippet --site gs_… --page payment --phase payment --zone 'pay=#pay:pay'\n
  gloed snippet --site gs_… --page thanks --phase done --goal --base https://stats.shop.example/g
"""
PHASES = [phase.name.lower() for phase in Phase]
ROLES = ("text", "field", "button", "pay", "frame")


def snippet(
    site: Annotated[str, typer.Option(help="Key or name of the shop.")],
    page: Annotated[str, typer.Option(help="Name of the page: a-z, 0-9 and '-'.")],
    saved: Annotated[
        Path | None,
        typer.Option("--from", help="Saved page to propose zones from.", dir_okay=False),
    ] = None,
    zone: Annotated[
        list[str] | None, typer.Option(help="A zone as name=selector or name=selector:role.")
    ] = None,
    phase: Annotated[
        str | None, typer.Option(help=f"Where it stands: {', '.join(PHASES)}.")
    ] = None,
    goal: Annotated[bool | None, typer.Option(help="Opening it completes the visit.")] = None,
    title: Annotated[str | None, typer.Option(help="What people call the page.")] = None,
    base: Annotated[str, typer.Option(help="Where the collector answers.")] = "/g",
    ref: Annotated[
        str | None,
        typer.Option(
            help="A word, such as ORDER_REF, that your templates replace by the checkout's "
            "own reference."
        ),
    ] = None,
) -> None:
    """Name a page and its zones, and print the HTML to paste just before </body>.

    Without --from and --zone the zones stay as they are.
    """
    chosen = [_zone(text) for text in zone or ()]

    async def work(store: Store) -> tuple[Site, Page]:
        found = await find_site(store, site)
        present = found.pages.get(page)
        moment = now()
        page_id = await put_page(
            store,
            found,
            page,
            moment,
            title=title or (present.title if present else None),
            phase=_phase(phase, present),
            goal=goal if goal is not None else bool(present and present.goal),
        )
        if chosen:
            await put_zones(store, found, page_id, chosen, moment)
        again = await find_site(store, found.public_key)
        return again, again.pages[page]

    with told():
        if saved is not None:
            chosen = [*propose_zones(saved.read_text(errors="replace")), *chosen]
        policy = wrap_csp(base)  # says what is wrong with a base before anything is changed
        shop, made = with_store(work)
        pasted = snippet_html(site_key=shop.public_key, page=made, base=base, ref=ref)
    _explain(made, policy)
    out.print(pasted.strip(), markup=False)


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


def _phase(name: str | None, present: Page | None) -> Phase:
    if name is None:
        return present.phase if present else Phase.CHECKOUT
    if name not in PHASES:
        raise ShopError(f"phase must be one of {', '.join(PHASES)}, got {name!r}")
    return Phase[name.upper()]


def _explain(page: Page, policy: str) -> None:
    say(f"{page.title} ({page.slug}):")
    rows = [(str(zone.number), zone.name, zone.selector, zone.role) for zone in page.zones]
    show(("zone", "name", "selector", "role"), rows, err)
    say(f"If the page sends a Content-Security-Policy, it must allow: {policy}")
    say("Paste this just before </body>:")
