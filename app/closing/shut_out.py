"""Which visits the shop's owner took out of every answer: rules of its configuration. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.sites import Site

RULES = "quarantine"
"""Key of the configuration."""

SHUT_OUT = 8
"""Bit of `visit.flags`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Visits that went on between two moments; of one visit both are its own.

    begins_at  the first moment, included
    ends_at    the last, included for a visit's own end
    visit      the number of the only visit that is meant
    """

    rule_id: str
    begins_at: datetime
    ends_at: datetime
    visit: int | None = None

    def takes(self, visit_id: int, began_at: datetime, ended_at: datetime) -> bool:
        if self.visit is not None:
            return visit_id == self.visit
        return began_at < self.ends_at and ended_at >= self.begins_at

    @property
    def told(self) -> dict[str, Any]:
        """As the configuration holds it."""
        moments = {"from": self.begins_at.isoformat(), "to": self.ends_at.isoformat()}
        named = {} if self.visit is None else {"visit": f"{self.visit & (2**64 - 1):016x}"}
        return {"id": self.rule_id, **moments, **named}


def rules_of(site: Site) -> tuple[Rule, ...]:
    return tuple(map(_rule, site.config.get(RULES, ())))


def _rule(told: Mapping[str, str]) -> Rule:
    number = int(told["visit"], 16) if "visit" in told else None
    return Rule(
        told["id"],
        datetime.fromisoformat(told["from"]),
        datetime.fromisoformat(told["to"]),
        number if number is None or number < 2**63 else number - 2**64,
    )


def flag_of(rules: Iterable[Rule], visit_id: int, began_at: datetime, ended_at: datetime) -> int:
    """Bit of `visit.flags` for the closing job."""
    return SHUT_OUT if any(rule.takes(visit_id, began_at, ended_at) for rule in rules) else 0
