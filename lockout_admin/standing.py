"""What the database knows of a subject when an attempt comes in, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, DateTimeField, IntegerField, QuerySet, Value
from django.db.models.functions import Coalesce

from .conf import conf
from .models import AccountLock, FailedLogin, UserAgent
from .policies import Threshold

_LOCK, _FAILURE, _USER_AGENT = range(3)


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of a subject."""

    #: Whether a lock is open.
    locked: bool
    #: Locks of the growth window that make the next one longer.
    previous_locks: int
    #: From where on failures count: the start of the interval, or the end of a lock in it.
    since: datetime
    #: When and as what (primary key) the failures that count were recorded, oldest first.
    failures: tuple[tuple[datetime, int], ...]
    #: Whether the user agent of this attempt has been seen before.
    knows_user_agent: bool

    @classmethod
    def unknown(cls, now: datetime) -> Standing:
        """Return the standing to go by when the database can't be read."""
        return cls(False, 0, _start_of_interval(now), (), knows_user_agent=False)

    @classmethod
    def of(cls, subject: str, user_agent: int | None, now: datetime) -> Standing:
        """Read the standing of `subject` at `now`."""
        cutoff, window = _start_of_interval(now), timedelta(seconds=conf.lock_growth_window_secs)
        rows = list(_locks(subject).union(_failures(subject, cutoff), _user_agents(user_agent), all=True))
        locks = [row for row in rows if row[0] == _LOCK]
        since = max([cutoff, *(end for *_, end, _ in locks if end <= now)])
        return cls(
            locked=any(end > now for *_, end, _ in locks),
            previous_locks=sum(grows for *_, end, grows in locks if end > now - window),
            since=since,
            failures=tuple(sorted((when, pk) for kind, pk, when, _, _ in rows if kind == _FAILURE and when >= since)),
            knows_user_agent=any(row[0] == _USER_AGENT for row in rows),
        )


def _start_of_interval(now: datetime) -> datetime:
    # A failure is forgotten when the interval is over, in the moment in which its slot is free again.
    return now - Threshold.current().interval + timedelta.resolution


def _kind(kind: int) -> Value:
    return Value(kind, output_field=IntegerField())


_NO_MOMENT = Value(None, output_field=DateTimeField())
_NO = Value(False, output_field=BooleanField())


def _locks(subject: str) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = (
        AccountLock.objects.fresh()
        .recent()
        .filter(subject=subject)
        .annotate(kind=_kind(_LOCK), end=Coalesce("ended_at", "until"))
        .values_list("kind", "id", "started_at", "end", "grows")
        .order_by()
    )
    return rows


def _failures(subject: str, since: datetime) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = (
        FailedLogin.objects.fresh()
        .counted(subject, since)
        .annotate(kind=_kind(_FAILURE), end=_NO_MOMENT, grows=_NO)
        .values_list("kind", "id", "timestamp", "end", "grows")
        .order_by()
    )
    return rows


def _user_agents(key: int | None) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = (
        UserAgent.objects.filter(pk=key)
        .annotate(kind=_kind(_USER_AGENT), end=_NO_MOMENT, grows=_NO)
        .values_list("kind", "id", "first_seen", "end", "grows")
    )
    return rows
