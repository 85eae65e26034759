"""What consent tools write into their cookies, by name, and a shop's choice among them.

A preset that no longer fits what a tool writes matches nobody: then nothing is collected, and
`gloed check` shows the drops. None can match a refusal: each asks for the very part of the cookie
that says yes to statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.configuration import configure
from app.marked import N_
from app.shops import ShopError
from app.store import Store
from collector.sites import Site


@dataclass(frozen=True, slots=True)
class Preset:
    """A tool's cookie, and the glob that means yes to statistics.

    note    what the shop has to do for it, with names between backticks
    source  where the cookie's form is described
    """

    cookie: str
    pattern: str
    source: str
    note: str = ""


PRESETS: Mapping[str, Preset] = {
    "complianz": Preset(
        "cmplz_statistics",
        "allow",
        "complianz.io and what others read of it: a cookie for each category, allow or deny; where "
        "Complianz is told to ask nobody, it writes allow by itself",
    ),
    "cookiebot": Preset(
        "CookieConsent",
        "{*statistics:true*}",
        "cookiebot.com/en/developer: consent.statistics; written {stamp:…,statistics:true,…}",
    ),
    "cookieyes": Preset(
        "cookieyes-consent",
        "*,consent:yes,action:yes,*,analytics:yes*",
        "cookies of shops that use it: consentid:…,consent:yes,action:yes,…,analytics:yes,…; "
        "before anybody chose, the categories may say yes beside consent:no,action:",
    ),
    "klaro": Preset(
        "klaro",
        "*%22gloed%22%3Atrue*",
        "klaro.org/docs/integration/annotated-configuration: storageMethod cookie, storageName "
        "klaro; encoded JSON of each service's answer",
        N_("Name the service `gloed` in its configuration, and leave storageMethod at `cookie`."),
    ),
    "usercentrics": Preset(
        "gloed-consent",
        "yes",
        "usercentrics.atlassian.net, Does the Usercentrics CMP manage cookies: it keeps its "
        "answers out of cookies",
        N_(
            "It writes no cookie that a server sees: let your page set the cookie `gloed-consent` "
            "to `yes` when the service is accepted, and delete it when it is refused."
        ),
    ),
}


def preset(name: str) -> Preset:
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise ShopError(f"there is no preset {name!r}; there are {known}, and off")
    return PRESETS[name]


async def put_consent(store: Store, site: Site, cookie: str, pattern: str) -> None:
    """Ask this cookie from now on; the rest of the shop's configuration stays."""
    rule = {"cookie": cookie, "pattern": pattern}
    await configure(store, site, {**site.config, "consent": rule})


async def drop_consent(store: Store, site: Site) -> None:
    """Ask for no cookie: then the shop's own page decides by rendering the fragment or not."""
    config = {name: value for name, value in site.config.items() if name != "consent"}
    await configure(store, site, config)
