"""A designer who signed in, and a shop worth looking at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from app.access.keys import new_sign_in_link
from app.closing.day import close_day
from app.picturing.layouts import Box, put_layout
from collector.sites import Site
from tests.build import PHONE, Walker, make_shop, page_of
from tests.conftest import NOON
from tests.pages.sheet import picture_png
from tests.serving import FROM_OURS, Running

BOXES = (Box(1, 20, 100, 370, 142), Box(2, 20, 200, 370, 250), Box(3, 20, 500, 180, 548))
VISITS = 12
PATIENCE_S = 60.0
"""The first picture of a run waits for a process that draws."""


@pytest.fixture
def designer(gloed: Running) -> Iterator[httpx.Client]:
    with signed_in(gloed) as client:
        yield client


@pytest.fixture
def shop(gloed: Running) -> Site:
    return visited_shop(gloed)


@contextmanager
def signed_in(gloed: Running) -> Iterator[httpx.Client]:
    """A browser's worth of headers and cookies, signed in by a link of its own."""
    headers = {"accept": "text/html", "accept-language": "en"}
    with httpx.Client(base_url=gloed.url, headers=headers, timeout=PATIENCE_S) as client:
        link = gloed.do(new_sign_in_link(gloed.store, gloed.clock()))
        assert client.post(link, headers=FROM_OURS).status_code == 303
        yield client


def visited_shop(gloed: Running) -> Site:
    """A live shop whose shipping page has a picture and a dozen visits, half of them silent."""
    site = gloed.do(make_shop(gloed.store, NOON, live=True))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    for number in range(VISITS):
        gloed.clock.set(NOON - timedelta(minutes=5 * number))
        walker = Walker(gloed.url, PHONE, f"10.0.0.{number}")
        token = walker.open(site, "shipping")
        if number % 2:
            walker.tell(token, "w400", "coarse", "y300", "2.h5", "3.p1")
    gloed.clock.set(NOON)
    gloed.do(close_day(gloed.store, site, site.day_of(NOON), NOON))
    return site


def put_picture(gloed: Running, site: Site) -> int:
    return gloed.do(
        put_layout(
            gloed.store,
            site,
            page_of(site, "shipping"),
            width_px=390,
            height_px=800,
            pointer="coarse",
            boxes=BOXES,
            picture=picture_png(390, 800),
            source="capture",
            now=NOON - timedelta(days=3),
        )
    )
