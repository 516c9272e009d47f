"""Rules are values: what is counted, how many in which interval, and the lock that follows.

A new scope is a function, a new rule is a value. Nothing here reads the clock, the database or
the store, or the settings: which rules are in force is in `ruleset`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from ..identity.client import Client
from ..identity.subject import Subject
from .conditions import Condition, Missing, OneOf

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

#: A worker that dies frees its slot after this many seconds at the latest.
LONGEST_LEASE: Final = 600
#: So many slots at most where only waits limit the tries: each is a key of the store to read.
_MOST_SLOTS: Final = 100


class Mode(StrEnum):
    """What a rule does."""

    #: It refuses and locks.
    ENFORCE = "enforce"
    #: It records what it would have done.
    MONITOR = "monitor"


class Facts(NamedTuple):
    """Who attempts, from where: all that a scope may look at. A replay makes millions."""

    subject: Subject
    client: Client
    #: The trusted device that it comes from; ``None``: a stranger's.
    device: int | None = None


class EndedBy(StrEnum):
    """What failures of its own name a success ends in a rule."""

    #: Those from the same network, or the same browser.
    NETWORK = "network"
    #: Those from the same browser: an attacker may sit in the owner's network.
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class Matter:
    """What one attempt falls into within a scope: a name, a network."""

    scope: str
    #: Keyed digests by each secret of the site, the present one first; see `Subject.keys`.
    keys: tuple[int, ...]
    #: What it is, for people.
    label: str
    #: Which failures are counted for it. One condition needs an index with the time.
    rows: tuple[Condition, ...]
    #: The subject, where it is one name.
    subject: int | None = None

    @property
    def key(self) -> int:
        """The digest by the present secret: what its locks are stored under."""
        return self.keys[0]


@dataclass(frozen=True, slots=True)
class Scope:
    """A kind of thing that is counted."""

    name: str
    #: From an attempt to what it falls into; ``None`` where rules of this scope do not apply.
    of: Callable[[Facts], Matter | None]
    #: Whether a slot is taken before the password is verified, so that the limit is exact for
    #: parallel attempts too. Without it rows are counted, and what is in flight may overshoot.
    reserves: bool = False
    #: How many accounts vouch for such a thing; asked only when a limit with credit is reached.
    accounts: Callable[[Matter, datetime], int] | None = None
    #: Tells what an attempt falls into from all else in the scope, as `of` does, and sooner: a log
    #: has millions. ``None``: by the key of what `of` returns.
    brief: Callable[[Facts], Hashable | None] | None = None
    #: The column of a record in which `brief` is, as far as the address tells it.
    column: str | None = None
    #: Whether it looks at nothing but the address, and at whether a trusted device came.
    is_of_addresses: bool = False
    #: Whether it counts what comes from trusted devices, apart from strangers.
    is_of_devices: bool = False
    #: Whether it counts what comes from trusted devices with what strangers do, and its locks bind
    #: both.
    binds_devices: bool = False


@dataclass(frozen=True, slots=True)
class LockTerms:
    """How long a lock is, in seconds, given the locks before it."""

    first: int
    #: By how much each lock lengthens the next one.
    growth: float = 1
    longest: int = 0
    #: For how long an ended lock does so.
    remembered: int = DAY

    def seconds(self, previous: int) -> int:
        """Return the length of a lock after `previous` others: 60, 120, 240 … up to the longest.

        Growing waits are one way to limit guesses (NIST SP 800-63B-4, 3.2.2).
        """
        if self.growth <= 1:
            return self.first
        longest = max(self.longest, self.first)
        return min(longest, int(self.first * self.growth ** min(previous, self.steps)))

    @property
    def steps(self) -> int:
        """How many locks there are before the longest."""
        if self.growth <= 1:
            return 0
        longest = max(self.longest, self.first)
        return math.ceil(math.log(longest / self.first, self.growth))

    def fitting(self, seconds: int) -> int:
        """Return how many of them, one after the other from the first on, end in `seconds`."""
        for number in range(self.steps):
            seconds -= self.seconds(number)
            if seconds < 0:
                return number
        return self.steps + seconds // self.seconds(self.steps)


@dataclass(frozen=True, slots=True)
class Rule:
    """How many failures in which interval lead to which lock."""

    name: str
    scope: Scope
    limit: int
    #: Length in seconds of the sliding window.
    interval: int
    lock: LockTerms
    #: Whether names are counted: many failures on one are as one.
    counts_names: bool = False
    #: How much each account that vouches for it adds to the limit, see `Scope.accounts`.
    credit: int = 0
    #: The limit for one attempt, where it is lower than `limit` for some.
    limit_of: Callable[[Facts], int] | None = None
    #: Whether the same wrong password again, from the same network, counts once more.
    counts_repeats: bool = False
    #: What a success of its own account ends; ``None``: nothing.
    ended_by: EndedBy | None = None
    #: Whether the count starts anew after a lock. Else one try is left after each lock, as long
    #: as the count stands.
    starts_anew: bool = False
    #: Whether the device is trusted no more, in place of a lock.
    ends_trust: bool = False
    #: Whether there is no lock: each failure from the limit on lets the next try wait so long as
    #: a lock would last. It follows from the failures alone, and leaves no row.
    delays: bool = False
    #: Whether only staff end its lock and its count: no link of a mail, no new password.
    staff_only: bool = False
    mode: Mode = Mode.ENFORCE

    @property
    def enforces(self) -> bool:
        """Whether it refuses and locks."""
        return self.mode == Mode.ENFORCE

    @property
    def slots(self) -> int:
        """How many slots a name has by this rule: one for each try that a lease may see."""
        if not self.delays:
            return self.limit
        tries = self.lock.fitting(min(self.interval, LONGEST_LEASE))
        return max(self.limit, min(self.limit + tries, _MOST_SLOTS))

    def for_attempt(self, facts: Facts) -> Rule:
        """Return the rule with the limit that holds for one attempt."""
        if self.limit_of is None:
            return self
        return replace(self, limit=max(1, min(self.limit, self.limit_of(facts))))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rule, and what one attempt falls into there."""

    rule: Rule
    matter: Matter


def matter_of(subject: Subject) -> Matter:
    """Return a name as something that is counted and locked."""
    rows = (OneOf("subject", subject.keys), Missing("device"))
    return Matter("account", subject.keys, subject.username, rows, subject.key)


def _account(facts: Facts) -> Matter | None:
    return None if facts.device else matter_of(facts.subject)


def _name_of(facts: Facts) -> int | None:
    return None if facts.device else facts.subject.key


#: Wrong passwords of strangers on a name, whether or not an account has it.
ACCOUNT: Final = Scope("account", _account, reserves=True, brief=_name_of)
