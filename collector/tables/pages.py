"""What a shop says of its pages: their paths, zones and pictures, changes and notes."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import REAL as Real
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB

from collector.tables.columns import at, column, key, metadata, shop_number, text

path = sa.Table(
    "path",
    metadata,
    shop_number(),
    key("path_id", BigInteger, "blake2b 64 of the scrubbed path"),
    column("page_id", Integer, "the page it belongs to", nullable=True),
    column("language", SmallInteger, "class of the page's language", server_default="0"),
    text("path", "the path with whatever looks personal replaced", nullable=False),
)

page = sa.Table(
    "page",
    metadata,
    at("created_at", "when the page was named"),
    shop_number(),
    key("page_id", Integer, "number within the shop"),
    column("phase", SmallInteger, "where it stands in the journey"),
    column("goal", Boolean, "opening it completes the visit", server_default=sa.false()),
    column("cells", Boolean, "pointer cells lie over it", server_default=sa.false()),
    column("bandwidth_px", Real, "null: the rule's default", nullable=True),
    text("slug", "its name in URLs", nullable=False),
    text("title", "what people call it", nullable=False),
    sa.UniqueConstraint("site_id", "slug"),
    sa.CheckConstraint("phase BETWEEN 0 AND 5"),
)

page_rule = sa.Table(
    "page_rule",
    metadata,
    shop_number(),
    key("position", Integer, "the first match counts"),
    column("page_id", Integer, "the page"),
    text("glob", "pattern of scrubbed paths", nullable=False),
)

zone = sa.Table(
    "zone",
    metadata,
    at("valid_from", "since when this wording holds", primary_key=True),
    shop_number(),
    key("page_id", Integer, "its page"),
    key("number", SmallInteger, "number on the page, never reused"),
    column("sensitive", Boolean, "dwell and presses only, never states"),
    column("states", JSONB, "state selectors error, open, busy"),
    column("watches", JSONB, "what else is asked of a form's element: validity, checked"),
    column("also", JSONB, "more selectors of the same zone"),
    at("valid_to", "null while it holds", nullable=True),
    text("name", "what people call it", nullable=False),
    text("selector", "CSS selector within the closed grammar", nullable=False),
    text("role", "text, field, button, pay, frame or banner", nullable=False),
    sa.CheckConstraint("role IN ('text', 'field', 'button', 'pay', 'frame', 'banner')"),
    sa.CheckConstraint("number BETWEEN 1 AND 999"),
    sa.PrimaryKeyConstraint("site_id", "page_id", "number", "valid_from"),
)

layout = sa.Table(
    "layout",
    metadata,
    shop_number(),
    key("layout_id", BigInteger, "blake2b 64 of page, band, language, variant, pointer, time"),
    at("valid_from", "since when the page looks like this"),
    column("page_id", Integer, "its page"),
    column("width_px", Integer, "viewport width of the capture"),
    column("height_px", Integer, "height of the page"),
    column("picture_hash", LargeBinary, "its picture, null for boxes alone", nullable=True),
    column("band", SmallInteger, "width band"),
    column("language", SmallInteger, "class of the page's language"),
    column("variant", SmallInteger, "number of the variant, 0 none"),
    text("pointer", "fine or coarse", nullable=False),
    text("source", "capture, upload, api or script", nullable=False),
    sa.CheckConstraint("pointer IN ('fine', 'coarse')"),
    sa.Index("layout_of_page", "site_id", "page_id", "band", "valid_from"),
)

zone_box = sa.Table(
    "zone_box",
    metadata,
    shop_number(),
    key("layout_id", BigInteger, "the layout"),
    key("number", SmallInteger, "the zone"),
    column("x0_px", Real, "left edge, page px"),
    column("y0_px", Real, "top edge"),
    column("x1_px", Real, "right edge"),
    column("y1_px", Real, "bottom edge"),
    text("placement", "flow, fixed or inner", nullable=False),
    sa.CheckConstraint("placement IN ('flow', 'fixed', 'inner')"),
)

picture = sa.Table(
    "picture",
    metadata,
    shop_number(),
    key("hash", LargeBinary, "SHA-256 of the bytes"),
    column("width_px", Integer, "width of the image"),
    column("height_px", Integer, "height of the image"),
    column("png", LargeBinary, "the picture, re-encoded"),
)

change = sa.Table(
    "change",
    metadata,
    shop_number(),
    key("change_id", BigInteger, "number"),
    at("at", "when the shop changed"),
    column("page_id", Integer, "null: the whole shop", nullable=True),
    text("text", "what changed, in the shop's words", nullable=False),
)

segment = sa.Table(
    "segment",
    metadata,
    shop_number(),
    key("segment_id", BigInteger, "number"),
    column("filter", JSONB, "the saved cohort"),
    text("name", "what people call it", nullable=False),
)

note = sa.Table(
    "note",
    metadata,
    shop_number(),
    key("note_id", BigInteger, "number"),
    at("at", "when it was written"),
    column("place", JSONB, "page, layout and position it speaks of"),
    text("text", "what the team wrote", nullable=False),
)
