"""What stands around every view of a page: its tabs, the form for a share, what is left aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.access.session import Rights
from app.mapping.filters import MAX_DAYS
from app.mapping.small_numbers import LOWER_EDGES_PX, UPPER_EDGES_PX
from app.pages.labels import CHOICES, FIELDS, PHASES
from app.pages.reading.shares import choices as share_choices
from app.pages.reading.tabs import TAKEN, not_chosen_by, tabs
from collector.sites import Page, Site


def around(
    site: Site,
    page: Page,
    rights: tuple[Rights, ...],
    everything: Mapping[str, str],
    present: str,
) -> dict[str, Any]:
    """everything: what the address asks for, for this view and for others."""
    taken = TAKEN.get(present, FIELDS)
    carried = {name: value for name, value in everything.items() if name not in taken}
    return {
        "site": site,
        "page": page,
        "present": present,
        "tabs": tabs(everything, present),
        "carried": carried,
        "not_chosen_by": not_chosen_by(carried),
        "may_share": any(one.may("write", site.site_id) for one in rights),
        "at_home": any(one.may("read", site.site_id) for one in rights),
        "choices": CHOICES,
        "fields": FIELDS,
        "max_days": MAX_DAYS,
        "lower_edges_px": LOWER_EDGES_PX,
        "upper_edges_px": UPPER_EDGES_PX,
        "phases": PHASES,
        **share_choices(),
    }
