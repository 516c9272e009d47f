"""The records that the traffic would leave: the engine's own decisions, at another time."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from random import Random
from typing import Final

from lockout_admin.engine.buckets import buckets_of
from lockout_admin.engine.decisions import after_failure, after_success, decide
from lockout_admin.engine.rules import Bucket, Facts
from lockout_admin.engine.ruleset import account_rules
from lockout_admin.engine.states import Failure, LockDue, PastLock, Refusal, State, States
from lockout_admin.identity.client import Client
from lockout_admin.identity.network import network_of, number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, RefusedTries, SuccessfulLogin
from lockout_admin.models.querysets import UserAgentManager

from . import vocabulary as words
from .people import HOLDERS
from .traffic import API, DAYS, Visit

Event = SuccessfulLogin.Event
_HOLDERS: Final = frozenset(person.username for person in HOLDERS)


@dataclass(slots=True)
class History:
    """Records in the order in which they came to be."""

    failures: list[FailedLogin] = field(default_factory=list)
    successes: list[SuccessfulLogin] = field(default_factory=list)
    #: The locks, each with the first of the failures that led to it.
    locks: list[tuple[AccountLock, FailedLogin | None]] = field(default_factory=list)
    refusals: list[RefusedTries] = field(default_factory=list)


class Replay:
    """Turns attempts into the records that they leave."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.random = Random(f"{seed}/staff")
        self.now = now
        # Rules by network would need logins of the people behind them, too.
        self.rules = account_rules()
        self.longest = timedelta(seconds=max(rule.interval for rule in self.rules))
        self.states: defaultdict[int, State] = defaultdict(State)
        self.history = History()
        #: Locks that staff are to end, the next one first: when, and which.
        self.releases: list[tuple[datetime, int]] = []
        #: A digest takes its time, and most names come again.
        self.subject_of = cache(Subject.of)

    def run(self, visits: Iterable[Visit]) -> History:
        """Return the records of `visits`, which come oldest first."""
        by_hand = list(self._manual_locks())
        by_hand.sort(key=attrgetter("started_at"), reverse=True)
        for visit in visits:
            while by_hand and by_hand[-1].started_at <= visit.when:
                self._remember(by_hand.pop(), None)
            while self.releases and self.releases[0][0] <= visit.when:
                self._end(*heapq.heappop(self.releases))
            self._meet(visit)
        for lock in by_hand:
            self._remember(lock, None)
        self.history.locks.sort(key=lambda pair: (pair[0].started_at, pair[0].label))
        return self.history

    def _meet(self, visit: Visit) -> None:
        subject = self.subject_of(visit.username)
        client = Client(visit.address, visit.user_agent, visit.path)
        buckets = buckets_of(Facts(subject, client), self.rules)
        decision = decide(buckets, self._known(buckets), visit.when)
        if isinstance(decision, Refusal):
            self._refuse(subject, client, decision, visit.when)
        elif visit.succeeds:
            self._succeed(subject, client, buckets, visit)
        else:
            self._fail(subject, client, buckets, visit)

    def _known(self, buckets: Sequence[Bucket]) -> States:
        return {bucket.matter.key: self.states[bucket.matter.key] for bucket in buckets}

    def _refuse(self, subject: Subject, client: Client, refusal: Refusal, when: datetime) -> None:
        row = RefusedTries(
            timestamp=when,
            subject=subject.key,
            username=subject.username,
            network=number_of(network_of(client.ip_address)),
            ip_address=client.ip_address,
            user_agent_id=UserAgentManager.key_of(client.user_agent),
        )
        self.history.refusals.append(row)
        for due in refusal.overdue:
            self._lock(due, when)
        for past in self.states[subject.key].locks:
            if refusal.locked and past.end == refusal.until:
                self.history.locks[past.id][0].refused += 1

    def _succeed(
        self, subject: Subject, client: Client, buckets: Sequence[Bucket], visit: Visit
    ) -> None:
        event = Event.VERIFIED if visit.path == API else Event.LOGIN
        success = SuccessfulLogin.objects.build(subject, client, timestamp=visit.when, event=event)
        self.history.successes.append(success)
        network = network_of(visit.address)
        known = self._known(buckets)
        ended = after_success(buckets, known, subject.fines, network, None, visit.when)
        for failure in ended.failures:
            self.history.failures[failure.id].outcome = FailedLogin.Outcome.CLEARED
        for past in ended.locks:
            self.history.locks[past.id][0].grows = False
        state = self.states[subject.key]
        self.states[subject.key] = replace(
            state,
            failures=tuple(
                replace(failure, cleared=True) if failure in ended.failures else failure
                for failure in state.failures
            ),
            locks=tuple(
                replace(past, grows=False) if past in ended.locks else past for past in state.locks
            ),
        )

    def _fail(
        self, subject: Subject, client: Client, buckets: Sequence[Bucket], visit: Visit
    ) -> None:
        row = FailedLogin.objects.build(
            subject,
            client,
            timestamp=visit.when,
            repeated=visit.repeated,
            common=visit.common,
        )
        number = len(self.history.failures)
        self.history.failures.append(row)
        network = network_of(visit.address)
        failure = Failure(number, visit.when, subject.fine, network, visit.repeated, subject.key)
        for key in {subject.key, *(bucket.matter.key for bucket in buckets)}:
            self.states[key] = self._recent(self.states[key], visit.when).with_failure(failure)
        for due in after_failure(buckets, self._known(buckets), failure, visit.when):
            row.outcome = FailedLogin.Outcome.LOCKED
            self._lock(due, visit.when)

    def _recent(self, state: State, now: datetime) -> State:
        """Leave out what no rule counts any more."""
        since = now - self.longest
        return replace(
            state,
            failures=tuple(failure for failure in state.failures if failure.when > since),
            locks=tuple(past for past in state.locks if past.end > since),
        )

    def _lock(self, due: LockDue, when: datetime) -> None:
        matter = due.bucket.matter
        lock = AccountLock(
            rule=due.bucket.rule.name,
            scope=matter.scope,
            key=matter.key,
            label=matter.label,
            subject=matter.subject,
            started_at=when,
            until=when + timedelta(seconds=due.seconds),
            failures=due.failures,
            grows=due.grows,
            enforced=due.bucket.rule.enforces,
        )
        if due.seconds >= 240 and lock.label in _HOLDERS and self.random.random() < 0.15:
            self._release(lock, when + timedelta(seconds=self.random.uniform(90, due.seconds)))
        self._remember(lock, self.history.failures[due.first_failure])

    def _remember(self, lock: AccountLock, first: FailedLogin | None) -> None:
        number = len(self.history.locks)
        self.history.locks.append((lock, first))
        if lock.ended_at:
            heapq.heappush(self.releases, (lock.ended_at, number))
        past = PastLock(number, lock.rule, lock.started_at, lock.until, lock.grows, lock.enforced)
        state = self.states[lock.key]
        self.states[lock.key] = replace(state, locks=(*state.locks, past))

    def _end(self, when: datetime, number: int) -> None:
        """End a lock as staff do: the counts of the name start anew."""
        key = self.history.locks[number][0].key
        state = self.states[key]
        for failure in state.failures:
            self.history.failures[failure.id].outcome = FailedLogin.Outcome.RELEASED
        for past in state.locks:
            self.history.locks[past.id][0].grows = False
        locks = [replace(past, grows=False) for past in state.locks]
        self.states[key] = State(
            locks=tuple(
                replace(past, end=when, released=True) if past.id == number else past
                for past in locks
            )
        )

    def _release(self, lock: AccountLock, when: datetime) -> None:
        if when < self.now:
            lock.ended_at = when
            lock.ended_by = "support"
            lock.end_note = self.random.choice(words.RELEASE_NOTES)

    def _manual_locks(self) -> Iterable[AccountLock]:
        """Return the locks by hand, some of them released."""
        for _ in range(24):
            subject = self.subject_of(self.random.choice(HOLDERS).username)
            start = self.now - timedelta(days=self.random.uniform(5, DAYS))
            lock = AccountLock(
                key=subject.key,
                label=subject.username,
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
