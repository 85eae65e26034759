"""What the jobs make of what arrived, all of which can be recomputed, and the jobs themselves."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Integer, LargeBinary, SmallInteger

from collector.tables.columns import at, code, codes, column, key, metadata, shop_number, text

view = sa.Table(
    "view",
    metadata,
    at("opened_at", "when it opened"),
    key("view_id", BigInteger, "the view"),
    column("visit_id", BigInteger, "its visit"),
    column("path_id", BigInteger, "the scrubbed path", nullable=True),
    key("day", Date, "day of the opening"),
    shop_number(),
    column("page_id", Integer, "its page"),
    column("config_version", Integer, "of the page's zones when it was closed"),
    column("duration_ms", Integer, "at least this long"),
    column("scroll_px", Integer, "deepest row seen, null unknown", nullable=True),
    column("page_height_px", Integer, "height of the document, null unknown", nullable=True),
    column("presses", Integer, "presses and clicks"),
    column("signals", Integer, "beacons and batches that arrived"),
    column("captures", SmallInteger, "bits of the ways it was seen"),
    column(
        "can",
        SmallInteger,
        "bits of the signals that its engine can send: 1 of zones, 2 validity, 4 depth, 8 bands, "
        "16 pointer cells, 32 the leave, 64 by script",
    ),
    column("viewport_width_px", SmallInteger, "viewport, null unknown", nullable=True),
    column("viewport_height_px", SmallInteger, "viewport, null unknown", nullable=True),
    *codes(),
    sa.Index("view_by_page", "site_id", "page_id", "day"),
    sa.PrimaryKeyConstraint("site_id", "day", "view_id"),
    postgresql_partition_by="RANGE (day)",
)

visit = sa.Table(
    "visit",
    metadata,
    at("started_at", "first opening"),
    at("ended_at", "last sign of life"),
    at("goal_at", "when it completed", nullable=True),
    key("visit_id", BigInteger, "the visit: its first view's id"),
    column("visitor", BigInteger, "keyed hash; its salt is gone after two days"),
    key("day", Date, "day of its first view"),
    shop_number(),
    column("entry_page_id", Integer, "first page"),
    column("exit_page_id", Integer, "last page"),
    column("views", Integer, "page views"),
    column("phases", SmallInteger, "bits of the phases reached"),
    *code("outcome", "0 browsed, 1 completed, 2 abandoned, 3 handed over, 4 open", 4),
    *code("outcome_source", "0 none, 1 page, 2 image, 3 server", 3),
    column("flags", SmallInteger, "bits: 1 bot, 2 staff, 4 copied, 8 quarantined"),
    *codes(),
    sa.PrimaryKeyConstraint("site_id", "day", "visit_id"),
    postgresql_partition_by="RANGE (day)",
)

stall_list = sa.Table(
    "stall_list",
    metadata,
    key("view_id", BigInteger, "the view"),
    column("visit_id", BigInteger, "its visit"),
    key("day", Date, "day of the view's opening"),
    shop_number(),
    column("page_id", Integer, "its page"),
    column("deepest_px", Integer, "deepest row seen, null unknown", nullable=True),
    column("enc", SmallInteger, "version of the packing"),
    column("bands", LargeBinary, "bands in view and for how long, packed"),
    column("stalls", LargeBinary, "zone, place in zone, x, y, ms, t of each stall, packed"),
    column("dwell", LargeBinary, "dwell per zone with its censoring interval, packed"),
    column(
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
    shop_number(),
    key("page_id", Integer, "the page"),
    key("day", Date, "a closed day"),
    key("band", SmallInteger, "width band 1..5 of the viewport, 0 unknown"),
    key("pointer", SmallInteger, "1 fine, 2 coarse; 0: visits seen in several ways"),
    key("kind", SmallInteger, "event kind, 0 for the views themselves"),
    key("capture", SmallInteger, "bits of the ways the views were seen"),
    key(
        "anchor", SmallInteger, "0: page px in 4 px cells; else the zone, 64 x 64 cells of its box"
    ),
    column("views", Integer, "page views behind it"),
    column("visits", Integer, "visits behind it"),
    column("enc", SmallInteger, "version of the packing"),
    column("cells", LargeBinary, "cell, mass, marks and visits, packed"),
    postgresql_partition_by="RANGE (day)",
)

daily = sa.Table(
    "daily",
    metadata,
    shop_number(),
    key("day", Date, "the day"),
    key("page_id", Integer, "the page"),
    key("device", SmallInteger, "device class"),
    key("band", SmallInteger, "width band"),
    key("browser", SmallInteger, "browser family"),
    key("os", SmallInteger, "operating system"),
    key("channel", SmallInteger, "class of the referrer's host"),
    key("variant", SmallInteger, "variant"),
    key("capture", SmallInteger, "how it was seen"),
    key("language", SmallInteger, "class of the language"),
    column("views", Integer, "page views"),
    column("visits", Integer, "visits, each under one combination of codes"),
    column("goals", Integer, "of these, how many completed"),
    column("dwell_ms", BigInteger, "stalls and dwell clocks in sum, as its stall map counts them"),
    postgresql_partition_by="RANGE (day)",
)

job = sa.Table(
    "job",
    metadata,
    at("dirty_since", "null when up to date", nullable=True),
    at("last_run_at", "when it last ran", nullable=True),
    key("site_id", Integer, "the shop, 0 for the whole store"),
    key("period", Date, "the day it works on"),
    sa.Column("name", sa.Text(collation="C"), primary_key=True, comment="which job"),
    column("tries", SmallInteger, "failed in a row", server_default="0"),
    column("took_ms", Integer, "how long the last run took", nullable=True),
    text("state", "waiting, done or failed", nullable=False),
    text("error", "why the last try failed", nullable=True),
    sa.CheckConstraint("state IN ('waiting', 'done', 'failed')"),
    sa.PrimaryKeyConstraint("name", "site_id", "period"),
)
