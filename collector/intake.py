"""Where requests come in: each is decided on, and answered once its row is kept.

It is asked in two ways, which differ in nothing but their cost: as an ASGI application by whatever
server there is, and by `take` from a server that hands over what it read and writes one prepared
answer (`app/exchange.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import structlog

from collector import answers
from collector.addresses import Peer, peer_of
from collector.answers import Answer
from collector.errors import InDoubt, Malformed, NotStored, TooLarge, place_of
from collector.hits import Hit, Opening
from collector.holding import Holding, Leave, may_hold
from collector.parts import Parts
from collector.requests import Asked, Receive, Scope, Send, asked_of, read_body, sent_of
from collector.routes import Routes, is_key, opens
from collector.senders import Marking, Sender, Senders
from collector.verdicts import Keep, Verdict
from collector.writer import Outcome

log = structlog.get_logger()
T = TypeVar("T")
Reply = Callable[[Answer], None]

RETRY_AFTER_DEFECT_S = 60
"""What failed for a reason of ours will fail again soon after."""


class Collector:
    """Everything below the prefix; paths come without it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.holding = Holding(parts.writer, parts.salts, parts.clock)
        self._routes = Routes(parts, self.holding)
        self.senders = Senders()
        self._waiting: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        asked = asked_of(scope, path, self._parts.trusted)
        try:
            leave = await self._leave(asked, scope)
        except Exception as problem:
            await answers.send_answer(send, self._excuse(asked, problem), head=False)
            return
        if leave is not None:
            await self.holding.hold(leave, receive, send)
            return
        answer: Answer | None = None
        if asked.method == "POST" and (answer := self.refused_early(asked)) is None:
            try:
                asked = asked.with_body(await read_body(receive))
            except (Malformed, TooLarge) as wrong:
                answer = answers.wrong(wrong)
        answer = answer or await self._answered(asked)
        await answers.send_answer(send, answer, head=asked.method == "HEAD")

    def peer_of(self, host: str) -> Peer:
        """Of a connection, for all that is asked on it."""
        return peer_of(host, self._parts.trusted)

    def marking(self, peer: Peer) -> Marking:
        """Of a connection, by which senders are known again."""
        return self.senders.marking(peer)

    def refused_early(self, asked: Asked) -> Answer | None:
        """The answer to a POST that is refused whatever its body holds."""
        return self._routes.refused_early(asked)

    def take_known(self, asked: Asked, sender: Sender, reply: Reply) -> bool:
        """Like `take`, of a sender whose headers came before; False where that is not enough, and
        all is to be asked with the headers again."""
        try:
            verdict = self._routes.decide_known(asked, sender)
        except Exception as problem:
            log.error("known_failed", why=type(problem).__name__, at=place_of(problem))
            return False
        if verdict is not None:
            self._carry_out(asked, verdict, reply)
        return verdict is not None

    def take(self, asked: Asked, reply: Reply) -> None:
        """`reply` is called once: now, or when what was asked for is kept."""
        try:
            # A goal's key is looked up in the store each time.
            looks_up = asked.method == "POST" and asked.path.endswith("/goal")
            verdict = None if looks_up else at_once(self._routes.decide(asked))
        except Exception as problem:
            reply(self._excuse(asked, problem))
            return
        if verdict is None:
            task = asyncio.create_task(self._take_later(asked, reply))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        else:
            self._carry_out(asked, verdict, reply)

    async def _take_later(self, asked: Asked, reply: Reply) -> None:
        verdict: Verdict
        try:
            verdict = await self._routes.decide(asked)
        except Exception as problem:
            verdict = self._excuse(asked, problem)
        self._carry_out(asked, verdict, reply)

    def _carry_out(self, asked: Asked, verdict: Verdict, reply: Reply) -> None:
        if isinstance(verdict, Keep):
            told = partial(self._told, asked, verdict, reply)
            self._parts.writer.put(verdict.row, told)
        else:
            reply(verdict)

    def _told(self, asked: Asked, keep: Keep, reply: Reply, outcome: Outcome) -> None:
        if outcome is True:
            if keep.then is not None:
                keep.then()
            reply(keep.kept)
        else:
            reply(self._excuse(asked, outcome) if outcome else keep.repeat)

    async def _answered(self, asked: Asked) -> Answer:
        mine: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.take(asked, lambda answer: None if mine.done() else mine.set_result(answer))
        return await mine

    def _excuse(self, asked: Asked, problem: Exception) -> Answer:
        if isinstance(problem, Malformed):
            return answers.wrong(problem)
        sheet = opens(asked.segments)
        if isinstance(problem, NotStored):
            return answers.not_stored(problem.retry_after_s, method=asked.method, sheet=sheet)
        if isinstance(problem, InDoubt):
            return answers.in_doubt(method=asked.method, sheet=sheet)
        # A shop's page never sees our troubles. Only the kind is logged: a message or a local
        # could hold what was sent.
        log.error("answer_failed", why=type(problem).__name__, at=place_of(problem))
        return answers.not_stored(RETRY_AFTER_DEFECT_S, method=asked.method, sheet=sheet)

    async def _leave(self, asked: Asked, scope: Scope) -> Leave | None:
        """Of the view that a held image belongs to, where it may be held at all."""
        trusted = self._parts.trusted
        match asked.segments:
            case ["hold", key, slug] if asked.method == "GET" and is_key(key):
                if may_hold(scope, asked.headers, trusted):
                    site = await self._parts.catalogue.by_key(key, slug)
                    sent = sent_of(asked.peer, asked.headers, trusted)
                    hit = Hit(self._parts.clock(), sent, Opening(slug, None), site)
                    return await self.holding.claim(hit)
        return None


def at_once(work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` returns where it need not wait, which is nearly always; else None: begin again.

    A task, its end and its turn in the loop cost more than most of what is decided here.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    return None
