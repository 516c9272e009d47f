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

#: Locks ended by one statement.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Extent:
    """What a selection was when somebody looked at it: how many locks, and the youngest of them."""

    count: int
    top: int


class Selection(Protocol):
    """Open locks that are to be ended."""

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks are selected now, those younger than `top` left out."""
        ...

    def chunks(self, top: int) -> Iterator[list[str]]:
        """Return the subjects of the selected locks that are not younger than `top`."""
        ...

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return what the audit has an entry for, of the locks ended in the last chunk."""
        ...


class LockSelection:
    """Some of the open locks."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows.order_by()

    def extent(self, top: int | None = None) -> Extent:
        """Return how many they are."""
        rows = self.rows if top is None else self.rows.filter(pk__lte=top)
        found = rows.aggregate(count=Count("pk"), top=Max("pk"))
        return Extent(found["count"], found["top"] or 0)

    def chunks(self, top: int) -> Iterator[list[str]]:
        """Return their subjects, in the order of their keys: what is ended is not met again."""
        after = 0
        while chunk := list(
            self.rows.filter(pk__gt=after, pk__lte=top).order_by("pk").values_list("pk", "subject")[:CHUNK]
        ):
            yield [subject for _pk, subject in chunk]
            after = chunk[-1][0]

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return the locks."""
        return list(rows)


class UserSelection:
    """The open locks of some users."""

    def __init__(self, users: QuerySet[Any]) -> None:
        self.users = users.order_by("pk")
        self._users: dict[str, Model] = {}

    def extent(self, top: int | None = None) -> Extent:
        """Return how many they are."""
        parts = [LockSelection(rows).extent(top) for rows in self._open_rows()]
        return Extent(sum(part.count for part in parts), max((part.top for part in parts), default=0))

    def chunks(self, top: int) -> Iterator[list[str]]:
        """Return the subjects of the users who are locked."""
        for rows in self._open_rows():
            subjects = list(rows.filter(pk__lte=top).values_list("subject", flat=True))
            if subjects:
                yield subjects

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return the locks and their users."""
        subjects = dict.fromkeys(row.subject for row in rows)
        return [*rows, *(self._users[subject] for subject in subjects)]

    def _open_rows(self) -> Iterator[QuerySet[AccountLock]]:
        for start in range(0, self.users.count(), CHUNK):
            self._users = {Subject.of(user.get_username()).key: user for user in self.users[start : start + CHUNK]}
            yield AccountLock.objects.open().filter(subject__in=list(self._users)).order_by()


@dataclass(slots=True)
class Outcome:
    """What ending a selection of locks came to."""

    unlocked: int = 0
    #: False when the cache was down: what it still holds refuses attempts until it expires.
    cache_cleared: bool = True
    #: False when the time was up before the last lock.
    finished: bool = True


def release_all(
    selection: Selection,
    top: int,
    by: str,
    note: str,
    *,
    audit: Callable[[list[Model]], Any] = list,
    seconds: float = float("inf"),
) -> Outcome:
    """End the selected locks that are not younger than `top`, for at most about `seconds`."""
    outcome, deadline = Outcome(), time.monotonic() + seconds
    for position, subjects in enumerate(selection.chunks(top)):
        # The first is always ended, so that going on gets on.
        if position and time.monotonic() > deadline:
            outcome.finished = False
            break
        release = locks.release(subjects, by[:255], note[:255])
        outcome.unlocked += len(release.rows)
        outcome.cache_cleared &= release.cache_cleared
        audit(selection.objects(release.rows))
        for row in release.rows:
            account_unlocked.send_robust(AccountLock, lock=row)
    return outcome
