"""What a browser says of itself becomes a handful of small codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.agents import MAX_AGENT_CHARS, language_class, read_agent
from collector.codes import Browser, Device, Language, System
from tests.build import DESKTOP, PHONE

SAFARI = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 {}Safari/605.1.15"


@pytest.mark.parametrize(
    ("header", "device", "browser", "system"),
    [
        (DESKTOP, Device.DESKTOP, Browser.CHROME, System.WINDOWS),
        (DESKTOP + " Edg/156.0.0.0", Device.DESKTOP, Browser.EDGE, System.WINDOWS),
        (PHONE, Device.PHONE, Browser.CHROME, System.ANDROID),
        (PHONE.replace(" Mobile", ""), Device.TABLET, Browser.CHROME, System.ANDROID),
        (
            SAFARI.format("iPhone; CPU iPhone OS 26_0 like Mac OS X", "Mobile/15E148 "),
            Device.PHONE,
            Browser.SAFARI,
            System.IOS,
        ),
        (
            SAFARI.format("iPad; CPU OS 16_0 like Mac OS X", "Mobile/15E148 "),
            Device.TABLET,
            Browser.SAFARI,
            System.IOS,
        ),
        (
            SAFARI.format("Macintosh; Intel Mac OS X 10_15_7", ""),
            Device.DESKTOP,
            Browser.SAFARI,
            System.MACOS,
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            Device.DESKTOP,
            Browser.FIREFOX,
            System.LINUX,
        ),
    ],
)
def test_a_browser_is(header: str, device: Device, browser: Browser, system: System) -> None:
    agent = read_agent(header)
    assert (agent.device, agent.browser, agent.os, agent.bot) == (device, browser, system, False)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "  ",
        "curl/8.0",
        "Googlebot/2.1 (+http://www.google.com/bot.html)",
        "LiteSpeed Cache Walker",
        f"{PHONE} WP-Rocket/Preload",
        f"{DESKTOP} PhantomJS/2.1",
        "Serf/1.1.0 (mod_pagespeed/1.13.35.2-0)",
    ],
)
def test_programs_are_bots(header: str) -> None:
    assert read_agent(header).bot


def test_only_the_beginning_of_an_agent_is_looked_at() -> None:
    assert read_agent(DESKTOP.ljust(MAX_AGENT_CHARS) + "Googlebot" * 1000) == read_agent(DESKTOP)


@given(st.text(max_size=80))
def test_no_agent_is_an_error(header: str) -> None:
    agent = read_agent(header)
    assert agent.device in set(Device)
    assert agent.browser in set(Browser)
    assert agent.os in set(System)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nl-NL,nl;q=0.9,en;q=0.8", Language.DUTCH),
        ("en", Language.ENGLISH),
        (" DE-at", Language.GERMAN),
        ("fr;q=0.5", Language.FRENCH),
        ("fry", Language.OTHER),
        ("nlx,nl", Language.OTHER),
        ("", Language.OTHER),
        ("*", Language.OTHER),
    ],
)
def test_of_a_language_its_class_is_kept(header: str, language: Language) -> None:
    assert language_class(header) == language
