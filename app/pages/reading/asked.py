"""The address of a map page → what is asked of the map, or which fields cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode

from pydantic import ValidationError

from app.mapping.filters import MapQuery
from app.pages.labels import AREA_PX2, FIELDS
from app.pages.reading.tabs import parted

PERIOD = "date_from"
"""Field that is named for what is wrong between two of them."""

TICKED = ("marks",)
"""Fields of which several may be chosen."""

OF_THE_MAP = frozenset({"kind", "style", "date_from", "date_to"})
"""What a map is of, as no filter chooses it."""

FULL, SCALE_MAX = "full_colour", "scale_max"
"""People give full colour in the unit that the legend tells, the API takes it per px²."""

SHOWN = {"picture": "page"}
"""What the page adds by itself: it shows the map on the picture."""


@dataclass(frozen=True, slots=True)
class Asked:
    """given: what the form's fields hold, empty ones left out; query: None when one is wrong;
    carried: what other views of the page are asked for, and this one is not."""

    given: Mapping[str, str]
    query: MapQuery | None
    wrong: tuple[str, ...] = ()
    carried: Mapping[str, str] = field(default_factory=dict)

    @property
    def everything(self) -> dict[str, str]:
        """As the address has it, for the page's other views."""
        return {**self.given, **self.carried}

    def again(self, **more: str) -> str:
        """The same question to the page, with something added or put in its place."""
        return urlencode({**self.everything, **more})

    @property
    def unfiltered(self) -> str:
        """The same map of the same period, of everybody."""
        kept = {name: value for name, value in self.given.items() if name in OF_THE_MAP}
        return urlencode(kept)

    @property
    def shared(self) -> str:
        """The same question, as a share keeps it."""
        return self.address()

    def address(self, **more: str) -> str:
        """The same question to the API."""
        told = _renamed(self.given)
        if self.query is not None and self.query.scale_max is not None:
            told[SCALE_MAX] = plainly(self.query.scale_max)
        return urlencode({**told, **more})


def area_of(query: MapQuery) -> int:
    """The px² that an amount is told for: those of a zone are already whole."""
    return AREA_PX2 if query.style == "heat" else 1


def plainly(value: float) -> str:
    """Six digits without an exponent, as the form and the API take them."""
    return format(Decimal(f"{value:.6g}"), "f")


def _renamed(given: Mapping[str, str]) -> dict[str, str]:
    return {SCALE_MAX if name == FULL else name: value for name, value in given.items()}


def read_asked(pairs: Sequence[tuple[str, str]]) -> Asked:
    """A form sends its empty fields too: they ask for nothing."""
    told = ((name, value.strip()) for name, value in pairs if value.strip())
    own, carried = parted(told, FIELDS)
    filled = _as_lists(own)
    count = Counter(name for name, _ in filled)
    given = {name: value for name, value in filled if name in FIELDS}
    if given.get("style") != "confetti":
        # The form was sent with another way to draw: what dots were told apart by goes with them.
        given.pop("colour_by", None)
    strange = tuple(sorted(name for name, n in count.items() if n > 1 or name not in FIELDS))
    if strange:
        return Asked(given, None, strange, carried)
    try:
        query = MapQuery.model_validate({**_renamed(given), **SHOWN})
    except ValidationError as problem:
        return Asked(given, None, _wrong(problem), carried)
    if query.scale_max is not None:
        query = query.model_copy(update={SCALE_MAX: query.scale_max / area_of(query)})
    return Asked(given, query, (), carried)


def _as_lists(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Ticked boxes are sent one by one, where the API takes their names with commas between."""
    told = list(pairs)
    ticked = [value for name, value in told if name in TICKED]
    others = [(name, value) for name, value in told if name not in TICKED]
    return [*others, *((name, ",".join(ticked)) for name in TICKED if ticked)]


def _wrong(problem: ValidationError) -> tuple[str, ...]:
    """Each field once, in the order of the form; of an order between two the first."""
    named = {str(error["loc"][0]) if error["loc"] else PERIOD for error in problem.errors()}
    return tuple(name for name in FIELDS if (SCALE_MAX if name == FULL else name) in named)
