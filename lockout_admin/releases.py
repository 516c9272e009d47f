"""Ending many locks, in chunks: no table is loaded, and attempts and pages are answered meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Count, Max, Model, QuerySet

from . import locks
from .identity import Subject
from .models import AccountLock
from .signals import account_unlocked

#: Names freed by one statement.
CHUNK = 500
#: Names that are shown before they are freed.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Extent:
    """What a selection was when somebody looked at it."""

    #: The open locks of the selected names, those that a filter left out among them: all of them end.
    count: int
    #: The youngest of them.
    top: int
    #: How many names these are.
    names: int = 0
    #: The first of the names.
    shown: tuple[str, ...] = ()


class Selection(Protocol):
    """Names whose open locks are to be ended."""

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks they have now, those younger than `top` left out."""
        ...

    def chunks(self, top: int) -> Iterator[list[str]]:
        """Return the subjects that have locks which are not younger than `top`."""
        ...

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return what the audit has an entry for, of the locks ended in the last chunk."""
        ...


class LockSelection:
    """The names of some of the open locks."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks they have."""
        selected = _not_younger(self.rows, top)
        found = _open_rows(selected.order_by().values("subject"), top).aggregate(
            count=Count("pk"), top=Max("pk"), names=Count("subject", distinct=True)
        )
        shown = dict(selected.values_list("subject", "username")[:SHOWN])
        return Extent(found["count"], found["top"] or 0, found["names"], tuple(shown.values()))

    def chunks(self, top: int) -> Iterator[list[str]]:
        """Return their subjects, in the order of the keys of the locks: what is ended is not met again."""
        rows, after = _not_younger(self.rows, top).order_by("pk").values_list("pk", "subject"), 0
        while chunk := list(rows.filter(pk__gt=after)[:CHUNK]):
            yield list({subject for _pk, subject in chunk})
            after = chunk[-1][0]

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return the locks."""
        return list(rows)


class UserSelection:
    """The names of some users."""

    def __init__(self, users: QuerySet[Any]) -> None:
        self.users = users.order_by("pk")
        #: Subject -> primary key and username, of the users of the last chunk.
        self._people: dict[str, tuple[Any, str]] = {}

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks they have."""
        count = youngest = names = 0
        shown: list[str] = []
        for rows in self._open_rows(top):
            locked = dict.fromkeys(row.subject for row in rows)
            count, names, youngest = count + len(rows), names + len(locked), max([youngest, *(row.pk for row in rows)])
            shown += [self._people[subject][1] for subject in locked][: SHOWN - len(shown)]
        return Extent(count, youngest, names, tuple(shown))

    def chunks(self, top: int) -> Iterator[list[str]]:
        """Return the subjects of the users who are locked."""
        for rows in self._open_rows(top):
            yield list({row.subject for row in rows})

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return the locks and their users."""
        keys = [self._people[row.subject][0] for row in rows]
        return [*rows, *self.users.model._default_manager.filter(pk__in=keys)]

    def _open_rows(self, top: int | None) -> Iterator[list[AccountLock]]:
        # By key: a filter for users who are locked loses those who have been freed.
        users = self.users.values_list("pk", self.users.model.USERNAME_FIELD)
        page = list(users[:CHUNK])
        while page:
            self._people = {Subject.of(username).key: (key, username) for key, username in page}
            if rows := list(_open_rows(list(self._people), top)):
                yield rows
            page = list(users.filter(pk__gt=page[-1][0])[:CHUNK])


def _open_rows(subjects: Any, top: int | None) -> QuerySet[AccountLock]:
    return _not_younger(AccountLock.objects.open().filter(subject__in=subjects).order_by(), top)


def _not_younger(rows: QuerySet[Any], top: int | None) -> QuerySet[Any]:
    return rows if top is None else rows.filter(pk__lte=top)


@dataclass(slots=True)
class Outcome:
    """What ending a selection of locks came to."""

    unlocked: int = 0
    #: How many names these were on.
    names: int = 0
    #: On which name the last of them was.
    last: str = ""
    #: Names that have been locked anew since they were selected, and stay so.
    held: int = 0
    #: False when the cache was down: what it still holds refuses attempts until it expires.
    cache_cleared: bool = True
    #: False when the time was up before the last lock.
    finished: bool = True

    def add(self, release: locks.Release) -> None:
        """Count what a chunk came to."""
        self.unlocked += len(release.rows)
        self.names += len({row.subject for row in release.rows})
        self.last = release.rows[-1].username if release.rows else self.last
        self.held += len(release.held)
        self.cache_cleared &= release.cache_cleared


def release_all(
    selection: Selection,
    top: int,
    by: str,
    note: str,
    *,
    audit: Callable[[list[Model]], Any] = list,
    seconds: float = float("inf"),
) -> Outcome:
    """End the locks of what is selected that are not younger than `top`, for at most about `seconds`."""
    outcome, deadline = Outcome(), time.monotonic() + seconds
    for position, subjects in enumerate(selection.chunks(top)):
        # The first is always ended, so that going on gets on.
        if position and time.monotonic() > deadline:
            outcome.finished = False
            break
        release = locks.release(subjects, by[:255], note[:255], top)
        outcome.add(release)
        audit(selection.objects(release.rows))
        for row in release.rows:
            account_unlocked.send_robust(AccountLock, lock=row)
    return outcome
