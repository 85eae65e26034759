"""Dutch and English: what pages say, and how they write numbers and dates.

English is the language of the templates. Other languages are gettext catalogues, compiled in
memory when this module is loaded, so that a translator edits one text file and there is no build.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from app.marked import N_ as N_

LOCALES = Path(__file__).with_name("locale")
SOURCE_LANGUAGE = "en"
LOCALE_OF = {SOURCE_LANGUAGE: Locale("en", "GB"), "nl": Locale("nl")}
"""Day before month in both: whoever reads English in Europe writes it so."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's catalogue, and its way to write."""

    locale: Locale
    catalogue: gettext.NullTranslations

    @property
    def language(self) -> str:
        return self.locale.language

    def number(self, value: float, digits: int = 0) -> str:
        """With `digits` decimals, all of them written."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, format=pattern, locale=self.locale)

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
        return format_date(day, "long", locale=self.locale)

    def period(self, first: date, last: date) -> str:
        """Both days, saying only once what they share: 24 okt – 22 nov 2026."""
        return format_interval(first, last, "yMMMd", locale=self.locale)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """Day, hour and minute."""
        return format_datetime(moment.astimezone(zone), "d MMM y HH:mm", locale=self.locale)

    def heard(self, moment: datetime, zone: tzinfo) -> str:
        """As one tells it to a colleague: Tuesday 17 November 14:05."""
        return format_datetime(moment.astimezone(zone), "EEEE d MMMM HH:mm", locale=self.locale)

    def clock(self, moment: datetime, zone: tzinfo) -> str:
        """Hours to seconds, the day being known."""
        return format_datetime(moment.astimezone(zone), "HH:mm:ss", locale=self.locale)


def _catalogue(language: str) -> gettext.NullTranslations:
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
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
