"""`gloed site …`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.base import now, out, say, show, with_store
from app.consents import drop_consent, preset, put_consent
from app.page_rules import put_rules, read_rules, told_rules
from app.shops import DEFAULT_TIME_ZONE, ShopError, add_site, find_site, go_live, list_sites, trying
from app.store import Store
from collector.sites import Site

cli = typer.Typer(no_args_is_help=True)
SITE = typer.Argument(help="Key (gs_…) or name of the shop.", show_default=False)


@cli.command("add", epilog="[bold]Example[/bold]\n\n  gloed site add 'Fietsenwinkel'")
def add(
    name: Annotated[str, typer.Argument(help="What people call the shop.")],
    time_zone: Annotated[str, typer.Option(help="Decides what a day is.")] = DEFAULT_TIME_ZONE,
) -> None:
    """Add a shop, on trial: everything is shown from one view on, and marked TEST."""

    async def work(store: Store) -> str:
        return await add_site(store, name, now(), time_zone=time_zone)

    out.print(with_store(work, begin=True), markup=False)
    say("Next: gloed snippet --site THIS_KEY --page NAME --from SAVED.html > snippet.html")


@cli.command("list")
def listed() -> None:
    """The shops, their keys, states and pages."""
    rows = [
        (
            site.public_key,
            site.name,
            site.state,
            site.time_zone.key,
            ", ".join(sorted(site.pages)) or "–",
        )
        for site in with_store(list_sites)
    ]
    show(("key", "name", "state", "time zone", "pages"), rows)


@cli.command("live", epilog="[bold]Example[/bold]\n\n  gloed site live gs_…")
def live(
    site: Annotated[str, SITE],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End the trial: throw away what was tried and count for real."""

    async def look(store: Store) -> Site:
        return trying(await find_site(store, site))

    async def work(store: Store) -> int:
        return await go_live(store, await find_site(store, site), now())

    found = with_store(look)
    if not yes:
        question = f"Everything recorded so far of {found.name} is thrown away. Go live?"
        typer.confirm(question, abort=True)
    out.print(f"Live. {with_store(work)} trial views were thrown away.", markup=False)


@cli.command(
    "consent",
    epilog="[bold]Examples[/bold]\n\n  gloed site consent gs_… cookiebot\n\n"
    "  gloed site consent gs_… own --cookie agreed --pattern '*stats=1*'\n\n"
    "  gloed site consent gs_… off",
)
def consent(
    site: Annotated[str, SITE],
    tool: Annotated[
        str, typer.Argument(help="complianz, cookiebot, cookieyes, klaro, usercentrics, own, off.")
    ],
    cookie: Annotated[str, typer.Option(help="Of `own`: the cookie's name.")] = "",
    pattern: Annotated[str, typer.Option(help="Of `own`: what means yes, with stars.")] = "",
) -> None:
    """Collect only from visitors whose consent cookie says yes; it is compared and forgotten."""

    async def work(store: Store) -> str:
        found = await find_site(store, site)
        if tool == "off":
            await drop_consent(store, found)
            return "No cookie is asked for: render the fragment only where you may."
        if tool == "own":
            await put_consent(store, found, cookie, pattern)
            return f"{cookie} decides."
        chosen = preset(tool)
        await put_consent(store, found, chosen.cookie, chosen.pattern)
        return f"{chosen.cookie} decides. {chosen.note}".strip()

    out.print(with_store(work), markup=False)


@cli.command(
    "paths",
    epilog="[bold]Examples[/bold]\n\n  gloed site paths gs_…\n\n"
    "  gloed site paths gs_… '/product/*=product' '/cart=cart' '/checkout*=checkout'\n\n"
    "  gloed site paths gs_… --none",
)
def paths(
    site: Annotated[str, SITE],
    rules: Annotated[
        list[str] | None, typer.Argument(help="PATH=PAGE, the first match counts; all of them.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="No rules any more.")] = False,
) -> None:
    """Show or replace the rules that say which page a path is, for one fragment on all pages."""
    if rules and none:
        raise typer.BadParameter("give rules, or --none")

    async def work(store: Store) -> Site:
        found = await find_site(store, site)
        if rules or none:
            told = [_rule(text) for text in rules or ()]
            await put_rules(store, found, read_rules(found, told), now())
        return await find_site(store, found.public_key)

    show(("path", "page"), told_rules(with_store(work)))


def _rule(text: str) -> tuple[str, str]:
    glob, told, slug = text.rpartition("=")
    if not told:
        raise ShopError(f"write a rule as /product/*=product, got {text[:80]!r}")
    return glob, slug.strip()
