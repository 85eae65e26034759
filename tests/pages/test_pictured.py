"""The pictures that are looked at before a release leave no page out."""

from __future__ import annotations

import re

from app.pages import router
from tests.app.test_isolation import paths_of
from tests.pictures import SIGNED_OUT, addresses

NO_PAGES = {
    "/look/{name}",  # the style sheet and the icon
    "/sign-out",
    "/sites/{key}/pages/{slug}/layouts/{layout}/picture",
    "/sites/{key}/pages/{slug}/shares/end",
}


def test_every_page_of_the_router_is_photographed() -> None:
    shown = {*addresses("demo", "young", "tried", "layout").values(), *SIGNED_OUT.values()}
    paths = {path.partition("?")[0] for path in shown}
    left_out = {
        template
        for template in set(paths_of(router)) - NO_PAGES
        if not any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) for path in paths)
    }
    assert left_out == set()
