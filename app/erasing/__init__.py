"""Deleting what was recorded: a visit, a person's, days, a page, or a whole shop, wherever it lies.

Rows go from what arrived and from all that was made of it, in one transaction; tiles of the days
are made anew of what is left; every picture and answer gets another name (the data version). The
spool of this machine is emptied first, or what waits there would come back. What the disk held is
overwritten as the space is used again: Postgres promises no more.
"""

from app.erasing.deleting import Erased
from app.erasing.people import erase_ref, erase_visit, erase_visitor
from app.erasing.waiting import SpoolWaits, empty_spool
from app.erasing.wholes import erase_days, erase_page, erase_site

__all__ = [
    "Erased",
    "SpoolWaits",
    "empty_spool",
    "erase_days",
    "erase_page",
    "erase_ref",
    "erase_site",
    "erase_visit",
    "erase_visitor",
]
