"""`gloed account …`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from app.access.accounts import account_named, add_account, put_password, put_role, revoke_account
from app.access.keys import OWNER, new_sign_in_link
from app.access.passwords import check_password
from app.cli.base import FAILED, now, out, say, show, told, with_store
from app.cli.sites import SITE
from app.config import read_settings
from app.links import own_url
from app.shops import find_site
from app.store import Store

cli = typer.Typer(no_args_is_help=True)
NAME = typer.Argument(help="What the person is called here.", show_default=False)


@cli.command(
    "add", epilog="[bold]Example[/bold]\n\n  gloed account add anna --site gs_… --role editor"
)
def add(
    name: Annotated[str, NAME],
    site: Annotated[str, typer.Option(help="Key (gs_…) or name of the first shop to see.")],
    role: Annotated[str, typer.Option(help="owner, editor or reader.")] = "reader",
) -> None:
    """Add somebody with a role for a shop. Then: gloed account password, or gloed account link."""

    async def work(store: Store) -> None:
        found = await find_site(store, site)
        await add_account(store, name, now())
        await put_role(store, name, found, role)

    with_store(work)
    out.print(f"{name} is {role} of {site}.", markup=False)


@cli.command("list")
def listed() -> None:
    """Who may sign in, how, and what they are of which shop."""

    async def work(store: Store) -> list[Any]:
        return await store.fetch(
            "SELECT account.name, password IS NOT NULL, string_agg("
            "site.name || ': ' || role, ', ' ORDER BY site_id) "
            "FROM account LEFT JOIN membership USING (account_id) LEFT JOIN site USING (site_id) "
            "GROUP BY account.account_id ORDER BY account.account_id"
        )

    rows = [
        (name, "password, link" if by_password else "link", _roles(name, roles))
        for name, by_password, roles in with_store(work)
    ]
    show(("name", "signs in by", "roles"), rows)


def _roles(name: str, told: str | None) -> str:
    return "every shop: owner" if name == OWNER else told or "–"


@cli.command("role", epilog="[bold]Example[/bold]\n\n  gloed account role anna gs_… none")
def role(
    name: Annotated[str, NAME],
    site: Annotated[str, SITE],
    role: Annotated[str, typer.Argument(help="owner, editor, reader, or none.")],
) -> None:
    """Give a role for a shop, or take it away."""

    async def work(store: Store) -> None:
        found = await find_site(store, site)
        await put_role(store, name, found, None if role == "none" else role)

    with_store(work)
    out.print(f"{name} is {role} of {site}.", markup=False)


@cli.command("password", epilog="[bold]Example[/bold]\n\n  gloed account password owner")
def password(name: Annotated[str, NAME]) -> None:
    """Set a password, asked for twice, or the one line on standard input. Ends all sessions."""
    given = _asked()
    with told():
        check_password(given, name)

    async def work(store: Store) -> None:
        await put_password(store, name, given)

    with_store(work)
    out.print(f"{name} signs in by the new password from now on.", markup=False)


def _asked() -> str:
    """Never an argument: those stand in the shell's history and in the list of processes."""
    if sys.stdin.isatty():
        answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return answer
    lines = sys.stdin.read().splitlines()
    if len(lines) != 1:
        say(f"gloed: one line with the password was expected, got {len(lines)}")
        raise typer.Exit(FAILED)
    return lines[0]


@cli.command(
    "link", epilog="[bold]Examples[/bold]\n\n  gloed account link\n\n  gloed account link anna"
)
def link(
    name: Annotated[str, typer.Argument(help="Whose; without one the owner.")] = OWNER,
    port: Annotated[
        int | None, typer.Option(help="Of a `gloed serve` that was given another.")
    ] = None,
) -> None:
    """Print a link that signs in once, within the hour."""
    with told():
        settings = read_settings(port=port)

    async def work(store: Store) -> str:
        account_id = None if name == OWNER else await account_named(store, name)
        return await new_sign_in_link(store, now(), account_id)

    out.print(own_url(settings) + with_store(work, settings), markup=False)


@cli.command("revoke", epilog="[bold]Example[/bold]\n\n  gloed account revoke anna")
def revoke(name: Annotated[str, NAME]) -> None:
    """End an account and its sessions at once; of the owner's, its password and sessions."""

    async def work(store: Store) -> None:
        await revoke_account(store, name)

    with_store(work)
    out.print(f"{name} is revoked.", markup=False)
