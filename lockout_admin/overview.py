"""Is anything wrong now? Four figures, each read from a bounded part of an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from .identity import Subject
from .models import AccountLock, FailedLogin
from .store import store

#: Rows of one hour that are counted; more are "at least" so many.
CAP = 50_000
#: Of the newest so many failures of the hour the top source is told.
_SAMPLE = 5_000
_HOUR = timedelta(hours=1)
#: How often the usual, and how many failures, make an alarm.
_ALARM_FACTOR, _ALARM_MINIMUM = 3, 20
_USUAL_SECS = 10 * 60


@dataclass(frozen=True, slots=True)
class Overview:
    """What a first look shows."""

    locks: int
    failures: int
    #: Mean of the same hour on each of the last seven days.
    usual: float
    #: The address with most of the newest failures of the hour, and how many it has.
    source: tuple[str, int] | None

    @property
    def alarming(self) -> bool:
        """Whether there are far more failures than usual."""
        return self.failures >= _ALARM_MINIMUM and self.failures > _ALARM_FACTOR * self.usual

    @classmethod
    def now(cls) -> Overview:
        """Look."""
        now = timezone.now()
        hour = FailedLogin.objects.filter(timestamp__gt=now - _HOUR)
        addresses = Counter(hour.filter(address__isnull=False).values_list("address", flat=True)[:_SAMPLE])
        return cls(
            locks=counted(AccountLock.objects.open()),
            failures=counted(hour),
            usual=_remembered(_usual),
            source=next(iter(addresses.most_common(1)), None),
        )


def counted(rows: QuerySet[Any]) -> int:
    """Return how many rows there are, at most `CAP`."""
    return rows.order_by()[:CAP].count()


def _usual() -> float:
    now = timezone.now()
    ends = [now - timedelta(days=day) for day in range(1, 8)]
    return sum(counted(FailedLogin.objects.filter(timestamp__gt=end - _HOUR, timestamp__lte=end)) for end in ends) / 7


def _remembered(work: Callable[[], float]) -> float:
    # The subject of nobody keeps the namespaces apart.
    key = f"lockout_admin:{Subject.of('').key}:usual"
    known = (store.get_many([key]) or {}).get(key)
    if known is None:
        known = work()
        store.set_many({key: known}, timeout=_USUAL_SECS)
    return float(known)
