"""What is planted: sixteen kinds of secrets, sent by every way in; and a count of what was taken.

A run in which nothing was taken in would find nothing either. So each answer is held against what
it must be, and what was taken is counted, to be compared with the rows of the store.
"""

from __future__ import annotations

import base64
import io
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from PIL import Image, PngImagePlugin

from app.clock import system_clock
from collector.sites import Site
from tests.build import DESKTOP, Walker, batch_body

PATIENCE_S = 120.0

SECRETS: Mapping[str, str] = {
    "address": "203.0.113.77",
    "address of IPv6": "2001:db8:ca:ca::77",
    "agent": "Kanarie/7.7",
    "cookie": "sessiekanarie0cafe",
    "consent": "yes-kanarietoestemming",
    "e-mail": "kanarie@voorbeeld.nl",
    "card": "4111111111111111",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJrYW5hcmllIjoxfQ.c2lnbmF0dXVyLWthbmFyaWU",
    "order": "kanarie-bestelling-9",
    "number": "48151623421",
    "search": "kanariezoekterm",
    "credentials": "kanariewachtwoord",
    "language": "nl-kanarietaal",
    "typed text": "kanarietikt mijn adres",
    "metadata": "kanarie-in-de-foto",
    "password": "kanarie wachtzin van vijf woorden",
}
"""By kind. A reference of the shop and a key are kept as hashes, a password as none at all."""

ADDRESSES = (SECRETS["address"], SECRETS["address of IPv6"])
AGENT = f"{DESKTOP} {SECRETS['agent']}"
PATHS = ("card", "e-mail", "number", "token")
ODD = (SECRETS["e-mail"], SECRETS["card"], quote(SECRETS["typed text"]))


