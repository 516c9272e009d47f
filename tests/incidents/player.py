"""Plays traces through the real engine, in moved time, and groups as the product would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.utils import timezone

from lockout_admin.backends import LockoutBackend
from lockout_admin.exceptions import AccountLocked
from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident, IncidentName, IncidentNetwork

from ..conftest import request_from
from .traces import HOUR, Attack, Try, network_of

#: At most once in so many seconds for the whole site.
EVERY_SECS = 10


@dataclass(slots=True)
class Fate:
    """What became of the tries of one attack, as its program sees it."""

    evaluated: int = 0
    refused: int = 0
    #: The names that were entered, and the accounts behind them.
    entered: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)


class Player:
    """The clock, the site and its people."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.start: datetime = timezone.now()
        self.fates: defaultdict[str, Fate] = defaultdict(Fate)
        self.grouped = 0.0
        self.is_stale = False

    def play(self, *parts: Attack | Iterable[Try]) -> None:
        """Have all of it happen, in order, and everything that is new be grouped."""
        tries: list[Try] = []
        for part in parts:
            tries += part.tries if isinstance(part, Attack) else part
        for one in sorted(tries, key=lambda one: one.at):
            self.pass_time(one.at)
            self.tries(one)
            self.is_stale = True
        self.pass_time(self.now + 2 * EVERY_SECS)

    @property
    def now(self) -> float:
        """Seconds since the trace began."""
        return (timezone.now() - self.start).total_seconds()

    def moment(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    def pass_time(self, until: float) -> None:
        """Group what is new, at most once in ten seconds; and once an hour where nothing is."""
        while (turn := self._next_turn()) <= until:
            self.clock.move_to(self.moment(turn))
            group()
            self.grouped = turn
            self.is_stale = False
        self.clock.move_to(self.moment(until))

    def _next_turn(self) -> float:
        # What comes after a while of nothing is looked at when it has come, and not before.
        return max(self.now, self.grouped + EVERY_SECS) if self.is_stale else self.grouped + HOUR

    def tries(self, one: Try) -> None:
        fate = self.fates[one.attack]
        fate.names.add(one.username)
        fate.networks.add(network_of(one.address))
        request = request_from(one.address, **{"User-Agent": one.agent})
        try:
            user = LockoutBackend().authenticate(request, one.username, one.password)
        except AccountLocked:
            fate.refused += 1
            return
        if user is None:
            fate.evaluated += 1
            return
        user_logged_in.send(type(user), request=request, user=user)
        fate.entered[one.username] = str(user.pk)


def incidents() -> list[Incident]:
    """Return the incidents that stand for themselves."""
    return list(Incident.objects.filter(merged_into=None).order_by("started_at", "pk"))


def networks_of(incident: Incident) -> set[str]:
    rows = IncidentNetwork.objects.filter(incident=incident)
    return {str(row.network) for row in rows}


def names_of(incident: Incident) -> set[str]:
    rows = IncidentName.objects.filter(incident=incident)
    return {row.username for row in rows}


def entered_of(incident: Incident) -> dict[str, str]:
    rows = IncidentName.objects.filter(incident=incident, entered_at__isnull=False)
    return {row.username: row.account for row in rows}
