"""Where the words, the colour bar and the keys of a legend stand: measured before it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from heatmap.lettering import width_of, wrapped, written

TITLE_PX, BODY_PX, SMALL_PX = 19.0, 14.5, 12.5
"""Heights of letters at a grow of 1: 12.5 px is read on a phone, and in a slide's corner."""
LEADING = 1.36
"""Height of a line over that of its letters."""

BAR_PX = 14.0
TICK_PX = 5.0
KEY_PX = 22.0
"""From the left end of a key's sample to its words."""
GAP_PX = 16.0
"""Between parts, and between rows of facts."""
GUTTER_PX = 28.0
"""Between columns."""
FACT_PX = 138.0
"""Least width of a column of facts: two of them on a phone's page."""

INK, QUIET, FAINT = 1.0, 0.66, 0.22
"""How dark words, labels and rules are on the paper."""


@dataclass(frozen=True, slots=True)
class Word:
    """Text with the left end of its baseline at x, y; like all pieces in device pixels."""

    x: float
    y: float
    text: str
    size: float
    shade: float = INK
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A filled rectangle, its upper left corner at x, y."""

    x: float
    y: float
    width: float
    height: float
    shade: float = INK


@dataclass(frozen=True, slots=True)
class Ramp:
    """The colour bar itself, its upper left corner at x, y."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A dot of confetti, its centre at x, y."""

    x: float
    y: float
    segment: int


Piece = Word | Rule | Ramp | Dot


@dataclass(frozen=True, slots=True)
class Block:
    """Pieces that belong together, measured from the block's upper left corner."""

    pieces: tuple[Piece, ...] = ()
    height: float = 0.0

    def moved(self, x: float, y: float) -> tuple[Piece, ...]:
        """Give the pieces with the block's corner at x, y."""
        return tuple(replace(piece, x=piece.x + x, y=piece.y + y) for piece in self.pieces)


@dataclass(slots=True)
class Column:
    """Blocks one under the other, with a gap wherever both neighbours hold something."""

    gap: float
    height: float = 0.0
    pieces: list[Piece] = field(default_factory=list)

    def add(self, block: Block) -> Column:
        """Put a block under what is there; an empty one takes no room."""
        if block.pieces:
            self.height += self.gap if self.pieces else 0.0
            self.pieces += block.moved(0.0, self.height)
            self.height += block.height
        return self

    def block(self) -> Block:
        """Give all of it as one block."""
        return Block(tuple(self.pieces), self.height)


def paragraph(text: str, room: float, size: float, shade: float = INK, bold: bool = False) -> Block:
    """Set text in as many lines as it takes."""
    lines = wrapped(written(text), size, room) if text else []
    leading = size * LEADING
    words = tuple(
        Word(0.0, row * leading + size, line, size, shade, bold) for row, line in enumerate(lines)
    )
    return Block(words, len(lines) * leading)


def heading(title: str, subtitle: str, room: float, grow: float) -> Block:
    """Set the title, and what it is about under it."""
    column = Column(0.0)
    column.add(paragraph(title, room, TITLE_PX * grow, bold=True))
    return column.add(paragraph(subtitle, room, BODY_PX * grow, QUIET)).block()


def colour_bar(unit: str, ticks: Iterable[tuple[float, str]], room: float, grow: float) -> Block:
    """Set the unit, the bar under it, and its ticks (place 0..1 and label) with their numbers.

    A number that would touch one already set is left out: the ends come first, then the rest from
    the right, where heat is. A tick without its number would only raise questions, and goes too.
    """
    above = paragraph(unit, room, SMALL_PX * grow, QUIET)
    top = above.height + 4 * grow
    line, size = max(round(grow), 1), SMALL_PX * grow
    bar = BAR_PX * grow
    pieces: list[Piece] = [*above.pieces, Ramp(0.0, top, room, bar)]
    pieces += _frame(top, room, bar, line)
    taken: list[tuple[float, float]] = []
    ordered = sorted(ticks)
    for place, label in [*ordered[:1], *reversed(ordered[1:])]:
        text = written(label)
        wide = width_of(text, size)
        left = min(max(place * room - wide / 2, 0.0), room - wide)
        if any(left < end + size / 2 and start < left + wide + size / 2 for start, end in taken):
            continue
        taken.append((left, left + wide))
        pieces.append(Rule(place * (room - line), top + bar, line, TICK_PX * grow, QUIET))
        pieces.append(Word(left, top + bar + (TICK_PX + 2) * grow + size, text, size))
    return Block(tuple(pieces), top + bar + (TICK_PX + 2) * grow + size * LEADING)


def _frame(top: float, room: float, bar: float, line: int) -> list[Piece]:
    return [
        Rule(0.0, top, room, line, FAINT),
        Rule(0.0, top + bar - line, room, line, FAINT),
        Rule(0.0, top, line, bar, FAINT),
        Rule(room - line, top, line, bar, FAINT),
    ]


def facts_table(facts: Sequence[tuple[str, str]], room: float, grow: float) -> Block:
    """Set facts in as many even columns as fit, each a quiet label over its value in lines."""
    if not facts:
        return Block()
    gutter = GUTTER_PX * grow
    columns = int((room + gutter) / (FACT_PX * grow + gutter))
    columns = max(1, min(len(facts), columns))
    wide = (room + gutter) / columns - gutter
    table = Column(GAP_PX * grow * 0.8)
    for first in range(0, len(facts), columns):
        cells = [_fact(fact, wide, grow) for fact in facts[first : first + columns]]
        pieces = [
            piece
            for number, cell in enumerate(cells)
            for piece in cell.moved(number * (wide + gutter), 0.0)
        ]
        table.add(Block(tuple(pieces), max(cell.height for cell in cells)))
    return table.block()


def _fact(fact: tuple[str, str], room: float, grow: float) -> Block:
    cell = Column(0.0).add(paragraph(fact[0], room, SMALL_PX * grow, QUIET))
    return cell.add(paragraph(fact[1], room, BODY_PX * grow)).block()


def key_rows(keys: Sequence[tuple[tuple[Piece, ...], str]], room: float, grow: float) -> Block:
    """Set keys, each a sample around its own origin and words, side by side as far as they fit."""
    size = BODY_PX * grow
    leading = size * LEADING * 1.15
    pieces: list[Piece] = []
    x, y = 0.0, 0.0
    for sample, label in keys:
        text = written(label)
        wide = KEY_PX * grow + width_of(text, size)
        if x > 0 and x + wide > room:
            x, y = 0.0, y + leading
        middle = y + leading / 2
        pieces += Block(sample).moved(x + (KEY_PX / 2 - 3) * grow, middle)
        pieces.append(Word(x + KEY_PX * grow, middle + size * 0.36, text, size))
        x += wide + GUTTER_PX * 0.7 * grow
    return Block(tuple(pieces), y + leading if keys else 0.0)
