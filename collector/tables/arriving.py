"""What the collector keeps of what is sent, and counts of what it left out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import ARRAY, BigInteger, Date, Integer, LargeBinary, SmallInteger

from collector.tables.columns import at, codes, column, key, metadata, shop_number, text

salt = sa.Table(
    "salt",
    metadata,
    key("day", Date, "the day it is for"),
    column("secret", LargeBinary, "32 random bytes; deleted 48 h after the day began"),
    prefixes=["UNLOGGED"],
)

beacon = sa.Table(
    "beacon",
    metadata,
    at("at", "arrival"),
    key("view_id", BigInteger, "the view"),
    column(
        "visitor", BigInteger, "of `open`: keyed hash that dies with the day's salt", nullable=True
    ),
    column(
        "visitor_before",
        BigInteger,
        "of `open` in a day's first 30 min: under yesterday's salt",
        nullable=True,
    ),
    column("path_id", BigInteger, "of `open`: the scrubbed path", nullable=True),
    key("day", Date, "day of the view's opening in the site's zone"),
    shop_number(),
    column("page_id", Integer, "of `open`: the page", nullable=True),
    column("visitor_check", SmallInteger, "16 bits of the visitor: shows a copied token"),
    *codes(nullable=True),
    column(
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
    at("at", "arrival"),
    key("view_id", BigInteger, "the view"),
    column("visitor", BigInteger, "keyed hash that dies with the day's salt"),
    column("path_id", BigInteger, "the scrubbed path", nullable=True),
    key("day", Date, "day of the view's opening in the site's zone"),
    shop_number(),
    column("page_id", Integer, "the page"),
    column("opened_min", Integer, "opening, minutes since 1970"),
    column("page_height_px", Integer, "height of the document"),
    column(
        "codes",
        Integer,
        "device, band, browser, os, channel, variant, capture and language of `beacon`, the lowest "
        "bits first: 3, 3, 4, 4, 3, 8, 3, 4",
    ),
    key("seq", SmallInteger, "number of the batch within its view"),
    column("n", SmallInteger, "points in the trail"),
    column("page_width_px", SmallInteger, "width of the document"),
    column("viewport_width_px", SmallInteger, "viewport"),
    column("viewport_height_px", SmallInteger, "viewport"),
    column("enc", SmallInteger, "version of the packing"),
    column("trail", LargeBinary, "pointer trail, packed"),
    column("ev", LargeBinary, "clicks, focus and scroll, packed"),
    column("ref_hash", LargeBinary, "HMAC of the shop's reference; empty after its window"),
    text(
        "visitor_before",
        "in a day's first 30 min: under yesterday's salt, its digits; else empty",
        nullable=False,
    ),
    sa.CheckConstraint("codes & 7 <= 3"),
    sa.Index("batch_by_page", "site_id", "page_id", "day"),
    sa.PrimaryKeyConstraint("site_id", "day", "view_id", "seq"),
    postgresql_partition_by="RANGE (day)",
)

goal = sa.Table(
    "goal",
    metadata,
    at("at", "when it was reached"),
    key("goal_id", BigInteger, "blake2b 64 of (reference or visitor, result)"),
    column("visitor", BigInteger, "keyed hash, where no reference came", nullable=True),
    key("day", Date, "day of the arrival in the site's zone"),
    shop_number(),
    column("source", SmallInteger, "2 image, 3 the shop's server"),
    column("result", SmallInteger, "1 completed, 3 handed over, 2 failed"),
    column(
        "ref_hash",
        LargeBinary,
        "HMAC of the shop's reference; null after its window",
        nullable=True,
    ),
    sa.PrimaryKeyConstraint("site_id", "day", "goal_id"),
    postgresql_partition_by="RANGE (day)",
)

dropped = sa.Table(
    "dropped",
    metadata,
    column("n", BigInteger, "how many"),
    shop_number(),
    key("day", Date, "day of the arrival"),
    key("capture", SmallInteger, "by which way it came"),
    sa.Column("reason", sa.Text(collation="C"), primary_key=True, comment="why"),
    sa.PrimaryKeyConstraint("site_id", "day", "reason", "capture"),
)

erasure = sa.Table(
    "erasure",
    metadata,
    at("at", "when it was deleted; what had arrived by then is kept by no collector any more"),
    sa.Column("erasure_id", Integer, sa.Identity(), primary_key=True, comment="number"),
    column("site_id", Integer, "the shop, there or not"),
    column("first_day", Date, "of the days; null: every day", nullable=True),
    column("last_day", Date, "of the days", nullable=True),
    column("page_id", Integer, "of a page alone", nullable=True),
    column("views", ARRAY(BigInteger), "of these views; null: of all", nullable=True),
    column("visitors", ARRAY(BigInteger), "of whoever asked: keyed hashes that died with a salt"),
    column("refs", ARRAY(LargeBinary), "of whoever asked: HMAC, emptied after the shop's window"),
)
"""What no spool may bring back; deleted once no spool can hold it any more."""
