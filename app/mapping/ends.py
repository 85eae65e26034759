"""Views beside what the closing job knows of their visits: whose they are, and how those ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.closing.shut_out import RULES, SHUT_OUT
from app.folding.raw import Closed
from app.folding.seen import Seen
from app.mapping.choosing import Ended
from app.mapping.filters import MapQuery
from collector.sites import Site


def needs_ends(site: Site, query: MapQuery) -> bool:
    """Whether a map has to know how visits ended, or which of them the owner took out."""
    by_outcome = query.outcome is not None or query.colour_by == "outcome"
    return by_outcome or bool(site.config.get(RULES))


@dataclass(frozen=True, slots=True, init=False)
class Ends:
    """Of a map.

    ended   the views whose visits ended as it asks; of no outcome, none
    closed  what is known of all
    """

    ended: Ended
    closed: Closed
    _out: Ended

    def __init__(self, site: Site, query: MapQuery, closed: Closed) -> None:
        wanted, flags = query.outcome, closed.flags.items() if site.config.get(RULES) else ()
        ended = {key for key, outcome in closed.outcomes.items() if outcome == wanted}
        object.__setattr__(self, "ended", ended)
        object.__setattr__(self, "closed", closed)
        object.__setattr__(self, "_out", {key for key, told in flags if told & SHUT_OUT})

    def visit_of(self, view: Seen) -> int:
        """A view of the last minute has no visit yet, and stands for its visitor's."""
        return self.closed.visit_ids.get((view.day, view.view_id), view.visitor)

    def taken(self, views: Iterable[Seen]) -> list[Seen]:
        """Those that the owner did not take out of every answer."""
        return [view for view in views if (view.day, view.view_id) not in self._out]
