"""What a shop's configuration may say, and how it is changed."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from app.refused import said
from app.shops import LIVE_SINCE, ShopError, take_turn, touch
from app.store import Store
from collector.addresses import IPV6_PREFIX_BYTES
from collector.sites import Site
from collector.staff import MOST_NETWORKS, MOST_ORIGINS
from snippets.selectors import check_selector

DEFAULT_WINDOW_H = 24
MAX_WINDOW_H = 7 * 24
"""How long a visit with a reference may still complete."""

RAW_DAYS, VIEW_DAYS, TILE_DAYS = 30, 400, 760
"""How many days are kept by default: what arrived, what was made of each view, and sums of days."""

MOST_RAW_DAYS = 90
SPARE_DAYS = 3
"""Raw rows are kept so long beyond the window: until then outcomes are decided and days sealed."""

MOST_DAYS = 3_660

LEAST_VISITS = 10
"""What an answer about a live shop rests on, unless the shop asks for more or fewer of itself."""

FEWEST_VISITS = 5
"""No shop may ask for fewer: of four visits, who knows three knows the fourth."""

MOST_LEAST_VISITS = 1_000

MOST_STARS = 5
"""Of a pattern: what matches it is then found in a few passes over the text."""

NO_GLOB = frozenset("[]")
"""Signs that would mean a class of signs, which nobody expects in a cookie's value."""


class Rule(BaseModel):
    """The shop's own consent cookie, as its configuration names it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    cookie: Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
    pattern: Annotated[str, Field(min_length=1, max_length=200)]

    @field_validator("pattern")
    @classmethod
    def _is_cheap(cls, pattern: str) -> str:
        """It is compared with what strangers send, on the way of every opening."""
        if pattern.count("*") > MOST_STARS or set(pattern) & NO_GLOB:
            raise ValueError(f"a pattern is plain text with at most {MOST_STARS} stars")
        if not set(pattern) - set("*?"):
            raise ValueError("this pattern means yes for every visitor: name what says yes")
        return pattern


def _own_network(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError as problem:
        raise ValueError("write a network as 192.0.2.0/24 or 2001:db8::/48") from problem
    if network.version == 6 and network.prefixlen > 8 * IPV6_PREFIX_BYTES:
        raise ValueError(f"IPv6 senders are known by their /{8 * IPV6_PREFIX_BYTES}: write that")
    return text


OwnNetwork = Annotated[str, Field(max_length=64), AfterValidator(_own_network)]
Host = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")]
"""As browsers send it: names of other scripts in their xn-- form, without scheme, port or path."""

MOST_RULES = 100


class QuarantineRule(BaseModel):
    """As `app/quarantine.py` writes them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    rule_id: Annotated[str, Field(alias="id", pattern=r"^q[0-9a-f]{8}$")]
    begins_at: Annotated[AwareDatetime, Field(alias="from")]
    ends_at: Annotated[AwareDatetime, Field(alias="to")]
    visit: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None


EXEMPT_DAYS = 760
"""Twenty-five months: the longest that statistics without consent may be kept, by the strictest
authority that allows them at all (CNIL)."""


class Configuration(BaseModel):
    """What a shop's configuration may say of the parts that the collector and the jobs read."""

    model_config = ConfigDict(strict=True, extra="allow")

    mode: Literal["off", "consent", "exempt"] = "consent"
    consent: Rule | None = None
    honour_opt_out: bool = True
    exclude_networks: Annotated[list[OwnNetwork], Field(max_length=MOST_NETWORKS)] = []
    origins: Annotated[list[Host], Field(max_length=MOST_ORIGINS)] = []
    quarantine: Annotated[list[QuarantineRule], Field(max_length=MOST_RULES)] = []
    quarantined_origins: Annotated[list[Host], Field(max_length=MOST_ORIGINS)] = []
    window_h: Annotated[int, Field(ge=1, le=MAX_WINDOW_H)] = DEFAULT_WINDOW_H
    raw_days: Annotated[int, Field(ge=1, le=MOST_RAW_DAYS)] = RAW_DAYS
    view_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = VIEW_DAYS
    tile_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = TILE_DAYS
    imported: bool = False
    least_visits: Annotated[int, Field(ge=FEWEST_VISITS, le=MOST_LEAST_VISITS)] = LEAST_VISITS
    menus: list[Annotated[str, AfterValidator(check_selector)]] = []

    @model_validator(mode="after")
    def _exempt_from_consent(self) -> Configuration:
        """What would need consent after all is refused in the mode that asks for none."""
        if self.mode != "exempt":
            return self
        if self.consent is not None:
            raise ValueError("mode exempt counts everybody: leave out consent, or the mode")
        if not self.honour_opt_out:
            raise ValueError("mode exempt needs a way to refuse: leave honour_opt_out on")
        if self.tile_days > EXEMPT_DAYS:
            raise ValueError(f"mode exempt keeps {EXEMPT_DAYS} days at the most, in tile_days")
        return self

    @model_validator(mode="after")
    def _kept_in_order(self) -> Configuration:
        least = least_raw_days(self.window_h)
        if self.raw_days < least:
            raise ValueError(
                f"raw_days must be at least {least} with a window of {self.window_h} h, "
                f"got {self.raw_days}"
            )
        if not self.raw_days <= self.view_days <= self.tile_days:
            raise ValueError(
                f"raw_days, view_days and tile_days must not fall, got {self.raw_days}, "
                f"{self.view_days} and {self.tile_days}"
            )
        return self


def least_raw_days(window_h: int) -> int:
    """Outcomes must be decided, and their days sealed, while the raw rows are there."""
    return -(-window_h // 24) + SPARE_DAYS


async def configure(store: Store, site: Site, config: dict[str, Any]) -> None:
    """Put this in place of the shop's configuration; ShopError where it cannot be followed."""
    try:
        Configuration.model_validate(config)
    except ValidationError as problem:
        told = ((".".join(map(str, error["loc"])), said(error)) for error in problem.errors())
        raise ShopError("; ".join(f"{place}: {what}" for place, what in told)) from problem
    async with store.transaction() as connection:
        await take_turn(connection, site)
        await connection.execute(_CONFIGURE, site.site_id, json.dumps(config))
        await touch(connection, site.site_id)


_CONFIGURE = f"""
    UPDATE site SET config = ($2::jsonb - '{LIVE_SINCE}') || CASE
        WHEN config ? '{LIVE_SINCE}' THEN jsonb_build_object('{LIVE_SINCE}', config->'{LIVE_SINCE}')
        ELSE '{{}}'::jsonb END
    WHERE site_id = $1
"""
