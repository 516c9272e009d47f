"""From when on something is suspicious at this site, and why.

What is usual is taken from samples of the last two weeks, day by day: the median of what the
busiest of a hundred networks, or names, have. An attack has one day, or one network of many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from django.utils.translation import gettext as _

from ..figures import grouped
from ..models import FailedLogin, IncidentCursor

#: A site without a history has these.
LEAST_NAMES: Final = 10
LEAST_TRIES: Final = 10
LEAST_ON_A_NAME: Final = 20
LEAST_NETWORKS: Final = 60
LEAST_SAME: Final = 40
#: A day with more failures has hours that tell of a crowd.
QUIET: Final = 2_000
#: A threshold is so many times the usual.
_FACTOR: Final = 2
_DAYS: Final = 14
#: Failures of a day that are looked at.
_SAMPLE: Final = 3_000
#: So often it is reckoned.
RECKONED_SECS: Final = 6 * 60 * 60


@dataclass(frozen=True, slots=True)
class Line:
    """One threshold for people."""

    label: str
    value: float
    usual: float
    why: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds in force, see `lines`."""

    names_per_network: float = LEAST_NAMES
    tries_per_network: float = LEAST_TRIES
    tries_per_name: float = LEAST_ON_A_NAME
    lonely_networks: float = LEAST_NETWORKS
    same_guess: float = LEAST_SAME
    #: What is added where people come in.
    margin: float = 10
    #: Whether a crowd is judged by a whole day, and not by an hour.
    is_of_a_day: bool = False
    #: What they are made from.
    usual_names: float = 0
    usual_tries: float = 0

    def of_crowd(self, logged_in: int) -> float:
        """Return how many strange networks, or names, make a crowd beside so many logins."""
        if self.is_of_a_day:
            return 2 * self.lonely_networks + 0.05 * logged_in
        return self.lonely_networks + 0.02 * logged_in

    @classmethod
    def of(cls, cursor: IncidentCursor) -> Thresholds:
        """Return those that were reckoned last."""
        names = float(cursor.usual.get("names", 0))
        on_a_name = float(cursor.usual.get("tries", 0))
        return cls(
            names_per_network=max(LEAST_NAMES, _FACTOR * names),
            tries_per_network=max(LEAST_TRIES, _FACTOR * names),
            tries_per_name=max(LEAST_ON_A_NAME, _FACTOR * on_a_name),
            usual_names=names,
            usual_tries=on_a_name,
        )

    @classmethod
    def now(cls) -> Thresholds:
        """Return those in force."""
        return cls.of(IncidentCursor.objects.filter(pk=1).first() or IncidentCursor(pk=1))

    def lines(self) -> list[Line]:
        """Return them with words, in the active language."""
        by_history = _("Twice what is usual here; for a young site at least %(least)d.")
        return [
            Line(
                _("Strange names from one network, in an hour or a day"),
                self.names_per_network,
                self.usual_names,
                by_history % {"least": LEAST_NAMES}
                + " "
                + _("As many more may fail as come in from there with the same user agent."),
            ),
            Line(
                _("Tries on strange names from one network"),
                self.tries_per_network,
                self.usual_names,
                by_history % {"least": LEAST_TRIES},
            ),
            Line(
                _("Tries on one name from strange networks, in a day"),
                self.tries_per_name,
                self.usual_tries,
                by_history % {"least": LEAST_ON_A_NAME},
            ),
            Line(
                _("Networks that fail and that nobody comes in from, in an hour"),
                self.lonely_networks,
                0,
                _("And two for each hundred logins of that hour."),
            ),
            Line(
                _("The same in a day, where less than %(count)s failures are in it")
                % {"count": grouped(QUIET)},
                2 * self.lonely_networks,
                0,
                _("And five for each hundred logins of that day."),
            ),
            Line(
                _("Names on which the same password is tried, in a day"),
                self.same_guess,
                0,
                _(
                    "And what the day's failures make likely: of 65,536 fingerprints each has its"
                    " share, popular mistakes have more."
                ),
            ),
        ]


def reckon(cursor: IncidentCursor, now: datetime) -> None:
    """Learn what is usual, if it is time to."""
    if cursor.usual_at and now - cursor.usual_at < timedelta(seconds=RECKONED_SECS):
        return
    cursor.usual_at = now
    days = [_day(now - timedelta(days=day + 1)) for day in range(_DAYS)]
    known = [day for day in days if day]
    names = [_busiest(day, 0, 1) for day in known]
    on_a_name = [_busiest(day, 1, 2) for day in known]
    cursor.usual = {"names": _usual(names), "tries": _usual(on_a_name)}


def _day(since: datetime) -> list[Sequence[Any]]:
    rows = FailedLogin.objects.fresh().filter(timestamp__gt=since, device=None, repeated=False)
    rows = rows.filter(timestamp__lte=since + timedelta(days=1)).exclude(network=None)
    return list(rows.order_by("timestamp").values_list("network", "subject", "pk")[:_SAMPLE])


def _busiest(rows: Iterable[Sequence[Any]], by: int, what: int) -> float:
    """Return what the busiest of a hundred has, the one busiest of all left out."""
    groups: dict[Any, set[Any]] = defaultdict(set)
    for row in rows:
        groups[row[by]].add(row[what])
    sizes = sorted((len(group) for group in groups.values()), reverse=True)
    place = max(1, len(sizes) // 100)
    return sizes[place] if len(sizes) > place else 0


def _usual(days: Sequence[float]) -> float:
    # An attack that takes a few of the days is not usual.
    return float(median([*days, *[0.0] * (_DAYS // 2 - len(days))])) if days else 0.0
