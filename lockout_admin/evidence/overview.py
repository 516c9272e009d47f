"""What is going on, on whom, from where: each figure is read from a bounded part of an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ..engine import tallies
from ..models import AccountLock, FailedLogin, Incident, NetworkRule, Outbox
from . import series
from .pictures import Picture, Row, spark

#: Rows that are counted; more are "at least" so many.
CAP: Final = 10_000
#: The newest failures of a day among which the top sources are found.
_SAMPLE: Final = 5_000
#: The newest locks of a day whose refusals are drawn, and those that may still count.
_LOCKS: Final = 2_000
_COUNTING: Final = 50
_DRAWN: Final = ("pk", "started_at", "subject", "label", "refused", "settled")
_DAY: Final = timedelta(days=1)
#: Rows of each list.
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Source:
    """An address, or a name: how much came from it, or was tried on it, in a day."""

    label: str
    count: int
    #: Distinct names of a source.
    names: int
    bars: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Overview:
    """What a first look shows."""

    by_rule: int
    by_hand: int
    #: Networks that a lock refuses now, and those that are blocked.
    locked_networks: int
    blocked_networks: int
    mails: int
    incidents: list[Incident]
    #: Names with the most refusals of the locks of a day.
    under_fire: list[Source]
    sources: list[Source]
    picture: Picture

    @property
    def networks(self) -> int:
        """All networks that are refused now."""
        return self.locked_networks + self.blocked_networks

    @property
    def locks(self) -> int:
        """All locks on names and networks."""
        return self.by_rule + self.by_hand

    @classmethod
    def now(cls, *, sees_logins: bool = True, sees_rules: bool = True) -> Overview:
        """Return the figures of this moment, as far as somebody may see them."""
        since = timezone.now() - _DAY
        opened = _opened()
        out = Outbox.objects.filter(sent_at__gt=since, state=Outbox.State.SENT)
        locks = _locks_since(since)
        return cls(
            by_rule=opened["all"] - opened["by_hand"],
            by_hand=opened["by_hand"],
            locked_networks=opened["networks"],
            blocked_networks=counted(_blocks()) if sees_rules else 0,
            mails=counted(out),
            incidents=open_incidents(sees_logins=sees_logins),
            under_fire=_under_fire(locks),
            sources=_sources(since),
            picture=_picture(locks, sees_logins=sees_logins),
        )


def counted(rows: QuerySet[Any]) -> int:
    """Return how many rows there are, at most `CAP`."""
    return rows.order_by()[:CAP].count()


def _opened() -> dict[str, int]:
    """Return how many locks are open, of `CAP` at most, and how many of them are of which kind."""
    some = AccountLock.objects.fresh().open().order_by()[:CAP]
    by_hand = Q(reason=AccountLock.Reason.MANUAL)
    found: dict[str, int] = some.aggregate(
        all=Count("pk"),
        by_hand=Count("pk", filter=by_hand),
        networks=Count("pk", filter=Q(subject=None)),
    )
    return found


def _blocks() -> QuerySet[Any]:
    blocked: QuerySet[Any] = NetworkRule.objects.fresh().open()
    return blocked.filter(action=NetworkRule.Action.BLOCK)


def open_incidents(most: int = SHOWN, *, sees_logins: bool = True) -> list[Incident]:
    """Return incidents that nobody has closed: those with entries and those that go on first.

    Not those with entries for who may not know of them: the order would tell.
    """
    rows = Incident.objects.fresh().open(sees_logins=sees_logins)
    newest = list(rows.order_by("-last_seen_at", "-pk")[:100])
    newest.sort(
        key=lambda one: (sees_logins and one.entered > 0, not one.is_over, one.last_seen_at),
        reverse=True,
    )
    return newest[:most]


def _locks_since(since: Any) -> list[tuple[Any, int]]:
    """Return the newest locks of a day, what is drawn of each, and what it has refused."""
    rows = AccountLock.objects.fresh().filter(started_at__gt=since, enforced=True)
    drawn = rows.order_by("-started_at", "-pk").values_list(*_DRAWN, named=True)
    newest = list(drawn[:_LOCKS])
    unsettled = [row.pk for row in newest if not row.settled][:_COUNTING]
    counted = tallies.counts(AccountLock.objects.fresh().filter(pk__in=unsettled))
    return [(row, counted.get(row.pk, row.refused)) for row in newest]


def _under_fire(locks: Sequence[tuple[Any, int]]) -> list[Source]:
    refused: Counter[int] = Counter()
    labels: dict[int, str] = {}
    times: dict[int, list[tuple[float, int]]] = {}
    for row, count in locks:
        if row.subject is not None:
            refused[row.subject] += count
            labels.setdefault(row.subject, row.label)
            times.setdefault(row.subject, []).append((row.started_at.timestamp(), count))
    return [
        Source(labels[key], count, 1, _by_hour(times[key]))
        for key, count in refused.most_common(SHOWN)
        if count
    ]


def _sources(since: Any) -> list[Source]:
    rows = FailedLogin.objects.filter(timestamp__gt=since, ip_address__isnull=False)
    newest = rows.order_by("-timestamp").values_list("ip_address", "subject", "timestamp")
    seen: dict[str, list[tuple[int, Any]]] = {}
    for address, subject, when in newest[:_SAMPLE]:
        seen.setdefault(address, []).append((subject, when))
    top = sorted(seen, key=lambda address: len(seen[address]), reverse=True)[:SHOWN]
    return [
        Source(
            address,
            len(seen[address]),
            len({subject for subject, _when in seen[address]}),
            _by_hour([(when.timestamp(), 1) for _subject, when in seen[address]]),
        )
        for address in top
    ]


def _by_hour(moments: Sequence[tuple[float, int]]) -> list[tuple[int, int, int]]:
    last = timezone.now().timestamp()
    counts = [0] * 24
    for moment, count in moments:
        counts[23 - min(23, max(0, int((last - moment) // 3600)))] += count
    return spark(counts)


def _picture(locks: Sequence[tuple[Any, int]], *, sees_logins: bool) -> Picture:
    last = series.this_quarter()
    quarters = range(last - series.DAY + 1, last + 1)
    refused: Counter[int] = Counter()
    for row, count in locks:
        refused[int(row.started_at.timestamp()) // series.QUARTER_SECS] += count
    rows = [
        Row("failures", _("failures"), series.failures(last), series.CAP),
        Row("refused", _("refused, by when the lock began"), [refused[one] for one in quarters]),
    ]
    if sees_logins:
        rows.append(Row("successes", _("logins"), series.successes(last), series.CAP))
    starts = [series.edges_of(one)[0] for one in quarters]
    return Picture.of(starts, rows, before=series.failures(last - series.WEEK))
