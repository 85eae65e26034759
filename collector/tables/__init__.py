"""Every table of the store, with a comment on every column: what is kept is this list, no more.

Tables that grow with traffic begin their key with `site_id` (partitioned ones: `site_id, day`),
so that the same schema distributes by `site_id`; columns stand widest first, which packs rows, and
so such tables name their key's order themselves. No extension, no trigger, no foreign key except
to `site`. `docs/stored.md` is generated from here (`make docs`), and a test compares the two.
"""

from __future__ import annotations

from collector.tables import arriving, derived, pages, people
from collector.tables.columns import metadata

__all__ = ["LOCAL", "PARTITIONED", "RAW", "arriving", "derived", "metadata", "pages", "people"]

PARTITIONED = ("beacon", "batch", "goal", "view", "visit", "stall_list", "tile", "daily")
"""By day; partitions are made by `collector/partitions.py` and dropped by retention."""

RAW = ("beacon", "batch", "goal")
"""What the collector acknowledges: everything else can be recomputed from these three."""

LOCAL = (
    "account",
    "membership",
    "sign_in_link",
    "sign_in_try",
    "api_key",
    "share",
    "salt",
    "erasure",
    "job",
)
"""Few rows, on the coordinator alone when the store is distributed."""
