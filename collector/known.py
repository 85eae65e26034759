"""Decides at once on what comes from senders who were let through lately.

Of the sieve only those steps are taken that look at what is said; what they ask of the sender was
answered when the same headers came before (`collector/senders.py`). Whatever is not plainly to be
kept ends in None: it is decided on in full by `collector/routes.py`, which knows why.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from collector import answers
from collector.caps import MOST_ROWS, MOST_VIEWS, Caps
from collector.decode import Batch, begin_batch
from collector.errors import Malformed
from collector.holding import Holding
from collector.lately import Lately
from collector.parts import Parts
from collector.requests import Asked
from collector.rows import (
    Rows,
    View,
    may_have_begun_before,
    minutes_of,
    new_view_id,
    path_told,
    view_of,
    view_told,
)
from collector.senders import Means, Sender, Standing
from collector.sheets import Sheets
from collector.sieve import is_dated_well, is_name, ruled_page
from collector.sites import Site
from collector.staff import is_preview
from collector.tokens import Token, is_of_time, read_token, write_token
from collector.verdicts import GIFS, POSTS, Keep, Verdict

MOST_VIEWS_HELD = 8192
FORGOTTEN_S = 60.0
"""Of views: like senders."""


class Known:
    def __init__(
        self, parts: Parts, rows: Rows, caps: Caps, sheets: Sheets, holding: Holding
    ) -> None:
        self._catalogue = parts.catalogue
        self._salts = parts.salts
        self._secret = parts.secret
        self._clock = parts.clock
        self._rows = rows
        self._caps = caps
        self._sheets = sheets
        self._holding = holding
        self._views: Lately[str, View] = Lately(MOST_VIEWS_HELD, FORGOTTEN_S)

    def decide(self, asked: Asked, sender: Sender) -> Verdict | None:
        """Of a GET of two segments, or a POST of one."""
        first, _, second = asked.path[1:].partition("/")
        if not second:
            return self._batch(sender, first, asked.body)
        if first.startswith("gs_"):
            return self._open(sender, first, second)
        if second == "s":
            return self._sheet(sender, first)
        return self._beacon(sender, first, second)

    def _beacon(self, sender: Sender, text: str, name: str) -> Keep | None:
        at = self._clock()
        view = self._view(text, at)
        if view is None or not is_name(name):
            return None
        standing = self._standing(sender, "beacon", view.site, view.day, at)
        if standing is None or self._caps.is_full(view.view_id, MOST_ROWS, at):
            return None
        return Keep(self._rows.beacon(at, view, standing, name), *GIFS)

    def _sheet(self, sender: Sender, text: str) -> answers.Answer | None:
        token = read_token(text, self._secret, self._clock())
        if not isinstance(token, Token):
            return None
        site = self._catalogue.at_hand(token.site_id)
        page = site.page(token.page_id) if site is not None else None
        if page is None:
            return None
        return self._sheets.answer(token.site_id, page, packed=sender.takes_gzip)

    def _open(self, sender: Sender, key: str, slug: str) -> Keep | None:
        at = self._clock()
        site = self._catalogue.at_hand_by_key(key)
        page = site.pages.get(slug) if site is not None else None
        if site is None or page is None:
            return None
        opened_min = minutes_of(at)
        day = site.day_of_minute(opened_min)
        standing = self._standing(sender, "opening", site, day, at)
        if standing is None or may_have_begun_before(site, day, opened_min):
            return None
        if self._has_opened_enough(standing, at):
            return None
        page = ruled_page(site, page, standing.path)
        token = Token(site.site_id, page.page_id, opened_min, new_view_id())
        view = View(site, page, day, token.view_id, opened_min)
        row = self._rows.opening(at, view, standing, None, None)
        kept = answers.redirect("../" + write_token(token, self._secret) + "/s")
        return Keep(row, kept, kept, partial(self._holding.opened, token, row))

    def _batch(self, sender: Sender, key: str, body: bytes) -> Keep | None:
        at = self._clock()
        site = self._catalogue.at_hand_by_key(key)
        try:
            told = begin_batch(body)
        except Malformed:
            return None
        if site is None or (told.path and is_preview(told.path)):
            return None
        view = self._view_of_batch(site, told, at)
        if view is None or may_have_begun_before(site, view.day, view.opened_min):
            return None
        means: Means = "script" if told.token is None else "script with token"
        standing = self._standing(sender, means, site, view.day, at)
        if standing is None or self._caps.is_full(view.view_id, MOST_ROWS, at):
            return None
        if told.token is None:
            page = ruled_page(site, view.page, path_told(told, standing))
            view = view if page is view.page else view_told(told, site, page)
            if told.seq == 0 and self._has_opened_enough(standing, at):
                return None
        return Keep(self._rows.batch(at, view, standing, told, None), *POSTS)

    def _has_opened_enough(self, standing: Standing, at: datetime) -> bool:
        visitor = standing.visitor
        return visitor is None or self._caps.is_full(visitor, MOST_VIEWS, at)

    def _view_of_batch(self, site: Site, told: Batch, at: datetime) -> View | None:
        if told.token is not None:
            view = self._view(told.token, at)
            return view if view is not None and view.site is site else None
        page = site.pages.get(told.slug or "")
        return view_told(told, site, page) if page and is_dated_well(told, at) else None

    def _view(self, text: str, at: datetime) -> View | None:
        """Of a token that is good, at a shop that need not be asked for."""
        view = self._views.get(text)
        if view is not None and self._catalogue.at_hand(view.site.site_id) is view.site:
            return view if is_of_time(view.opened_min, at) else None
        token = read_token(text, self._secret, at)
        site = self._catalogue.at_hand(token.site_id) if isinstance(token, Token) else None
        if site is None or not isinstance(token, Token):
            return None
        page = site.page(token.page_id)
        if page is None:
            return None
        view = view_of(token, site, page)
        self._views.put(text, view)
        return view

    def _standing(
        self, sender: Sender, means: Means, site: Site, day: date, at: datetime
    ) -> Standing | None:
        found = sender.standings.get((means, site.site_id, day))
        if found is None or found.site is not site:
            return None
        # Looked at each time: the day's salt is shown to the store, and it ends.
        return found if found.salt is self._salts.at_hand(day, at) else None
