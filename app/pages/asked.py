"""The address of a map page → what is asked of the map, or which fields cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import ValidationError

from app.filters import MapQuery
from app.pages.labels import FIELDS

PERIOD = "date_from"
"""Field that is named for what is wrong between two of them."""

SHOWN = {"picture": "page"}
"""What the page adds by itself: it shows the map on the picture."""


@dataclass(frozen=True, slots=True)
class Asked:
    """given: what the form's fields hold, empty ones left out; query: None when one is wrong."""

    given: Mapping[str, str]
    query: MapQuery | None
    wrong: tuple[str, ...] = ()

    def address(self, **more: str) -> str:
        """The same question as a query string, with something added or put in its place."""
        return urlencode({**self.given, **more})


def read_asked(pairs: Sequence[tuple[str, str]]) -> Asked:
    """A form sends its empty fields too: they ask for nothing."""
    filled = [(name, value.strip()) for name, value in pairs if value.strip()]
    count = Counter(name for name, _ in filled)
    given = {name: value for name, value in filled if name in FIELDS}
    strange = tuple(sorted(name for name, n in count.items() if n > 1 or name not in FIELDS))
    if strange:
        return Asked(given, None, strange)
    try:
        return Asked(given, MapQuery.model_validate({**given, **SHOWN}))
    except ValidationError as problem:
        return Asked(given, None, _wrong(problem))


def _wrong(problem: ValidationError) -> tuple[str, ...]:
    """Each field once, in the order of the form; of an order between two the first."""
    named = {str(error["loc"][0]) if error["loc"] else PERIOD for error in problem.errors()}
    return tuple(name for name in FIELDS if name in named)
