"""`gloed key …`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.access.keys import add_key, revoke_key
from app.cli.base import now, out, show, with_store
from app.cli.sites import SITE
from app.shops import find_site
from app.store import Store

MOST = 2**31 - 1
"""Numbers of keys are the store's `integer`."""

cli = typer.Typer(no_args_is_help=True)


@cli.command("add", epilog="[bold]Example[/bold]\n\n  gloed key add gs_… --scope read")
def add(
    site: Annotated[str, SITE],
    scope: Annotated[str, typer.Option(help="read, write or goal.")] = "read",
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
) -> None:
    """Make a key; it is shown this once."""

    async def work(store: Store) -> str:
        found = await find_site(store, site)
        return await add_key(store, found.site_id, scope, label, now())

    out.print(with_store(work), markup=False)


@cli.command("list", epilog="[bold]Examples[/bold]\n\n  gloed key list\n\n  gloed key list gs_…")
def listed(site: Annotated[str | None, SITE] = None) -> None:
    """The keys in use, of this shop or of all; what they are is known to their holders alone."""

    async def work(store: Store) -> list[Any]:
        found = None if site is None else (await find_site(store, site)).site_id
        return await store.fetch(_IN_USE, found)

    rows = [
        (str(number), shop, scope, label, f"{used:%Y-%m-%d}" if used else "never")
        for number, shop, scope, label, used in with_store(work)
    ]
    show(("number", "shop", "scope", "label", "last used"), rows)


_IN_USE = """
    SELECT api_key_id, name, scope, label, last_used_at FROM api_key JOIN site USING (site_id)
    WHERE revoked_at IS NULL AND ($1::int IS NULL OR site_id = $1) ORDER BY api_key_id
"""


@cli.command("revoke", epilog="[bold]Example[/bold]\n\n  gloed key revoke 3")
def revoke(
    number: Annotated[int, typer.Argument(help="From `gloed key list`.", min=1, max=MOST)],
) -> None:
    """End a key at once."""

    async def work(store: Store) -> None:
        await revoke_key(store, number, now())

    with_store(work)
    out.print(f"Key {number} is revoked.", markup=False)
