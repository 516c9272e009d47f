"""What the decisions know and what they answer: values, and nothing that acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .rules import Bucket

#: A wait in seconds where nothing better is known.
SHORT_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that has been recorded, as far as it matters here."""

    id: int
    when: datetime
    #: The digest of the spelling, see `Subject.fine`.
    fine: int
    network: str | None
    repeated: bool = False
    #: The name that was tried, see `Subject.key`; 0 where it does not matter.
    subject: int = 0
    #: The number of the browser; ``None`` for what keeps no cookies.
    browser: int | None = None
    #: A success of its own account has ended it, from the same network, …
    cleared: bool = False
    #: … or in the same browser: then in slower rules, too.
    forgiven: bool = False


@dataclass(frozen=True, slots=True)
class PastLock:
    """A lock that has begun: open, or ended not long ago."""

    id: int
    #: Empty for a lock by hand.
    rule: str
    started: datetime
    end: datetime
    grows: bool = False
    enforced: bool = True
    released: bool = False

    def is_open(self, now: datetime) -> bool:
        """Tell whether it goes on; what was released does not, whatever the time on that host."""
        return not self.released and self.end > now


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A slot that somebody holds."""

    key: str
    #: When its attempt came in; ``None`` for one that a lock holds.
    started: datetime | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of one matter."""

    failures: tuple[Failure, ...] = ()
    locks: tuple[PastLock, ...] = ()
    slots: tuple[HeldSlot, ...] = ()

    def with_failure(self, failure: Failure) -> State:
        """Return the state after one more failure."""
        return State((*self.failures, failure), self.locks, self.slots)


#: State by the key of the matter.
States = dict[int, State]


@dataclass(frozen=True, slots=True)
class LockDue:
    """A lock that is to begin."""

    bucket: Bucket
    seconds: int
    failures: int
    #: The first of the failures that lead to it: two who find the same lock due put on one.
    first_failure: int
    grows: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """An attempt is let in, if it gets a slot of each matter that reserves."""

    #: By the key of the matter: how many attempts may be under way, all slots counted.
    allowed: dict[int, int] = field(default_factory=dict)
    #: A rule that delays counts failures: what is under way decides how long the next one waits.
    is_paced: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt is refused until a moment."""

    until: datetime
    #: Open locks, by which it is refused.
    locked: bool = False
    #: Locks that should have begun and have not: a worker died, a row was lost, a rule is new.
    overdue: tuple[LockDue, ...] = ()
    #: The name of the rule; empty for a lock by hand.
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """What a success ends: failures of its own account, and the growth of the locks they led to."""

    failures: tuple[Failure, ...] = ()
    #: Those from the same browser, which count in no rule any more.
    forgiven: tuple[Failure, ...] = ()
    locks: tuple[PastLock, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.failures or self.forgiven or self.locks)
