"""`gloed share …`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from app.access.keys import Signer
from app.access.shares import (
    LONGEST,
    Share,
    add_share,
    revoke_share,
    share_link,
    shares_in_use,
)
from app.cli.base import now, out, show, told, with_store
from app.cli.keys import MOST
from app.cli.sites import SITE
from app.config import read_settings
from app.links import own_url
from app.secret import fleet_secret
from app.shops import find_page, find_site, list_sites
from app.store import Store
from collector.sites import Site

cli = typer.Typer(no_args_is_help=True)


@cli.command("add", epilog="[bold]Example[/bold]\n\n  gloed share add gs_… shipping --days 14")
def add(
    site: Annotated[str, SITE],
    page: Annotated[str, typer.Argument(help="Name of the page.", show_default=False)],
    days: Annotated[int, typer.Option(help="How long.", min=1, max=LONGEST.days)] = 30,
    picture: Annotated[bool, typer.Option("--picture", help="The PNG alone.")] = False,
    kind: Annotated[str, typer.Option(help="Of a picture: stall, click, move, scroll.")] = "stall",
) -> None:
    """Print a link that shows one page's map to whoever holds it."""
    with told():
        settings = read_settings()
        signer = Signer(fleet_secret(settings))

    async def work(store: Store) -> str:
        found = await find_site(store, site)
        slug = find_page(found, page).slug
        lives = timedelta(days=days)
        share = await add_share(
            store, found.site_id, slug, lives, now(), picture=picture, query=_asked(kind, picture)
        )
        return share_link(signer, found.public_key, share)

    out.print(own_url(settings) + with_store(work, settings), markup=False)


def _asked(kind: str, picture: bool) -> dict[str, str]:
    return {"kind": kind, "picture": "page", "legend": "en"} if picture else {"kind": kind}


@cli.command("list")
def listed() -> None:
    """The shares in use; their links are known to their holders alone."""

    async def work(store: Store) -> tuple[list[Share], tuple[Site, ...]]:
        return await shares_in_use(store, now()), await list_sites(store)

    shares, sites = with_store(work)
    names = {site.site_id: site.name for site in sites}
    rows = [
        (
            str(share.share_id),
            names[share.site_id],
            share.page,
            "picture" if share.picture else "map",
            f"{share.expires_at:%Y-%m-%d}",
        )
        for share in shares
    ]
    show(("number", "shop", "page", "shows", "until"), rows)


@cli.command("revoke", epilog="[bold]Example[/bold]\n\n  gloed share revoke 3")
def revoke(
    number: Annotated[int, typer.Argument(help="From `gloed share list`.", min=1, max=MOST)],
) -> None:
    """End a share at once."""

    async def work(store: Store) -> None:
        await revoke_share(store, number, now())

    with_store(work)
    out.print(f"Share {number} is revoked.", markup=False)
