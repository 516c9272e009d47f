"""Ends many locks, in chunks: no table is loaded, and attempts and pages are answered meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import router
from django.db.models import Count, Max, Model, Q, QuerySet

from ..identity.subject import Subject
from ..models import AccountLock
from ..models.walks import walk
from . import locks, strays

#: Names freed by one statement.
CHUNK = 500
#: Locks that are shown before they are ended.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Extent:
    """What a selection was when somebody looked at it."""

    #: The open locks of the selected names. Those that a filter left out end as well.
    count: int
    #: The youngest of them.
    top: int
    #: How many of them were put on by hand.
    by_hand: int = 0
    #: Some of the locks: those by hand, whose reasons somebody wrote down, come first.
    shown: tuple[AccountLock, ...] = ()


class Selection(Protocol):
    """Names whose open locks are to be ended."""

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks they have now, those younger than `top` left out."""
        ...

    def chunks(self, top: int) -> Iterator[list[int]]:
        """Return the keys that have locks which are not younger than `top`."""
        ...

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return what the audit has an entry for, of the locks ended in the last chunk."""
        ...


class LockSelection:
    """The names of some of the open locks."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        #: Read where it is decided: a replica may be behind.
        self.rows = rows.using(router.db_for_write(rows.model))

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks they have."""
        selected = _not_younger(self.rows, top)
        locks_of_names = _open_rows(selected.order_by().values("key"), top)
        found = locks_of_names.aggregate(
            count=Count("pk"), top=Max("pk"), by_hand=Count("pk", filter=_BY_HAND)
        )
        shown = _first_by_hand(locks_of_names, found["by_hand"])
        return Extent(found["count"], found["top"] or 0, found["by_hand"], tuple(shown))

    def chunks(self, top: int) -> Iterator[list[int]]:
        """Return their keys, oldest lock first: what has ended is not met again."""
        for chunk in walk(_not_younger(self.rows, top), ["key"], CHUNK):
            yield list({row[0] for row in chunk})

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return the locks."""
        return list(rows)


class UserSelection:
    """The names of some users."""

    def __init__(self, users: QuerySet[Any]) -> None:
        self.users = users
        #: Key -> primary key and username, of the users of the last chunk.
        self._people: dict[int, tuple[Any, str]] = {}

    def extent(self, top: int | None = None) -> Extent:
        """Return how many locks they have. Those that only the store knows get their rows."""
        count = 0
        youngest = 0
        by_hand: list[AccountLock] = []
        by_rule: list[AccountLock] = []
        for rows in self._open_rows(top):
            count += len(rows)
            youngest = max([youngest, *(row.pk for row in rows)])
            by_hand += [row for row in rows if row.is_by_hand]
            by_rule += [row for row in rows if not row.is_by_hand][:SHOWN]
        shown = [*by_hand, *by_rule][:SHOWN]
        return Extent(count, youngest, len(by_hand), tuple(shown))

    def chunks(self, top: int) -> Iterator[list[int]]:
        """Return the keys of the users who are locked."""
        for rows in self._open_rows(top):
            yield list({row.key for row in rows})

    def objects(self, rows: list[AccountLock]) -> list[Model]:
        """Return the locks and their users."""
        keys = [self._people[row.key][0] for row in rows]
        return [*rows, *self.users.model._base_manager.filter(pk__in=keys)]

    def _open_rows(self, top: int | None) -> Iterator[list[AccountLock]]:
        # By key: a filter for users who are locked loses those who have been freed.
        names = ["pk", self.users.model.USERNAME_FIELD]
        for page in walk(self.users, names, CHUNK):
            self._people = {
                key: (pk, str(name)) for pk, name in page for key in Subject.of(name).keys
            }
            if top is None:  # somebody looks: what the store alone knows is to be seen, too
                strays.record_all(list(self._people))
            if rows := list(_open_rows(list(self._people), top)):
                yield rows


#: A lock that staff or a program put on, for a reason of its own.
_BY_HAND = Q(reason=AccountLock.Reason.MANUAL)


def _first_by_hand(rows: QuerySet[AccountLock], by_hand: int) -> list[AccountLock]:
    newest = rows.order_by("-pk")
    first = list(newest.filter(_BY_HAND)[:SHOWN]) if by_hand else []
    return [*first, *newest.exclude(_BY_HAND)[: SHOWN - len(first)]]


def _open_rows(keys: Any, top: int | None) -> QuerySet[AccountLock]:
    return _not_younger(AccountLock.objects.fresh().open().filter(key__in=keys).order_by(), top)


def _not_younger(rows: QuerySet[Any], top: int | None) -> QuerySet[Any]:
    return rows if top is None else rows.filter(pk__lte=top)


@dataclass(slots=True)
class Outcome:
    """How many locks of a selection were ended, and what is left."""

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
        """Count the locks of one chunk."""
        self.unlocked += len(release.rows)
        self.names += len({row.key for row in release.rows})
        self.last = release.rows[-1].label if release.rows else self.last
        self.held += len(release.held)
        self.cache_cleared &= release.cache_cleared


def release_all(
    selection: Selection,
    top: int,
    by: str,
    note: str,
    *,
    confirmed: str = "",
    audit: Callable[[list[Model]], Any] = list,
    seconds: float = float("inf"),
) -> Outcome:
    """End the selected locks that are not younger than `top`, for at most about `seconds`."""
    outcome = Outcome()
    deadline = time.monotonic() + seconds
    for position, keys in enumerate(selection.chunks(top)):
        # The first chunk is always ended, so that each call makes progress.
        if position and time.monotonic() > deadline:
            outcome.finished = False
            break
        release = locks.release(keys, by[:255], note[:255], top, confirmed=confirmed)
        outcome.add(release)
        audit(selection.objects(release.rows))
    return outcome
