"""Is anything wrong now? Six figures, each read from a bounded part of an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ..engine.store import store
from ..identity.subject import Subject
from ..models import AccountLock, FailedLogin, SuccessfulLogin

#: Rows of one hour that are counted; more are "at least" so many.
CAP = 50_000
#: The newest failures of the hour among which the top source is found.
_SAMPLE = 5_000
_HOUR = timedelta(hours=1)
#: An alarm: so many times the usual, and at least so many failures.
_ALARM_FACTOR = 3
_ALARM_MINIMUM = 20
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
    #: Logins of the hour, and those of them that came from the top source.
    logins: int = 0
    entered: int = 0

    @property
    def alarming(self) -> bool:
        """Whether there are far more failures than usual."""
        return self.failures >= _ALARM_MINIMUM and self.failures > _ALARM_FACTOR * self.usual

    @classmethod
    def now(cls) -> Overview:
        """Return the figures of this moment."""
        now = timezone.now()
        hour = FailedLogin.objects.filter(timestamp__gt=now - _HOUR)
        addresses = Counter(
            hour.filter(ip_address__isnull=False).values_list("ip_address", flat=True)[:_SAMPLE]
        )
        source = next(iter(addresses.most_common(1)), None)
        over = SuccessfulLogin.Event.LOGOUT
        logins = SuccessfulLogin.objects.filter(timestamp__gt=now - _HOUR).exclude(event=over)
        return cls(
            locks=counted(AccountLock.objects.fresh().open()),
            failures=counted(hour),
            usual=_remembered(_usual),
            source=source,
            logins=counted(logins),
            entered=counted(logins.filter(ip_address=source[0])) if source else 0,
        )


def counted(rows: QuerySet[Any]) -> int:
    """Return how many rows there are, at most `CAP`."""
    return rows.order_by()[:CAP].count()


def _usual() -> float:
    now = timezone.now()
    ends = [now - timedelta(days=day) for day in range(1, 8)]
    return (
        sum(
            counted(FailedLogin.objects.filter(timestamp__gt=end - _HOUR, timestamp__lte=end))
            for end in ends
        )
        / 7
    )


def _remembered(work: Callable[[], float]) -> float:
    # The subject of nobody keeps the namespaces apart.
    key = f"lockout_admin:{Subject.of('').key}:usual"
    known = (store.get_many([key]) or {}).get(key)
    if known is None:
        known = work()
        store.set_many({key: known}, _USUAL_SECS)
    return float(known)
