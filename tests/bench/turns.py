"""Gloed and a bare application in turns, on the same bytes; and Gloed alone at half its rate."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from app.clock import system_clock
from tests.bench.ledger import Ledger
from tests.bench.load import Load, Run
from tests.bench.servers import Server, children_cpu_s
from tests.bench.traffic import Requests, Traffic

ROUNDS = 5
TURN_S = 0.8
FIRST_GUESS_PER_S = 12_000
HEADROOM = 1.6
"""Requests are made before a turn, for a rate that lies so far above the last one reached."""

AGAIN = 8
"""Who keeps nothing may be sent the same bytes so often."""

HALF_LOAD_S = 1.5
HALF_LOADS = 3


@dataclass(frozen=True, slots=True)
class Medians:
    per_second: float
    cpu_us: float
    store_us: float


@dataclass(slots=True)
class Figures:
    """Of one server and one kind of request, a value for each turn."""

    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    store_us: list[float] = field(default_factory=list)

    def note(self, run: Run, cpu_s: float, store_s: float) -> None:
        self.per_second.append(run.per_second)
        self.cpu_us.append(cpu_s / run.sent * 1e6)
        self.store_us.append(store_s / run.sent * 1e6)

    def medians(self) -> Medians:
        return Medians(*map(statistics.median, (self.per_second, self.cpu_us, self.store_us)))

    def wanted(self) -> int:
        """Requests enough for the next turn."""
        return int(HEADROOM * TURN_S * max(self.per_second, default=FIRST_GUESS_PER_S))


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind of request at a server, and at the bare application."""

    key: str
    name: str
    make: Callable[[int], Requests]
    durable: bool = False
    """Whether each request tells an event, and is told of below half load."""

    ours: Figures = field(default_factory=Figures)
    bare: Figures = field(default_factory=Figures)

    @property
    def ratio(self) -> float:
        return _median_ratio(self.ours.per_second, self.bare.per_second)

    @property
    def cpu_ratio(self) -> float:
        return _median_ratio(self.bare.cpu_us, self.ours.cpu_us)


def _median_ratio(upper: list[float], lower: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(upper, lower, strict=True))


@dataclass(frozen=True, slots=True)
class Latency:
    p50_ms: float
    p99_ms: float

    @property
    def spread(self) -> float:
        return self.p99_ms / self.p50_ms


@dataclass(frozen=True, slots=True)
class Bench:
    gloed: Server
    bare: Server
    traffic: Traffic
    ledger: Ledger
    postmaster: int

    def routes(self) -> list[Compared]:
        compared = [
            Compared("json", "batches of 40 points", self.traffic.batches, durable=True),
            Compared("beacon", "beacons", self.traffic.beacons, durable=True),
            Compared("open", "view openings", self.traffic.openings),
            Compared("stylesheet", "stylesheets", self.traffic.sheets),
        ]
        for _ in range(ROUNDS):
            for one in compared:
                requests = one.make(one.ours.wanted())
                self._turn(self.bare, requests.sent * AGAIN, one.bare)
                run = self._turn(self.gloed, requests.sent, one.ours)
                self.ledger.note(one.key, requests, run, system_clock())
        return compared

    def rival(
        self,
        key: str,
        name: str,
        server: Server,
        change: Callable[[bytes], bytes] = lambda sent: sent,
    ) -> Compared:
        """Batches at another application; what it keeps is not looked at."""
        compared = Compared(key, name, self.traffic.batches)
        for _ in range(ROUNDS):
            sent = compared.make(compared.ours.wanted() // AGAIN).sent
            self._turn(self.bare, sent * AGAIN**2, compared.bare)
            run = self._turn(server, [change(one) for one in sent] * AGAIN**2, compared.ours)
            if run.others:
                raise RuntimeError(f"{name} refused what it should take: {run.others}")
        return compared

    def half_load(self, compared: Compared) -> Latency:
        """The median of a few turns: one breath of a neighbour is a hundredth of a turn."""
        found = [self._half_load(compared) for _ in range(HALF_LOADS)]
        return sorted(found, key=lambda latency: latency.spread)[HALF_LOADS // 2]

    def _half_load(self, compared: Compared) -> Latency:
        per_second = compared.ours.medians().per_second / 2
        requests = compared.make(int(per_second * HALF_LOAD_S * HEADROOM))
        with Load(self.gloed.port) as load:
            run = load.opened(requests.sent, per_second, HALF_LOAD_S)
        self.ledger.note(compared.key, requests, run, system_clock())
        latencies_ms = [1000 * latency_s for latency_s in run.latency_s]
        hundredths = statistics.quantiles(latencies_ms, n=100)
        return Latency(hundredths[49], hundredths[98])

    def _turn(self, server: Server, sent: list[bytes], figures: Figures) -> Run:
        with Load(server.port, keep=True) as load:
            cpu_s, store_s = server.cpu_s(), children_cpu_s(self.postmaster)
            run = load.closed(sent, TURN_S)
            figures.note(run, server.cpu_s() - cpu_s, children_cpu_s(self.postmaster) - store_s)
        return run
