"""A load generator on raw sockets, several times cheaper than the servers it drives.

Requests are bytes that were made before the clock starts; each connection has one request under
way and no more (no pipelining). Nothing but loopback is spoken to.
"""

from __future__ import annotations

import gc
import random
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

CONNECTIONS = 64
LARGEST_ANSWER = 1 << 18
ANSWERS_WITHIN_S = 20.0
"""A server that has not answered by then has lost the request."""

STATUS = slice(9, 12)
"""Where `HTTP/1.1 204` holds its number."""

_SEED = 7


@dataclass(slots=True)
class Run:
    """What became of requests 0 to `sent` - 1, whose latencies are in the order of the answers."""

    sent: int = 0
    seconds: float = 0.0
    stored: list[int] = field(default_factory=list)
    """Numbers of the requests that were answered as kept: 2xx or 302, and not dropped."""
    others: dict[bytes, int] = field(default_factory=dict)
    latency_s: array[float] = field(default_factory=lambda: array("d"))
    answers: dict[int, bytes] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return self.sent / self.seconds


class Load:
    """Connections to one server; `closed` keeps all of them busy, `opened` keeps to a rate."""

    def __init__(self, port: int, connections: int = CONNECTIONS, *, keep: bool = False) -> None:
        self._keep = keep
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[connection.fileno()] = connection
            self._epoll.register(connection.fileno(), select.EPOLLIN)
        self._parts: dict[int, bytes] = {}
        self._under_way: dict[int, tuple[int, float]] = {}

    def __enter__(self) -> Load:
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        gc.enable()
        self._epoll.close()
        for connection in self._sockets.values():
            connection.close()

    def closed(self, requests: Sequence[bytes], seconds: float) -> Run:
        """The next request as soon as one is answered, until the time or the requests are over."""
        run, began = Run(), time.perf_counter()
        for fd in self._sockets:
            self._send(fd, run, requests, began)
        while self._under_way and time.perf_counter() - began < seconds:
            for fd in self._answered(run):
                if run.sent < len(requests):
                    self._send(fd, run, requests, time.perf_counter())
        return self._ended(run, began)

    def opened(self, requests: Sequence[bytes], per_second: float, seconds: float) -> Run:
        """Requests at random moments, as visitors come (a Poisson process of that rate).

        A latency counts from the planned moment: who finds no free connection waits for it.
        """
        gaps = random.Random(_SEED)
        run, began, idle = Run(), time.perf_counter(), deque(self._sockets)
        due = began
        while (now := time.perf_counter()) - began < seconds and run.sent < len(requests):
            while idle and due <= now:
                self._send(idle.popleft(), run, requests, due)
                due += gaps.expovariate(per_second)
            # epoll's own time-out knows only whole milliseconds.
            select.select([self._epoll], [], [], max(0.0, due - now) if idle else seconds)
            idle.extend(self._answered(run, wait_s=0))
        return self._ended(run, began)

    def _send(self, fd: int, run: Run, requests: Sequence[bytes], due: float) -> None:
        self._under_way[fd] = (run.sent, due)
        self._sockets[fd].send(requests[run.sent])
        run.sent += 1

    def _answered(self, run: Run, wait_s: float = ANSWERS_WITHIN_S) -> list[int]:
        """The connections that have their answer now."""
        free = []
        events = self._epoll.poll(wait_s)
        if wait_s and not events:
            raise TimeoutError(f"{len(self._under_way)} requests were never answered")
        for fd, _ in events:
            answer = self._sockets[fd].recv(LARGEST_ANSWER)
            if fd in self._parts:
                answer = self._parts.pop(fd) + answer
            if not _is_whole(answer):
                self._parts[fd] = answer
                continue
            number, due = self._under_way.pop(fd)
            run.latency_s.append(time.perf_counter() - due)
            self._note(run, number, answer)
            free.append(fd)
        return free

    def _note(self, run: Run, number: int, answer: bytes) -> None:
        status = answer[STATUS]
        if status in (b"204", b"200", b"302") and b"x-gloed-drop" not in answer:
            run.stored.append(number)
            if self._keep:
                run.answers[number] = answer
        else:
            run.others[status] = run.others.get(status, 0) + 1

    def _ended(self, run: Run, began: float) -> Run:
        """What is under way is waited for: nothing stays without an answer."""
        while self._under_way:
            self._answered(run)
        run.seconds = time.perf_counter() - began
        return run


def _is_whole(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        if not answer:
            raise ConnectionError("the server closed a connection in the middle of a request")
        return False
    at = answer.find(b"content-length: ", 0, end)
    if at < 0:
        return True
    length = int(answer[at + 16 : answer.index(b"\r", at)])
    return len(answer) >= end + 4 + length
