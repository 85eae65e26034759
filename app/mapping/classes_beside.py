"""The days beside a coloured map: what its classes differ by from those of a map a day longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.folding.raw import Closed
from app.folding.seen import Seen
from app.mapping.classes import Classes
from app.mapping.ends import Ends
from app.mapping.filters import MapQuery
from collector.sites import Site

DAY = timedelta(days=1)


class BesideClasses:
    """Tells classes of the day before their map's period, or of the one after it.

    Of a day of which only sums are left nobody is told: who asks for it by class is refused.
    """

    wants = True

    def __init__(self, site: Site, query: MapQuery, classes: Classes) -> None:
        self._site, self._query, self._classes = site, query, classes

    def hear(self, read: Sequence[Seen], closed: Closed) -> None:
        ends = Ends(self._site, self._query, closed)
        self._classes.outcomes = closed.outcomes
        self._classes.take_beside(ends.taken(read), ends.visit_of, ends.ended)
