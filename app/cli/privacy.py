"""`gloed privacy`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.base import with_store
from app.cli.sites import SITE
from app.pages.setting_up.notices import markdown, notice
from app.shops import find_site
from app.store import Store
from collector.sites import Site

EXAMPLES = "[bold]Example[/bold]\n\n  gloed privacy gs_… --language nl > privacy.md"


class Language(StrEnum):
    NL = "nl"
    EN = "en"


def privacy(
    site: Annotated[str, SITE],
    language: Annotated[Language, typer.Option(help="Of the file.")] = Language.NL,
) -> None:
    """Print what to tell of Gloed: a paragraph to paste, the register's entry, what is stored."""

    async def work(store: Store) -> Site:
        return await find_site(store, site)

    sys.stdout.write(markdown(notice(with_store(work), language.value)))
