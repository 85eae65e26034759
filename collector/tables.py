"""Every table of the store, with a comment on every column: what is kept is this list, no more.

Tables that grow with traffic begin their key with `site_id` (partitioned ones: `site_id, day`),
so that the same schema distributes by `site_id`; columns stand widest first, which packs rows, and
so such tables name their key's order themselves. No extension, no trigger, no foreign key except
to `site`. `docs/stored.md` is generated from here (`make docs`), and a test compares the two.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import REAL as Real
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Integer, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

PARTITIONED = ("beacon", "batch", "goal", "view", "visit", "stall_list", "tile", "daily")
"""By day; partitions are made by `collector/partitions.py` and dropped by retention."""

RAW = ("beacon", "batch", "goal")
"""What the collector acknowledges: everything else can be recomputed from these three."""


def _text(name: str, comment: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), comment=comment, **more)


def _column(name: str, kind: Any, comment: str, **more: Any) -> sa.Column[Any]:
    more.setdefault("nullable", False)
    return sa.Column(name, kind, comment=comment, **more)


def _at(name: str, comment: str, **more: Any) -> sa.Column[Any]:
    return _column(name, DateTime(timezone=True), comment, **more)


def _site(*, primary_key: bool = True) -> sa.Column[Any]:
    return sa.Column(
        "site_id",
        Integer,
        sa.ForeignKey("site.site_id"),
        primary_key=primary_key,
        autoincrement=False,
        nullable=False,
        comment="the shop",
    )


def _plain_site() -> sa.Column[Any]:
    """Of distributed tables: without the foreign key, which a partitioned COPY pays for per row."""
    return _key("site_id", Integer, "the shop")


def _key(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(
        name, kind, primary_key=True, autoincrement=False, nullable=False, comment=comment
    )


def _code(name: str, comment: str, top: int, *, nullable: bool = False) -> list[Any]:
    return [
        sa.Column(name, SmallInteger, nullable=nullable, comment=comment),
        sa.CheckConstraint(f"{name} BETWEEN 0 AND {top}"),
    ]


def _codes(*, nullable: bool = False) -> list[Any]:
    listed = (
        ("device", "device class: 0 unknown, 1 desktop, 2 phone, 3 tablet", 3),
        ("band", "width band 1..5 of the viewport, 0 unknown", 5),
        ("browser", "browser family by a closed list", 31),
        ("os", "operating system by a closed list", 31),
        ("channel", "class of the referrer's host", 15),
        ("variant", "number of the page's variant, 0 none", 255),
        ("capture", "1 script-free, 2 script, 3 server, 4 import", 4),
        ("language", "class of the browser's first language", 15),
    )
    return [
        part
        for name, comment, top in listed
        for part in _code(name, comment, top, nullable=nullable)
    ]


site = sa.Table(
    "site",
    metadata,
    _column(
        "data_version", BigInteger, "grows whenever an answer could change", server_default="0"
    ),
    _at("created_at", "when the site was added"),
    sa.Column("site_id", Integer, sa.Identity(), primary_key=True, comment="number of the shop"),
    _text("public_key", "gs_…, stands in the pasted snippet", unique=True, nullable=False),
    _text("name", "what people call the shop", nullable=False),
    _text("time_zone", "IANA name; decides what a day is", nullable=False),
    _text("state", "trying or live", nullable=False),
    _column("config", JSONB, "consent, window, kept days, guards", server_default="{}"),
    sa.CheckConstraint("state IN ('trying', 'live')"),
)

account = sa.Table(
    "account",
    metadata,
    _at("created_at", "when the account was made"),
    sa.Column("account_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    _column("sessions", Integer, "grows whenever all its sessions end", server_default="0"),
    _text("name", "what the person is called here", unique=True, nullable=False),
    _text("language", "nl or en, once chosen", nullable=True),
    _text("password", "scrypt with its parameters and salt; null: by links alone", nullable=True),
)

membership = sa.Table(
    "membership",
    metadata,
    sa.Column(
        "account_id",
        Integer,
        sa.ForeignKey("account.account_id", ondelete="CASCADE"),
        primary_key=True,
        comment="the account",
    ),
    _site(),
    _text("role", "owner, editor or reader", nullable=False),
    sa.CheckConstraint("role IN ('owner', 'editor', 'reader')"),
)

sign_in_link = sa.Table(
    "sign_in_link",
    metadata,
    _at("expires_at", "good until"),
    _at("used_at", "null while unused: a link works once", nullable=True),
    sa.Column("link_hash", LargeBinary, primary_key=True, comment="SHA-256 of the link's secret"),
    sa.Column(
        "account_id",
        Integer,
        sa.ForeignKey("account.account_id", ondelete="CASCADE"),
        nullable=False,
        comment="who signs in",
    ),
)

sign_in_try = sa.Table(
    "sign_in_try",
    metadata,
    _at("at", "when a password was tried; deleted by the first try 15 min later"),
    sa.Column("sign_in_try_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    _column("name_hash", LargeBinary, "keyed hash of the account's name, there or not"),
)

api_key = sa.Table(
    "api_key",
    metadata,
    _at("created_at", "when the key was made"),
    _at("last_used_at", "day of last use", nullable=True),
    _at("revoked_at", "null while good", nullable=True),
    sa.Column("api_key_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    _site(primary_key=False),
    _column(
        "key_hash", LargeBinary, "SHA-256 of the key; the key itself is shown once", unique=True
    ),
    _text("scope", "read, write or goal", nullable=False),
    _text("label", "what the key is for", nullable=False),
    sa.CheckConstraint("scope IN ('read', 'write', 'goal')"),
)

share = sa.Table(
    "share",
    metadata,
    _at("expires_at", "good until"),
    _at("revoked_at", "null while good", nullable=True),
    sa.Column("share_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    _site(primary_key=False),
    _column("target", JSONB, "what the link shows"),
)

salt = sa.Table(
    "salt",
    metadata,
    _key("day", Date, "the day it is for"),
    _column("secret", LargeBinary, "32 random bytes; deleted 48 h after the day began"),
    prefixes=["UNLOGGED"],
)

job = sa.Table(
    "job",
    metadata,
    _at("dirty_since", "null when up to date", nullable=True),
    _at("last_run_at", "when it last ran", nullable=True),
    _key("site_id", Integer, "the shop, 0 for the whole store"),
    _key("period", Date, "the day it works on"),
    sa.Column("name", sa.Text(collation="C"), primary_key=True, comment="which job"),
    _column("tries", SmallInteger, "failed in a row", server_default="0"),
    _column("took_ms", Integer, "how long the last run took", nullable=True),
    _text("state", "waiting, done or failed", nullable=False),
    _text("error", "why the last try failed", nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'done', 'failed')"),
    sa.PrimaryKeyConstraint("name", "site_id", "period"),
)

path = sa.Table(
    "path",
    metadata,
    _plain_site(),
    _key("path_id", BigInteger, "blake2b 64 of the scrubbed path"),
    _column("page_id", Integer, "the page it belongs to", nullable=True),
    _column("language", SmallInteger, "class of the page's language", server_default="0"),
    _text("path", "the path with whatever looks personal replaced", nullable=False),
)

page = sa.Table(
    "page",
    metadata,
    _at("created_at", "when the page was named"),
    _plain_site(),
    _key("page_id", Integer, "number within the shop"),
    _column("phase", SmallInteger, "where it stands in the journey"),
    _column("goal", Boolean, "opening it completes the visit", server_default=sa.false()),
    _column("cells", Boolean, "pointer cells lie over it", server_default=sa.false()),
    _column("bandwidth_px", Real, "null: the rule's default", nullable=True),
    _text("slug", "its name in URLs", nullable=False),
    _text("title", "what people call it", nullable=False),
    sa.UniqueConstraint("site_id", "slug"),
    sa.CheckConstraint("phase BETWEEN 0 AND 5"),
)

page_rule = sa.Table(
    "page_rule",
    metadata,
    _plain_site(),
    _key("position", Integer, "the first match counts"),
    _column("page_id", Integer, "the page"),
    _text("glob", "pattern of scrubbed paths", nullable=False),
)

zone = sa.Table(
    "zone",
    metadata,
    _at("valid_from", "since when this wording holds", primary_key=True),
    _plain_site(),
    _key("page_id", Integer, "its page"),
    _key("number", SmallInteger, "number on the page, never reused"),
    _column("sensitive", Boolean, "dwell and presses only, never states"),
    _column("states", JSONB, "state selectors error, open, busy"),
    _column("watches", JSONB, "what else is asked of a form's element: validity, checked"),
    _column("also", JSONB, "more selectors of the same zone"),
    _at("valid_to", "null while it holds", nullable=True),
    _text("name", "what people call it", nullable=False),
    _text("selector", "CSS selector within the closed grammar", nullable=False),
    _text("role", "text, field, button, pay, frame or banner", nullable=False),
    sa.CheckConstraint("role IN ('text', 'field', 'button', 'pay', 'frame', 'banner')"),
    sa.CheckConstraint("number BETWEEN 1 AND 999"),
    sa.PrimaryKeyConstraint("site_id", "page_id", "number", "valid_from"),
)

layout = sa.Table(
    "layout",
    metadata,
    _plain_site(),
    _key("layout_id", BigInteger, "blake2b 64 of page, band, language, variant, pointer, time"),
    _at("valid_from", "since when the page looks like this"),
    _column("page_id", Integer, "its page"),
    _column("width_px", Integer, "viewport width of the capture"),
    _column("height_px", Integer, "height of the page"),
    _column("picture_hash", LargeBinary, "its picture, null for boxes alone", nullable=True),
    _column("band", SmallInteger, "width band"),
    _column("language", SmallInteger, "class of the page's language"),
    _column("variant", SmallInteger, "number of the variant, 0 none"),
    _text("pointer", "fine or coarse", nullable=False),
    _text("source", "capture, upload, api or script", nullable=False),
    sa.CheckConstraint("pointer IN ('fine', 'coarse')"),
    sa.Index("layout_of_page", "site_id", "page_id", "band", "valid_from"),
)

zone_box = sa.Table(
    "zone_box",
    metadata,
    _plain_site(),
    _key("layout_id", BigInteger, "the layout"),
    _key("number", SmallInteger, "the zone"),
    _column("x0_px", Real, "left edge, page px"),
    _column("y0_px", Real, "top edge"),
    _column("x1_px", Real, "right edge"),
    _column("y1_px", Real, "bottom edge"),
    _text("placement", "flow, fixed or inner", nullable=False),
    sa.CheckConstraint("placement IN ('flow', 'fixed', 'inner')"),
)

picture = sa.Table(
    "picture",
    metadata,
    _plain_site(),
    _key("hash", LargeBinary, "SHA-256 of the bytes"),
    _column("width_px", Integer, "width of the image"),
    _column("height_px", Integer, "height of the image"),
    _column("png", LargeBinary, "the picture, re-encoded"),
)

change = sa.Table(
    "change",
    metadata,
    _plain_site(),
    _key("change_id", BigInteger, "number"),
    _at("at", "when the shop changed"),
    _column("page_id", Integer, "null: the whole shop", nullable=True),
    _text("text", "what changed, in the shop's words", nullable=False),
)

segment = sa.Table(
    "segment",
    metadata,
    _plain_site(),
    _key("segment_id", BigInteger, "number"),
    _column("filter", JSONB, "the saved cohort"),
    _text("name", "what people call it", nullable=False),
)

note = sa.Table(
    "note",
    metadata,
    _plain_site(),
    _key("note_id", BigInteger, "number"),
    _at("at", "when it was written"),
    _column("place", JSONB, "page, layout and position it speaks of"),
    _text("text", "what the team wrote", nullable=False),
)

beacon = sa.Table(
    "beacon",
    metadata,
    _at("at", "arrival"),
    _key("view_id", BigInteger, "the view"),
    _column(
        "visitor", BigInteger, "of `open`: keyed hash that dies with the day's salt", nullable=True
    ),
    _column(
        "visitor_before",
        BigInteger,
        "of `open` in a day's first 30 min: under yesterday's salt",
        nullable=True,
    ),
    _column("path_id", BigInteger, "of `open`: the scrubbed path", nullable=True),
    _key("day", Date, "day of the view's opening in the site's zone"),
    _plain_site(),
    _column("page_id", Integer, "of `open`: the page", nullable=True),
    _column("visitor_check", SmallInteger, "16 bits of the visitor: shows a copied token"),
    *_codes(nullable=True),
    _column(
        "ref_hash",
        LargeBinary,
        "of `open`: HMAC of the shop's reference; null after its window",
        nullable=True,
    ),
    sa.Column(
        "name",
        sa.Text(collation="C"),
        primary_key=True,
        comment="what happened, by the closed grammar",
    ),
    sa.PrimaryKeyConstraint("site_id", "day", "view_id", "name"),
    postgresql_partition_by="RANGE (day)",
)
sa.Index(
    "beacon_open_by_page",
    beacon.c.site_id,
    beacon.c.page_id,
    beacon.c.day,
    postgresql_where=beacon.c.name == "open",
)

batch = sa.Table(
    "batch",
    metadata,
    _at("at", "arrival"),
    _key("view_id", BigInteger, "the view"),
    _column("visitor", BigInteger, "keyed hash that dies with the day's salt"),
    _column(
        "visitor_before",
        BigInteger,
        "in a day's first 30 min: under yesterday's salt",
        nullable=True,
    ),
    _column("path_id", BigInteger, "the scrubbed path", nullable=True),
    _key("day", Date, "day of the view's opening in the site's zone"),
    _plain_site(),
    _column("page_id", Integer, "the page"),
    _column("opened_min", Integer, "opening, minutes since 1970"),
    _column("page_height_px", Integer, "height of the document"),
    _column(
        "codes",
        Integer,
        "device, band, browser, os, channel, variant, capture and language of `beacon`, the lowest "
        "bits first: 3, 3, 4, 4, 3, 8, 3, 4",
    ),
    _key("seq", SmallInteger, "number of the batch within its view"),
    _column("n", SmallInteger, "points in the trail"),
    _column("page_width_px", SmallInteger, "width of the document"),
    _column("viewport_width_px", SmallInteger, "viewport"),
    _column("viewport_height_px", SmallInteger, "viewport"),
    _column("enc", SmallInteger, "version of the packing"),
    _column("trail", LargeBinary, "pointer trail, packed"),
    _column("ev", LargeBinary, "clicks, focus and scroll, packed"),
    _column(
        "ref_hash",
        LargeBinary,
        "HMAC of the shop's reference; null after its window",
        nullable=True,
    ),
    sa.CheckConstraint("codes & 7 <= 3"),
    sa.Index("batch_by_page", "site_id", "page_id", "day"),
    sa.PrimaryKeyConstraint("site_id", "day", "view_id", "seq"),
    postgresql_partition_by="RANGE (day)",
)

goal = sa.Table(
    "goal",
    metadata,
    _at("at", "when it was reached"),
    _key("goal_id", BigInteger, "blake2b 64 of (reference or visitor, result)"),
    _column("visitor", BigInteger, "keyed hash, where no reference came", nullable=True),
    _key("day", Date, "day of the arrival in the site's zone"),
    _plain_site(),
    _column("source", SmallInteger, "2 image, 3 the shop's server"),
    _column("result", SmallInteger, "1 completed, 3 handed over, 2 failed"),
    _column(
        "ref_hash",
        LargeBinary,
        "HMAC of the shop's reference; null after its window",
        nullable=True,
    ),
    sa.PrimaryKeyConstraint("site_id", "day", "goal_id"),
    postgresql_partition_by="RANGE (day)",
)

view = sa.Table(
    "view",
    metadata,
    _at("opened_at", "when it opened"),
    _key("view_id", BigInteger, "the view"),
    _column("visit_id", BigInteger, "its visit"),
    _column("path_id", BigInteger, "the scrubbed path", nullable=True),
    _key("day", Date, "day of the opening"),
    _plain_site(),
    _column("page_id", Integer, "its page"),
    _column("config_version", Integer, "of the page's zones when it was closed"),
    _column("duration_ms", Integer, "at least this long"),
    _column("scroll_px", Integer, "deepest row seen, null unknown", nullable=True),
    _column("page_height_px", Integer, "height of the document, null unknown", nullable=True),
    _column("presses", Integer, "presses and clicks"),
    _column("signals", Integer, "beacons and batches that arrived"),
    _column("captures", SmallInteger, "bits of the ways it was seen"),
    _column(
        "can",
        SmallInteger,
        "bits of the signals that its engine can send: 1 of zones, 2 validity, 4 depth, 8 bands, "
        "16 pointer cells, 32 the leave, 64 by script",
    ),
    _column("viewport_width_px", SmallInteger, "viewport, null unknown", nullable=True),
    _column("viewport_height_px", SmallInteger, "viewport, null unknown", nullable=True),
    *_codes(),
    sa.Index("view_by_page", "site_id", "page_id", "day"),
    sa.PrimaryKeyConstraint("site_id", "day", "view_id"),
    postgresql_partition_by="RANGE (day)",
)

visit = sa.Table(
    "visit",
    metadata,
    _at("started_at", "first opening"),
    _at("ended_at", "last sign of life"),
    _at("goal_at", "when it completed", nullable=True),
    _key("visit_id", BigInteger, "the visit: its first view's id"),
    _column("visitor", BigInteger, "keyed hash; its salt is gone after two days"),
    _key("day", Date, "day of its first view"),
    _plain_site(),
    _column("entry_page_id", Integer, "first page"),
    _column("exit_page_id", Integer, "last page"),
    _column("views", Integer, "page views"),
    _column("phases", SmallInteger, "bits of the phases reached"),
    *_code("outcome", "0 browsed, 1 completed, 2 abandoned, 3 handed over, 4 open", 4),
    *_code("outcome_source", "0 none, 1 page, 2 image, 3 server", 3),
    _column("flags", SmallInteger, "bits: 1 bot, 2 staff, 4 copied, 8 quarantined"),
    *_codes(),
    sa.PrimaryKeyConstraint("site_id", "day", "visit_id"),
    postgresql_partition_by="RANGE (day)",
)

stall_list = sa.Table(
    "stall_list",
    metadata,
    _key("view_id", BigInteger, "the view"),
    _column("visit_id", BigInteger, "its visit"),
    _key("day", Date, "day of the view's opening"),
    _plain_site(),
    _column("page_id", Integer, "its page"),
    _column("deepest_px", Integer, "deepest row seen, null unknown", nullable=True),
    _column("enc", SmallInteger, "version of the packing"),
    _column("bands", LargeBinary, "bands in view and for how long, packed"),
    _column("stalls", LargeBinary, "zone, place in zone, x, y, ms, t of each stall, packed"),
    _column("dwell", LargeBinary, "dwell per zone with its censoring interval, packed"),
    _column(
        "facts",
        LargeBinary,
        "first hover, first focus, presses and states of zones, each with its moment, packed",
    ),
    sa.Index("stall_list_by_page", "site_id", "page_id", "day"),
    sa.PrimaryKeyConstraint("site_id", "day", "view_id"),
    postgresql_partition_by="RANGE (day)",
)

tile = sa.Table(
    "tile",
    metadata,
    _plain_site(),
    _key("page_id", Integer, "the page"),
    _key("day", Date, "a closed day"),
    _key("band", SmallInteger, "width band 1..5 of the viewport, 0 unknown"),
    _key("pointer", SmallInteger, "1 fine, 2 coarse; 0: visits seen in several ways"),
    _key("kind", SmallInteger, "event kind, 0 for the views themselves"),
    _key("capture", SmallInteger, "bits of the ways the views were seen"),
    _key(
        "anchor", SmallInteger, "0: page px in 4 px cells; else the zone, 64 x 64 cells of its box"
    ),
    _column("views", Integer, "page views behind it"),
    _column("visits", Integer, "visits behind it"),
    _column("enc", SmallInteger, "version of the packing"),
    _column("cells", LargeBinary, "cell, mass, marks and visits, packed"),
    postgresql_partition_by="RANGE (day)",
)

daily = sa.Table(
    "daily",
    metadata,
    _plain_site(),
    _key("day", Date, "the day"),
    _key("page_id", Integer, "the page"),
    _key("device", SmallInteger, "device class"),
    _key("band", SmallInteger, "width band"),
    _key("browser", SmallInteger, "browser family"),
    _key("os", SmallInteger, "operating system"),
    _key("channel", SmallInteger, "class of the referrer's host"),
    _key("variant", SmallInteger, "variant"),
    _key("capture", SmallInteger, "how it was seen"),
    _key("language", SmallInteger, "class of the language"),
    _column("views", Integer, "page views"),
    _column("visits", Integer, "visits, each under one combination of codes"),
    _column("goals", Integer, "of these, how many completed"),
    _column("dwell_ms", BigInteger, "stalls and dwell clocks in sum, as its stall map counts them"),
    postgresql_partition_by="RANGE (day)",
)

dropped = sa.Table(
    "dropped",
    metadata,
    _column("n", BigInteger, "how many"),
    _plain_site(),
    _key("day", Date, "day of the arrival"),
    _key("capture", SmallInteger, "by which way it came"),
    sa.Column("reason", sa.Text(collation="C"), primary_key=True, comment="why"),
    sa.PrimaryKeyConstraint("site_id", "day", "reason", "capture"),
)

LOCAL = (
    "account",
    "membership",
    "sign_in_link",
    "sign_in_try",
    "api_key",
    "share",
    "salt",
    "job",
)
"""Few rows, on the coordinator alone when the store is distributed."""