@dataclass(slots=True)
class Planter:
    """Sends to one shop, and counts what must be rows by now.

    taken    rows by table
    refused  answers that said so, by status or by reason
    """

    url: str
    site: Site
    keys: Mapping[str, str]
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def views(self) -> int:
        """Page views that were taken: each token's, and those that a batch opened by itself."""
        return self.taken["view"]

    def walk(self) -> None:
        """Every way in, each with everything that must not be kept."""
        for n, address in enumerate(ADDRESSES):
            walker = Walker(self.url, AGENT, address, headers())
            token = self._open(walker, "1.h5", "3.p1", f"y{n + 1}00")
            self._batches(walker, token)
            self._ends(walker)
            self._odd(walker, token)
            self._house(walker)

    def walk_in_silence(self) -> None:
        """Only what needs no look into the store."""
        walker = Walker(self.url, AGENT, ADDRESSES[0], headers())
        self._batches(walker, self._open(walker, "1.h5", "2.f"))

    def _open(self, walker: Walker, *signals: str) -> str:
        token = walker.open(self.site, "shipping", SECRETS["order"])
        walker.tell(token, *signals)
        self.taken["beacon"] += 1 + len(signals)
        self.taken["view"] += 1
        return token

    def _batches(self, walker: Walker, token: str) -> None:
        minute = int(system_clock().timestamp()) // 60
        for n, part in enumerate(PATHS):
            path = f"/a/{quote(SECRETS[part])}?q={quote(SECRETS['search'])}"
            view_id = f"{time.monotonic_ns():016x}"
            own = batch_body(m=minute, id=view_id, u=path, ref=SECRETS["order"])
            for body in (own, batch_body(t=token, s=n)):
                self._was_taken(walker.post(self.site, body), 204)
                self.taken["batch"] += 1
            self.taken["view"] += 1
        typed = {**batch_body(t=token), "typed": SECRETS["typed text"]}
        for wrong in (typed, f'{{"v": "{SECRETS["typed text"]}'):
            self._was_refused(walker.post(self.site, wrong), 400)

    def _ends(self, walker: Walker) -> None:
        """What a thanks page and the shop's server tell; a result is told once of each order."""
        key = self.site.public_key
        assert walker.get(f"/g/done/{key}/{SECRETS['order']}").status_code == 200
        walker.get(f"/g/hold/{key}/shipping")
        told = {"ref": SECRETS["order"], "result": "failed"}
        sent = self._sent(walker, "goal")
        answer = httpx.post(f"{self.url}/g/{key}/goal", json=told, headers=sent)
        assert answer.status_code == 204, answer.text
        assert answer.headers.get("x-gloed-drop", "repeat") == "repeat", answer.headers

    def _odd(self, walker: Walker, token: str) -> None:
        """Where no such thing belongs."""
        key = self.site.public_key
        walker.get(f"/g/x/{key}/{SECRETS['token']}")
        for odd in ODD:
            self._was_dropped(walker.get(f"/g/{token}/{odd}"))
            self._was_dropped(walker.get(f"/g/{key}/{odd}"))
            nowhere = walker.get(f"/nowhere/{odd}?{quote(SECRETS['search'])}={odd}")
            self._was_refused(nowhere, 404)

    def _house(self, walker: Walker) -> None:
        """The house's own doors: layouts, sign-in, and questions that nobody may ask."""
        page = f"{self.url}/api/v1/sites/{self.site.public_key}/pages/shipping"
        write = self._sent(walker, "write")
        body = {"width_px": 64, "height_px": 48, "pointer": "fine", "boxes": [], "picture": photo()}
        kept = httpx.put(f"{page}/layouts", json=body, headers=write, timeout=PATIENCE_S)
        self._was_taken(kept, 200)
        for query in (f"?kind={SECRETS['card']}", f"?{quote(SECRETS['e-mail'])}=1"):
            self._was_refused(httpx.get(f"{page}/heatmap.json{query}", headers=write), 422)
        form = {"name": "owner", "password": SECRETS["password"]}
        own = {**headers(), "origin": self.url, "sec-fetch-site": "same-origin"}
        said = httpx.post(f"{self.url}/sign-in", data=form, headers=own, timeout=PATIENCE_S)
        assert 400 <= said.status_code < 500, said.text
        wrong = {**write, "authorization": f"Bearer {SECRETS['token']}"}
        self._was_refused(httpx.get(f"{page}/heatmap.png", headers=wrong), 401)

    def _sent(self, walker: Walker, scope: str) -> dict[str, str]:
        bearer = f"Bearer {self.keys[scope]}"
        return {**headers(), "user-agent": walker.agent, "authorization": bearer}

    def _was_taken(self, answer: httpx.Response, status: int) -> None:
        assert answer.status_code == status, (answer.request.url, answer.status_code, answer.text)
        assert "x-gloed-drop" not in answer.headers, answer.headers["x-gloed-drop"]

    def _was_dropped(self, answer: httpx.Response) -> None:
        self.refused[answer.headers["x-gloed-drop"]] += 1

    def _was_refused(self, answer: httpx.Response, status: int) -> None:
        assert answer.status_code == status, (answer.request.url, answer.status_code, answer.text)
        self.refused[str(status)] += 1


def headers() -> dict[str, str]:
    """What browsers, and whoever stands before Gloed, send along with everything."""
    s = SECRETS
    page = f"https://jan:{s['credentials']}@shop.nl/account/{s['e-mail']}/{s['number']}"
    return {
        "cookie": f"sessie={s['cookie']}; toestemming={s['consent']}",
        "accept-language": s["language"],
        "referer": f"{page}?q={s['search']}&card={s['card']}#{s['token']}",
        "forwarded": f"for={s['address']}",
        "x-real-ip": s["address of IPv6"],
    }


def photo() -> str:
    """A picture whose metadata says too much."""
    written, notes = io.BytesIO(), PngImagePlugin.PngInfo()
    notes.add_text("Author", SECRETS["metadata"])
    notes.add_itxt("Place", SECRETS["e-mail"], zip=False)
    exif = Image.Exif()
    exif[0x010E] = SECRETS["metadata"]
    Image.new("RGB", (64, 48), "white").save(written, "PNG", pnginfo=notes, exif=exif)
    return base64.b64encode(written.getvalue()).decode()
