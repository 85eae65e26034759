"""Who may see a shop, as its owner arranges it: invite somebody by a link, give a role, take it.

An account may belong to several shops with different owners. So an owner gives and takes roles of
their own shop, and makes sign-in links for nobody who could thereby be taken over elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.access.accounts import SCOPES_OF, account_named, add_account, put_role
from app.access.keys import OWNER, KeyProblem, new_sign_in_link
from app.store import Store
from collector.sites import Site


@dataclass(frozen=True, slots=True)
class Member:
    """by_password: whether the account can sign in without a link; elsewhere: has other shops."""

    name: str
    role: str
    by_password: bool
    elsewhere: bool


async def members_of(store: Store, site: Site) -> tuple[Member, ...]:
    rows = await store.fetch(
        "SELECT name, role, password IS NOT NULL AS by_password, EXISTS (SELECT FROM membership AS "
        "other WHERE other.account_id = account.account_id AND other.site_id <> $1) AS elsewhere "
        "FROM membership JOIN account USING (account_id) WHERE site_id = $1 ORDER BY name",
        site.site_id,
    )
    return tuple(Member(**dict(row)) for row in rows)


async def invite(store: Store, site: Site, name: str, role: str, now: datetime) -> str | None:
    """Give the role; the path of a link that signs in once, or None for who was here before."""
    if role not in SCOPES_OF:
        raise KeyProblem(f"a role is one of {', '.join(SCOPES_OF)}, got {role!r}")
    if name == OWNER or await _is_known(store, name):
        await put_role(store, name, site, role)
        return None
    account_id = await add_account(store, name, now)
    await put_role(store, name, site, role)
    return await new_sign_in_link(store, now, account_id)


async def _is_known(store: Store, name: str) -> bool:
    return bool(await store.fetchval("SELECT EXISTS (SELECT FROM account WHERE name = $1)", name))


async def change_role(store: Store, site: Site, name: str, role: str | None) -> None:
    """Of a member; None ends the membership. Raises KeyProblem for who is none."""
    await _member(store, site, name)
    await put_role(store, name, site, role)


async def another_link(store: Store, site: Site, name: str, now: datetime) -> str:
    """A link for a member of this shop alone."""
    found = await _member(store, site, name)
    if found.elsewhere:
        raise KeyProblem(
            f"{name} belongs to other shops too: only `gloed account link {name}` makes a link"
        )
    return await new_sign_in_link(store, now, await account_named(store, name))


async def _member(store: Store, site: Site, name: str) -> Member:
    for member in await members_of(store, site):
        if member.name == name:
            return member
    raise KeyProblem(f"{name!r} is no member of this shop")
