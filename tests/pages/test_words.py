"""Dutch and English: complete catalogues, the reader's language, the reader's numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from app import checking, consents
from app.pages import words
from app.pages.words import LOCALES, WORDS, words_for
from collector.sites import Site
from tests.pages.sheet import Sheet

TRANSLATED = sorted(path.parent.name for path in LOCALES.glob("*/messages.po"))
METHODS = [("**.py", "python"), ("**.jinja", "jinja2")]
OPTIONS = {"**.jinja": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}

Message = str | tuple[str, ...]


def said() -> set[Message]:
    """Every message of the templates, of the code beside them, of what checks find, and of what a
    shop has to do for a consent tool."""
    homes = Path(words.__file__).parent, Path(checking.__file__).parent
    found = {
        message
        for home in homes
        for _, _, message, _, _ in extract_from_dir(home, METHODS, OPTIONS)
    }
    return found | {message for _, message, _, _ in extract_from_file("python", consents.__file__)}


def catalogue(language: str) -> Catalog:
    with (LOCALES / language / "messages.po").open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def entries(language: str) -> Iterator[tuple[Message, Message]]:
    for message in catalogue(language):
        if isinstance(message.id, str):
            if message.id:
                yield message.id, str(message.string)
        else:
            yield tuple(message.id), tuple(message.string or ())


def test_every_language_but_the_templates_own_has_a_catalogue() -> None:
    assert sorted(WORDS) == sorted([words.SOURCE_LANGUAGE, *TRANSLATED]) == ["en", "nl"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_and_none_is_left_over(language: str) -> None:
    known = dict(entries(language))
    assert said() - set(known) == set(), "not in the catalogue"
    assert set(known) - said() == set(), "said nowhere any more"
    for message, translation in known.items():
        forms = translation if isinstance(translation, tuple) else (translation,)
        assert all(form.strip() for form in forms), message


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_the_places_for_values(language: str) -> None:
    messages = catalogue(language)
    assert [
        (message.id, [str(problem) for problem in message.check(messages)])
        for message in messages
        if message.check(messages)
    ] == []


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("nl", "nl"),
        ("nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        ("NL-nl", "nl"),
        ("en-GB,nl;q=0.9", "en"),
        ("de-DE,de;q=0.9,nl;q=0.5,en;q=0.3", "nl"),
        ("de,fr", "en"),
        ("nl;q=0", "en"),
        ("nl;q=0.1, en;q=0.9", "en"),
        ("en;q=0.1,nl", "nl"),
        ("nl;q=x,;;,=,*", "en"),
        ("nl;q=nan", "en"),
        ("nl;q=7", "en"),
        ("nlx,nl_NL", "en"),
    ],
)
def test_the_readers_own_order_decides(asked: str, language: str) -> None:
    assert words_for(asked).language == language


def test_numbers_and_dates_are_written_as_the_reader_writes_them() -> None:
    day = date(2026, 11, 22)
    at = datetime(2026, 11, 22, 12, 5, 9, tzinfo=UTC)
    told = {
        language: [
            one.number(1234.56, 1),
            one.number(40.0),
            one.briefly(0.0023456),
            one.share(0.584),
            one.day(day),
            one.clock(at, ZoneInfo("Europe/Amsterdam")),
        ]
        for language, one in WORDS.items()
    }
    assert told["nl"] == ["1.234,6", "40", "0,0023", "58\xa0%", "22\xa0november 2026", "13:05:09"]
    assert told["en"] == ["1,234.6", "40", "0.0023", "58\xa0%", "22\xa0November 2026", "13:05:09"]


def test_both_ends_of_an_interval_are_written_apart() -> None:
    english = WORDS["en"]
    assert english.around(0.99, 0.97, 1.02) == {"value": "0.99", "low": "0.97", "high": "1.02"}
    assert english.around(1.2, 0.9, 1.44) == {"value": "1.2", "low": "0.9", "high": "1.4"}
    assert english.around(1.2, 0.9, math.inf)["high"] == "∞"


def test_a_line_does_not_end_between_a_number_and_its_unit() -> None:
    dutch = WORDS["nl"].catalogue
    assert dutch.gettext("%(amount)s s per visit") == "%(amount)s\xa0s per bezoek"
    assert dutch.gettext("may be chance (p = %(p)s)") == "kan toeval zijn (p\xa0=\xa0%(p)s)"
    assert WORDS["en"].catalogue.gettext("per 100 × 100 px") == "per 100\xa0×\xa0100\xa0px"
    told = dutch.ngettext("%(n)s visit", "%(n)s visits", 2)
    assert told == "%(n)s bezoeken", "words that are no unit may part"


def test_a_page_is_in_the_language_that_was_asked_for(designer: httpx.Client, shop: Site) -> None:
    path = f"/sites/{shop.public_key}/pages/shipping"
    dutch = Sheet(designer.get(path, headers={"accept-language": "nl-NL,nl;q=0.9"}).text)
    assert dutch.all("html", lang="nl")
    assert dutch.facts()["Dekking"] == "50 % van de paginaweergaven"
    assert dutch.facts()["Periode"].startswith("20 okt – 18 nov 2026")
    assert "Hier blijven bezoekers steken" in dutch.text
    assert dutch.rows()[0][1].count(",") == 1
    english = Sheet(designer.get(path).text)
    assert english.all("html", lang="en")
    assert english.facts()["Coverage"] == "50 % of the page views"
