"""The address of a question about two cohorts → what it asks, or which fields cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import Request
from pydantic import ValidationError

from app.contrasting.asked import PixelsQuery, ZonesQuery
from app.pages.reading.asked import PERIOD
from app.pages.reading.comparing import Pair
from app.pages.reading.tabs import parted
from app.problems import BadParameters

OF_A_QUESTION = frozenset({"a", "b", "planned", "date_from", "date_to"})
"""What a question is about, as no filter chooses it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """given: what the address says, empty fields left out; query: what it asks."""

    given: Mapping[str, str]
    query: ZonesQuery
    carried: Mapping[str, str] = field(default_factory=dict)
    """What other views of the page are asked for, and this one is not."""
    wrong: tuple[str, ...] = ()

    @property
    def everything(self) -> dict[str, str]:
        """As the address has it, for the page's other views."""
        return {**self.given, **self.carried}

    @property
    def address(self) -> str:
        return urlencode(self.given)

    def again(self, **more: str) -> str:
        """The same question to the page, with something put in its place."""
        return urlencode({**self.given, **self.carried, **more})

    @property
    def unfiltered(self) -> str:
        """The same two cohorts in the same period, of everybody."""
        return urlencode({name: told for name, told in self.given.items() if name in OF_A_QUESTION})

    def comparing(self, pair: Pair) -> str:
        """The same visits, asked for other cohorts."""
        others = {n: v for n, v in self.given.items() if n not in ("a", "b", "planned")}
        return urlencode({**others, "a": pair.a, "b": pair.b})

    def compares(self, pair: Pair) -> bool:
        return (self.query.a, self.query.b) == (pair.a, pair.b)

    def drawn(self, **more: str) -> str:
        """The same question to stalls.png, or to compare.png with both cohorts named."""
        told = {name: value for name, value in self.given.items() if name != "planned"}
        if not self.query.is_default:
            told |= {"a": self.query.a, "b": self.query.b}
        else:
            told = {name: value for name, value in told.items() if name not in ("a", "b")}
        return urlencode({**told, **more})

    @property
    def picture(self) -> str:
        return "stalls" if self.query.is_default else "compare"

    @property
    def pixels(self) -> PixelsQuery:
        return PixelsQuery(**self.query.model_dump(exclude={"planned"}))


def read_asked(request: Request) -> Asked:
    """A form sends its empty fields too: they ask for nothing."""
    told = ((n, v.strip()) for n, v in request.query_params.multi_items() if v.strip())
    pairs, carried = parted(told, ZonesQuery.model_fields)
    twice = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        raise BadParameters("given twice")
    given = dict(pairs)
    try:
        return Asked(given, ZonesQuery.model_validate(given), carried)
    except ValidationError as problem:
        return Asked(given, ZonesQuery(), carried, wrong_in(problem))


def wrong_in(problem: ValidationError) -> tuple[str, ...]:
    """Names of the fields that cannot be read; of an order between two the first."""
    named = (str(error["loc"][0]) if error["loc"] else PERIOD for error in problem.errors())
    return tuple(dict.fromkeys(named))
