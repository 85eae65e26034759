"""One batch to the collector, as often as it takes: the same bytes under the same (view, seq)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from app.replay.account import Answered, Fate
from app.replay.batches import Batch
from app.replay.errors import ReplayError
from app.replay.ledger import Ledger
from app.replay.summary import Tally

TRIES = 10
"""With the pauses below about half a minute: a collector that restarts is back by then."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
LONGEST_RETRY_AFTER_S = 30.0
"""A collector that asks for more patience than this is not waited for any longer."""


@dataclass(frozen=True, slots=True)
class Sender:
    client: httpx.AsyncClient
    url: str
    ledger: Ledger
    tally: Tally
    tries: int = TRIES

    async def send(self, batch: Batch, address: str) -> Answered:
        """The last answer; ReplayError where sending more would be pointless.

        A batch that is refused to the end is given up. Without any answer the replay ends: the
        collector is gone, and the ledger knows where to go on.
        """
        fates: list[Fate] = []
        for pauses in range(self.tries):
            answer, retry_after_s = await self._try(batch, address)
            fates.append(answer.fate)
            if answer.fate in (Fate.ACKED, Fate.DROPPED):
                break
            if pauses + 1 < self.tries:
                await asyncio.sleep(_pause_s(pauses, retry_after_s))
        self.tally.settle(batch, answer, min(fates))
        if answer.fate is Fate.UNANSWERED:
            raise ReplayError(
                f"no answer from {self.url} in {self.tries} tries: see that Gloed runs there, "
                "then go on with the same ledger"
            )
        return answer

    async def _try(self, batch: Batch, address: str) -> tuple[Answered, float | None]:
        self.tally.tries += 1
        self.ledger.sent(batch)
        try:
            response = await self.client.post(
                self.url, content=batch.body, headers={"x-forwarded-for": address}
            )
        except httpx.TransportError:
            answer = Answered(view=batch.view_id, seq=batch.seq, status=None)
            self.ledger.answered(answer)
            return answer, None
        answer = Answered(
            view=batch.view_id,
            seq=batch.seq,
            status=response.status_code,
            drop=response.headers.get("x-gloed-drop"),
        )
        self.ledger.answered(answer)
        _check(response)
        return answer, _retry_after_s(response)


def _check(response: httpx.Response) -> None:
    """Answers that would be the same the next time end the replay: the request itself is wrong."""
    status = response.status_code
    if status in (204, 429) or status >= 500:
        return
    raise ReplayError(
        f"{response.url} answered {status} ({response.text[:200]}): "
        "check the address, its prefix and the site's key"
    )


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds; the date form is not used between us and the proxies we know."""
    told = response.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else None


def _pause_s(pauses: int, retry_after_s: float | None) -> float:
    if retry_after_s is not None:
        return min(retry_after_s, LONGEST_RETRY_AFTER_S)
    return min(FIRST_PAUSE_S * 2.0**pauses, LONGEST_PAUSE_S)
