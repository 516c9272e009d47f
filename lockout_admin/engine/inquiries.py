"""Asks how a name stands, and takes nothing for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from ..identity.subject import Subject
from . import attempts, locks
from .decisions import decide
from .states import Refusal
from .store import store


class Verdict(StrEnum):
    """What an attempt on a name would meet now."""

    #: A lock refuses it.
    LOCKED = "locked"
    #: All tries of this interval are taken.
    THROTTLED = "throttled"
    #: Its password would be evaluated.
    FREE = "free"


@dataclass(frozen=True, slots=True)
class NameStanding:
    """How a name stands at one moment. The next attempt may find it otherwise."""

    verdict: Verdict
    #: When that ends; ``None`` for a name that is free.
    until: datetime | None = None
    #: The rule by which it is refused; empty for a lock by hand, and for a name that is free.
    rule: str = ""

    @property
    def remaining(self) -> int:
        """Seconds until then, rounded up."""
        if self.until is None:
            return 0
        return max(0, math.ceil((self.until - timezone.now()).total_seconds()))


def of_name(username: object) -> NameStanding:
    """Return how a name stands."""
    subject = Subject.of(username)
    if lock := locks.find(subject):
        return NameStanding(Verdict.LOCKED, lock.until, lock.rule)
    attempt = attempts.prepared(username)
    keys = [key for place in attempt.places for key in place.keys]
    attempts.look(attempt, store.get_many(keys) or {})
    decision = decide(attempt.buckets, attempt.standing.states, attempt.started)
    if not isinstance(decision, Refusal):
        return NameStanding(Verdict.FREE)
    locked = decision.locked or decision.overdue
    verdict = Verdict.LOCKED if locked else Verdict.THROTTLED
    return NameStanding(verdict, decision.until, decision.rule)
