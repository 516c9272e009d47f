"""The log in the order in which it happened: wrong and right passwords, and what was ended.

Rows come in batches along an index, however many there are. Locks that rules put on are no events:
they are what a replay finds anew. Nor are locks by hand, for nothing that they refused has a row.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, TypeAlias

from django.db.models import Exists, OuterRef

from ..conf import conf
from ..engine import owners
from ..engine.states import Failure
from ..identity.client import Client
from ..identity.subject import Subject
from ..models import AccountLock, FailedLogin, SuccessfulLogin, TrustedDevice
from ..models.walks import Row, walk
from .rows import Clock, numbers_of

_BATCH: Final = 5_000
_RELEASED: Final = FailedLogin.Outcome.RELEASED
_COLUMNS: Final = (
    *("timestamp", "pk", "username", "subject", "ip_address", "network", "wide_network"),
    *("browser", "device", "user_agent__text", "path"),
)
_FAILURE: Final = (*_COLUMNS, "fine", "repeated", "outcome")
_SUCCESS: Final = (*_COLUMNS, "account", "made_it")
_ENDED: Final = ("ended_at", "key", "subject", "ended_by")
_BY_OWNER: Final = frozenset([owners.BY_MAIL, owners.BY_PASSWORD])


@dataclass(slots=True)
class Guess:
    """A wrong password that was compared."""

    when: datetime
    micros: int
    id: int
    subject: Subject
    client: Client
    #: Its number, as text; and those that rules on addresses count by, by their columns.
    network: str | None
    numbers: dict[str, int | None]
    browser: int | None
    device: int | None
    repeated: bool
    #: Whether somebody ended it later, with a release, a link of a mail or a new password.
    released: bool
    #: What is remembered of it, once for all sets of rules.
    row: bytes
    _failure: Failure | None = None

    @property
    def failure(self) -> Failure:
        """What the engine knows of it."""
        if self._failure is None:
            self._failure = Failure(
                self.id,
                self.when,
                self.subject.fine,
                self.network,
                self.repeated,
                self.subject.key,
                self.browser,
            )
        return self._failure


@dataclass(slots=True)
class Entry:
    """A right password."""

    when: datetime
    micros: int
    id: int
    #: Without the digests of its spelling, which few need.
    subject: Subject
    client: Client
    network: str | None
    numbers: dict[str, int | None]
    browser: int | None
    device: int | None
    #: The primary key of the account, as text; may be empty.
    account: str


@dataclass(slots=True)
class Release:
    """The end that staff, or an owner, put to a lock."""

    when: datetime
    #: What was locked, and whose name it was.
    keys: tuple[int, ...]
    by_owner: bool


Event: TypeAlias = Guess | Entry | Release


def events(since: datetime, until: datetime, clock: Clock) -> Iterator[Event]:
    """Yield what happened from `since` on, before `until`, oldest first."""
    period = {"gte": since, "lt": until}
    failures = _within(FailedLogin.objects.all(), "timestamp", period)
    successes = _within(SuccessfulLogin.objects.all(), "timestamp", period)
    successes = successes.exclude(event=SuccessfulLogin.Event.LOGOUT)
    # The row of a browser's first login has the device that the login made of it.
    made = TrustedDevice.objects.filter(
        pk=OuterRef("device"), first_seen__gte=OuterRef("timestamp")
    )
    successes = successes.annotate(made_it=Exists(made))
    ended = _within(AccountLock.objects.filter(enforced=True), "ended_at", period)
    reader = _Reader(clock)
    streams = (
        _each(reader.guess, failures, _FAILURE, "timestamp"),
        _each(reader.entry, successes, _SUCCESS, "timestamp"),
        _each(_release, ended, _ENDED, "ended_at"),
    )
    return heapq.merge(*streams, key=attrgetter("when"))


def first_moment() -> datetime | None:
    """Return when the log begins; ``None``: it is empty."""
    firsts = (
        model.objects.order_by("timestamp").values_list("timestamp", flat=True).first()
        for model in (FailedLogin, SuccessfulLogin)
    )
    return min((first for first in firsts if first), default=None)


def _within(rows: Any, column: str, period: dict[str, datetime]) -> Any:
    return rows.filter(**{f"{column}__{end}": moment for end, moment in period.items()})


def _each(
    make: Callable[[Row], Event], rows: Any, names: tuple[str, ...], by: str
) -> Iterator[Any]:
    for batch in walk(rows, names, _BATCH, by=by):
        yield from map(make, batch)


class _Reader:
    """Makes events of rows; what many rows ask of the settings, it asks once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._has_older_secrets = len(conf.secrets) > 1

    def guess(self, row: Row) -> Guess:
        """Return a wrong password."""
        when, pk, name, key, address, network, wide, browser, device, agent, path, *rest = row
        fine, repeated, outcome = rest
        subject, micros = self._subject(name, key, (fine,)), self._clock.micros(when)
        return Guess(
            when,
            micros,
            pk,
            subject,
            Client(address, agent or "", path),
            _text(network),
            {"network": network, "wide_network": wide},
            browser,
            device,
            repeated,
            outcome == _RELEASED,
            numbers_of(micros, pk, subject.fine, subject.key, network, browser, repeated=repeated),
        )

    def entry(self, row: Row) -> Entry:
        """Return a right one."""
        when, pk, name, key, address, network, wide, browser, device, agent, path, *rest = row
        account, made_it = rest
        return Entry(
            when,
            self._clock.micros(when),
            pk,
            self._subject(name, key, ()),
            Client(address, agent or "", path),
            _text(network),
            {"network": network, "wide_network": wide},
            browser,
            None if made_it else device,
            account,
        )

    def _subject(self, name: str, key: int, fines: tuple[int, ...]) -> Subject:
        """Return the subject of a row, by its digests; those of an older secret made anew."""
        if self._has_older_secrets and key in (typed := Subject.of(name)).keys:
            return typed
        return Subject(name, (key,), fines)


def _text(network: int | None) -> str | None:
    """Return a network as the engine compares it: the row's, by whichever prefix it was cut."""
    return None if network is None else str(network)


def _release(row: Row) -> Release:
    when, key, subject, ended_by, *_ = row
    return Release(
        when, (key,) if subject in (None, key) else (key, subject), ended_by in _BY_OWNER
    )
