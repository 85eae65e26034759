"""What a user agent is reduced to at intake: small codes. The header itself goes no further."""

from __future__ import annotations

from functools import lru_cache

from crawlerdetect import CrawlerDetect
from msgspec import Struct
from ua_parser import parse

from collector.codes import Browser, Device, Language, System

REMEMBERED = 4096
"""Distinct agents kept per process; a new one costs a quarter of a millisecond."""

MAX_AGENT_CHARS = 512

_BROWSERS = (
    ("edge", Browser.EDGE),
    ("samsung", Browser.SAMSUNG),
    ("opera", Browser.OPERA),
    ("firefox", Browser.FIREFOX),
    ("chrome", Browser.CHROME),
    ("chromium", Browser.CHROME),
    ("safari", Browser.SAFARI),
)
_SYSTEMS = (
    ("windows", System.WINDOWS),
    ("mac os", System.MACOS),
    ("android", System.ANDROID),
    ("ios", System.IOS),
    ("chrome os", System.CHROMEOS),
)
_LANGUAGES = {
    "nl": Language.DUTCH,
    "en": Language.ENGLISH,
    "de": Language.GERMAN,
    "fr": Language.FRENCH,
}
_OTHER_LANGUAGE = Language.OTHER

_BROWSERS_BEGIN = ("Mozilla/", "Opera/")
"""Every browser's agent does, for thirty years; Opera Mini's by the second. What warms a cache or
makes a page smaller seldom does."""

_WORKERS = ("autoptimize", "phantomjs", "wp-rocket")
"""Fetch a shop's pages on its behalf under a browser's name, and are in no list of crawlers."""


class Agent(Struct, frozen=True):
    device: int
    browser: int
    os: int
    bot: bool


def read_agent(header: str) -> Agent:
    """Codes of a User-Agent header; a bot is also who sends none, as every browser does."""
    # Cut before it is remembered: a header may be as long as the server lets it be.
    return _read(header[:MAX_AGENT_CHARS])


@lru_cache(maxsize=REMEMBERED)
def _read(header: str) -> Agent:
    known = parse(header)
    family = known.user_agent.family.lower() if known.user_agent else ""
    system = known.os.family.lower() if known.os else ""
    os = next((code for word, code in _SYSTEMS if system.startswith(word)), _other_system(system))
    browser = next((code for word, code in _BROWSERS if word in family), Browser.OTHER)
    return Agent(_device(header, os), browser, os, _is_bot(header))


def _is_bot(header: str) -> bool:
    if not header.startswith(_BROWSERS_BEGIN):
        return True
    lowered = header.lower()
    if any(worker in lowered for worker in _WORKERS):
        return True
    return bool(CrawlerDetect(user_agent=header).isCrawler())


def _other_system(system: str) -> System:
    linux = ("linux", "ubuntu", "debian", "fedora")
    return System.LINUX if system.startswith(linux) else System.OTHER


def _device(header: str, os: int) -> Device:
    if "iPad" in header or "Tablet" in header:
        return Device.TABLET
    if os == System.ANDROID:
        # Android's own rule: phones say Mobile, tablets do not.
        return Device.PHONE if "Mobile" in header else Device.TABLET
    if os == System.IOS:
        return Device.PHONE
    return Device.DESKTOP if os != System.OTHER else Device.UNKNOWN


def language_class(header: str) -> int:
    """Class of the first language asked for."""
    first = header.partition(",")[0].partition(";")[0]
    return _LANGUAGES.get(first.partition("-")[0].strip().lower(), _OTHER_LANGUAGE)


def warm_up() -> None:
    """Compile the rules now: the first browser of the day must not wait a third of a second."""
    read_agent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
