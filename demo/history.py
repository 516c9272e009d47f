"""What the records would be, had the site met the traffic: the engine's rules, replayed at another time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final

from lockout_admin.client import Client
from lockout_admin.conf import conf
from lockout_admin.identity import Subject
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.policies import LockGrowth, Threshold

from . import vocabulary as words
from .people import HOLDERS
from .traffic import DAYS, Visit

_HOLDERS: Final = frozenset(person.username for person in HOLDERS)


@dataclass(slots=True)
class _Standing:
    subject: Subject
    #: Failures that count still.
    run: list[FailedLogin] = field(default_factory=list)
    locks: list[AccountLock] = field(default_factory=list)


@dataclass(slots=True)
class History:
    """Records in the order in which they came to be."""

    failures: list[FailedLogin] = field(default_factory=list)
    #: The locks, each with the first of the failures that led to it.
    locks: list[tuple[AccountLock, FailedLogin | None]] = field(default_factory=list)


class Replay:
    """Turns attempts into the records that they leave."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.random = Random(f"{seed}/staff")
        self.now = now
        self.threshold = Threshold.current()
        self.growth = LockGrowth.current()
        self.standings: dict[str, _Standing] = {}
        self.history = History()

    def run(self, visits: Iterable[Visit]) -> History:
        """Return the records of `visits`, which come oldest first."""
        for visit in visits:
            self._meet(visit)
        self.history.locks += [(lock, None) for lock in self._manual_locks()]
        self.history.locks.sort(key=lambda pair: (pair[0].started_at, pair[0].username))
        return self.history

    def _meet(self, visit: Visit) -> None:
        subject = Subject.of(visit.username)
        standing = self.standings.setdefault(subject.key, _Standing(subject))
        lock = standing.locks[-1] if standing.locks else None
        if lock and visit.when < (lock.ended_at or lock.until):
            lock.refused += 1
        elif visit.succeeds:
            self._succeed(standing, visit)
        else:
            self._fail(standing, subject, visit)

    def _succeed(self, standing: _Standing, visit: Visit) -> None:
        for failure in self._counted(standing, visit.when):
            failure.outcome = FailedLogin.Outcome.CLEARED
        standing.run = []
        for lock in self._growing(standing, visit.when):
            lock.grows = False

    def _fail(self, standing: _Standing, subject: Subject, visit: Visit) -> None:
        client = Client(visit.address, visit.user_agent, visit.gateway)
        failure = FailedLogin.objects.build(subject, client, timestamp=visit.when)
        self.history.failures.append(failure)
        standing.run = [*self._counted(standing, visit.when), failure]
        if len(standing.run) >= self.threshold.limit:
            failure.outcome = FailedLogin.Outcome.LOCKED
            self._lock(standing, failure)

    def _lock(self, standing: _Standing, failure: FailedLogin) -> None:
        when = failure.timestamp
        seconds = self.growth.seconds(len(self._growing(standing, when)))
        lock = AccountLock(
            username=failure.username,
            subject=failure.subject,
            started_at=when,
            until=when + timedelta(seconds=seconds),
            failures=len(standing.run),
            grows=True,
        )
        if seconds >= 240 and lock.username in _HOLDERS and self.random.random() < 0.5:
            self._release(lock, when + timedelta(seconds=self.random.uniform(90, seconds)))
        self.history.locks.append((lock, standing.run[0]))
        standing.locks.append(lock)
        standing.run = []

    def _release(self, lock: AccountLock, when: datetime) -> None:
        if when < self.now:
            lock.ended_at, lock.ended_by, lock.grows = when, "support", False
            lock.end_note = self.random.choice(words.RELEASE_NOTES)

    def _counted(self, standing: _Standing, when: datetime) -> list[FailedLogin]:
        return [failure for failure in standing.run if failure.timestamp > when - self.threshold.interval]

    def _growing(self, standing: _Standing, when: datetime) -> list[AccountLock]:
        since = when - timedelta(seconds=conf.lock_growth_window_secs)
        return [lock for lock in standing.locks if lock.grows and lock.until > since]

    def _manual_locks(self) -> Iterable[AccountLock]:
        """What staff did by hand, and undid."""
        for _ in range(24):
            subject = Subject.of(self.random.choice(HOLDERS).username)
            start = self.now - timedelta(days=self.random.uniform(5, DAYS))
            lock = AccountLock(
                username=subject.username,
                subject=subject.key,
                reason=AccountLock.Reason.MANUAL,
                note=self.random.choice(words.LOCK_NOTES),
                locked_by="admin",
                started_at=start,
                until=start + timedelta(days=self.random.choice((1, 2, 3))),
                refused=self.random.choice((0, 0, 1, 3, 7)),
            )
            if self.random.random() < 0.6:
                self._release(lock, start + timedelta(hours=self.random.uniform(1, 20)))
            yield lock
