"""All that is known of one name: how it stands, whose it is, what happened to it, what to say.

Each part reads a bounded piece of an index, however much there is of a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.utils import timezone

from ..engine import inquiries, strays, tallies
from ..engine.inquiries import NameStanding, Verdict
from ..identity.network import network_of
from ..identity.subject import Subject
from ..models import AccountLock, FailedLogin, Outbox, SuccessfulLogin, TrustedDevice
from . import accounts, days
from .accounts import Account
from .days import Days
from .selection import subjects_of
from .sight import Sight

#: The newest failures that are looked at for the networks they came from.
SAMPLE: Final = 1_000
#: The newest locks of thirty days whose refusals are counted.
LOCKS: Final = 200
#: Lines of each list.
LINES: Final = 10
#: Messages that tell of a login.
_OF_LOGINS: Final = (Outbox.Kind.NEW_DEVICE, Outbox.Kind.AFTER_FAILURES, Outbox.Kind.ENTERED)
_DAYS: Final = timedelta(days=days.DAYS)


@dataclass(slots=True)
class Source:
    """A network that failed on a name; newest first."""

    network: str
    failures: int
    last: datetime
    #: Addresses, the newest first.
    addresses: list[str] = field(default_factory=list)
    #: Whether the name logged in from there, too.
    is_known: bool = False


class NameDossier:
    """One name, as somebody with a sight sees it."""

    def __init__(self, text: str, sight: Sight) -> None:
        self.text = text
        self.sight = sight
        self.subject = Subject.of(text)
        self.keys = subjects_of(text)
        self.now = timezone.now()

    # -- How it stands --------------------------------------------------------------------------

    @cached_property
    def standing(self) -> NameStanding:
        """What an attempt by a stranger would meet now."""
        return inquiries.of_name(self.text)

    @cached_property
    def open_locks(self) -> list[AccountLock]:
        """The locks that refuse the name now: those by hand first, then by what is left."""
        rows = self._open_rows()
        if not rows and self.standing.verdict == Verdict.LOCKED:
            # Only the store knows it: a lock that is to be ended needs a row.
            strays.record_all(self.keys)
            rows = self._open_rows()
        return sorted(rows, key=lambda row: (row.is_by_hand, row.until), reverse=True)

    def _open_rows(self) -> list[AccountLock]:
        rows = AccountLock.objects.fresh().open()
        return list(rows.filter(subject__in=self.keys, scope="account").order_by("-until")[:LINES])

    @property
    def lock(self) -> AccountLock | None:
        """The lock that is to be spoken of."""
        return self.open_locks[0] if self.open_locks else None

    # -- Whose it is ----------------------------------------------------------------------------

    @cached_property
    def accounts(self) -> list[Account]:
        """The accounts that can be entered under this name."""
        if not self.sight.accounts:
            return []
        return accounts.owning(self.subject, accounts.called(self.text).accounts)

    @cached_property
    def other_names(self) -> list[str]:
        """Under which other names the same accounts can be entered."""
        names = [
            name
            for account in self.accounts
            for name in account.names
            # An address is for those who see it on the account.
            if self.sight.users or "@" not in name or name == account.username
        ]
        others = {Subject.of(name).key: name for name in names}
        others.pop(self.subject.key, None)
        return list(others.values())

    @cached_property
    def devices(self) -> list[TrustedDevice]:
        """The browsers that their owners logged in with, newest first."""
        if not self.sight.devices or not self.accounts:
            return []
        rows = TrustedDevice.objects.fresh().trusted().filter(account__in=self._account_keys)
        return list(rows.select_related("user_agent").order_by("-first_seen")[:LINES])

    @property
    def _account_keys(self) -> list[str]:
        return [account.key for account in self.accounts]

    # -- What happened --------------------------------------------------------------------------

    @cached_property
    def failures(self) -> list[Any]:
        """When and from where the newest failures of thirty days came, `SAMPLE` at most."""
        if not self.sight.failures:
            return []
        rows = self._of_name(FailedLogin).filter(timestamp__gte=self.now - _DAYS)
        seen = rows.order_by("-timestamp").values_list("timestamp", "ip_address", named=True)
        return list(seen[:SAMPLE])

    @cached_property
    def logins(self) -> list[SuccessfulLogin]:
        """The newest logins under this name, and of its accounts under any."""
        if not self.sight.logins:
            return []
        rows = list(self._newest(self._of_name(SuccessfulLogin)))
        if self.accounts:
            of_accounts = SuccessfulLogin.objects.filter(account__in=self._account_keys)
            rows += self._newest(of_accounts)
        unique = {row.pk: row for row in rows}
        newest = sorted(unique.values(), key=lambda row: (row.timestamp, row.pk), reverse=True)
        return newest[:LINES]

    def _newest(self, rows: Any) -> Any:
        entries = rows.exclude(event=SuccessfulLogin.Event.LOGOUT).select_related("user_agent")
        return entries.order_by("-timestamp")[:LINES]

    @property
    def last_failure(self) -> Any:
        """The newest failure."""
        return self.failures[0] if self.failures else None

    @property
    def last_login(self) -> SuccessfulLogin | None:
        """The newest login."""
        return self.logins[0] if self.logins else None

    @cached_property
    def sources(self) -> list[Source]:
        """The networks of the newest failures, those that came last first."""
        return sources_of(self.failures, self.logins)

    @cached_property
    def locks(self) -> list[AccountLock]:
        """The last locks, ended or not."""
        if not self.sight.locks:
            return []
        rows = AccountLock.objects.fresh().filter(subject__in=self.keys)
        return list(rows.order_by("-until")[:LINES])

    @cached_property
    def mails(self) -> list[Outbox]:
        """The messages about the name that were sent, or wait."""
        if not self.sight.locks or not self.accounts:
            return []
        rows = Outbox.objects.filter(account__in=self._account_keys)
        if not self.sight.logins:
            rows = rows.exclude(kind__in=_OF_LOGINS)
        return list(rows.order_by("-timestamp")[:LINES])

    @cached_property
    def days(self) -> Days:
        """Thirty days, day by day; what somebody may not see is nothing there."""
        moments = days.edges(self.now)
        series: dict[str, list[int]] = {}
        if self.sight.failures:
            whens = [row.timestamp for row in self.failures]
            series["failures"] = _by_day(self._of_name(FailedLogin), whens, moments)
        if self.sight.logins:
            entries = self._of_name(SuccessfulLogin).exclude(event=SuccessfulLogin.Event.LOGOUT)
            recent = entries.filter(timestamp__gte=moments[0]).order_by("-timestamp")
            whens = list(recent.values_list("timestamp", flat=True)[:SAMPLE])
            series["logins"] = _by_day(entries, whens, moments)
        if self.sight.locks:
            series["refused"] = self._refused(moments)
        return Days.of(moments, since=None, **series)

    def _refused(self, moments: list[datetime]) -> list[int]:
        """Return the attempts that locks refused, by the days on which these began."""
        rows = AccountLock.objects.fresh().filter(subject__in=self.keys, until__gte=moments[0])
        newest = list(rows.order_by("-until")[:LOCKS])
        counted = tallies.counts(newest)
        refused = [(row.started_at, counted[row.pk]) for row in newest]
        return days.summed(refused, moments)

    def _of_name(self, model: Any) -> Any:
        return model.objects.filter(subject__in=self.keys)


def _by_day(rows: Any, newest: list[datetime], moments: list[datetime]) -> list[int]:
    """Return how many rows there are on each day; `newest` are all there are, or `SAMPLE`."""
    if len(newest) < SAMPLE:
        return days.summed(((when, 1) for when in newest), moments)
    return days.counts(rows, moments)


def sources_of(failures: Iterable[Any], logins: Iterable[SuccessfulLogin]) -> list[Source]:
    """Return where failures came from, by network, in their order."""
    homes = {network_of(row.ip_address) or row.ip_address for row in logins}
    found: dict[str, Source] = {}
    for row in failures:
        if row.ip_address is None:
            continue
        network = network_of(row.ip_address) or row.ip_address
        source = found.setdefault(network, Source(network, 0, row.timestamp))
        source.failures += 1
        source.is_known = network in homes
        if row.ip_address not in source.addresses:
            source.addresses.append(row.ip_address)
    return list(found.values())
