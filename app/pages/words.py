"""Dutch and English: what pages say, and how they write numbers and dates.

English is the language of the templates. Other languages are gettext catalogues, compiled in
memory when this module is loaded, so that a translator edits one text file and there is no build.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_decimal_symbol
from babel.support import Translations

from app.marked import N_ as N_

LOCALES = Path(__file__).with_name("locale")
SOURCE_LANGUAGE = "en"
LOCALE_OF = {SOURCE_LANGUAGE: Locale("en", "GB"), "nl": Locale("nl")}
"""Day before month in both: whoever reads English in Europe writes it so."""

UNIT = re.compile(
    r"(?:(?<=\d)|(?<=\)s)) (?=(?:s|px|h|MB|KB)\b|×)|(?<=×) (?=[\d%])"
    r"|(?<=\bp) (?== )|(?<=\bp =) (?=%)"
)
"""Blanks at which a line never ends: between a number and its unit, and in p = 0.004."""

MONTH = re.compile(r"(?<=\d) (?=[^\W\d])")
"""The blank between a day and its month."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's catalogue, and its way to write."""

    locale: Locale
    catalogue: gettext.NullTranslations

    @property
    def language(self) -> str:
        return self.locale.language

    @property
    def decimal(self) -> str:
        """The decimal mark by the name that pictures are asked for it."""
        return "comma" if get_decimal_symbol(self.locale) == "," else "point"

    def number(self, value: float, digits: int = 0) -> str:
        """With `digits` decimals, all of them written."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def around(self, value: float, low: float, high: float) -> dict[str, str]:
        """One decimal, or two where one would write both ends of the interval alike."""
        digits = 1 if self.number(low, 1) != self.number(high, 1) else 2
        ends = {"value": value, "low": low, "high": high}
        return {name: self.number(end, digits) for name, end in ends.items()}

    def briefly(self, value: float) -> str:
        """Two significant digits: enough for a legend, whatever the magnitude."""
        return format_decimal(value, format="@@", locale=self.locale)

    def shortly(self, value: float) -> str:
        """Three significant digits at the most, none of them idle: ticks of a scale."""
        rounded = float(f"{value:.3g}")
        return format_decimal(rounded, format="#,##0.################", locale=self.locale)

    def share(self, value: float) -> str:
        return f"{self.number(100 * value)}\N{NO-BREAK SPACE}%"

    def day(self, day: date) -> str:
        return _held(MONTH, format_date(day, "long", locale=self.locale))

    def period(self, first: date, last: date) -> str:
        """Both days, saying only once what they share: 24 okt – 22 nov 2026."""
        return _held(MONTH, format_interval(first, last, "yMMMd", locale=self.locale))

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """Day, hour and minute."""
        return self._moment("d MMM y HH:mm", moment, zone)

    def heard(self, moment: datetime, zone: tzinfo) -> str:
        """As one tells it to a colleague: Tuesday 17 November 14:05."""
        return self._moment("EEEE d MMMM HH:mm", moment, zone)

    def clock(self, moment: datetime, zone: tzinfo) -> str:
        """Hours to seconds, the day being known."""
        return self._moment("HH:mm:ss", moment, zone)

    def _moment(self, pattern: str, moment: datetime, zone: tzinfo) -> str:
        told = format_datetime(moment.astimezone(zone), pattern, locale=self.locale)
        return _held(MONTH, told)


def _held(blanks: re.Pattern[str], text: str) -> str:
    """The text, its line not to be broken at these blanks."""
    return blanks.sub("\N{NO-BREAK SPACE}", text)


class _Held(gettext.NullTranslations):
    """A catalogue whose messages keep each number and its unit on one line."""

    def __init__(self, told: gettext.NullTranslations) -> None:
        super().__init__()
        self._told = told

    def gettext(self, message: str) -> str:
        return _held(UNIT, self._told.gettext(message))

    def ngettext(self, one: str, many: str, n: int) -> str:
        return _held(UNIT, self._told.ngettext(one, many, n))


def _catalogue(language: str) -> gettext.NullTranslations:
    return _Held(
        gettext.NullTranslations() if language == SOURCE_LANGUAGE else _translated(language)
    )


def _translated(language: str) -> Translations:
    with (LOCALES / language / "messages.po").open("rb") as source:
        messages = read_po(source, locale=language, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


WORDS: Mapping[str, Words] = {
    language: Words(locale, _catalogue(language)) for language, locale in LOCALE_OF.items()
}


def words_for(accept_language: str) -> Words:
    """The first of our languages in the reader's own order; English where none is asked for."""
    ranked = sorted(map(_range, accept_language.split(",")), key=lambda asked: -asked[1])
    wanted = (name for name, weight in ranked if weight > 0 and name in WORDS)
    return WORDS[next(wanted, SOURCE_LANGUAGE)]


def _range(text: str) -> tuple[str, float]:
    """Primary language and weight of one part of Accept-Language; weight 0 for nonsense."""
    name, _, rest = text.partition(";")
    key, _, weight = rest.strip().partition("=")
    try:
        valued = float(weight) if key.strip() == "q" else 1.0
    except ValueError:
        valued = 0.0
    return name.strip().lower().partition("-")[0], valued if 0 <= valued <= 1 else 0.0
