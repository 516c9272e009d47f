"""What the database knows of all that an attempt falls into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..identity.network import network_of
from ..models import FailedLogin
from . import lookup
from .buckets import Matters
from .parts import LocksOf
from .states import Failure, PastLock, State, States

_CLEARED = FailedLogin.Outcome.CLEARED
_FORGIVEN = FailedLogin.Outcome.FORGIVEN


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows."""

    states: States
    knows_user_agent: bool = False
    #: Whose the device is; ``None``: nobody trusts it any more.
    account_of_device: str | None = None

    @classmethod
    def unknown(cls, matters: Matters) -> Standing:
        """Return what to go by when the database can't be read: the slots still hold the limit."""
        return cls({key: State() for key in matters})

    @classmethod
    def of(
        cls, matters: Matters, user_agent: int | None, device: int | None, now: datetime
    ) -> Standing:
        """Read the standing of all that an attempt falls into."""
        answer = lookup.read(matters, user_agent, device, now)
        failures: dict[int, dict[int, Failure]] = {key: {} for key in matters}
        locks: dict[int, list[PastLock]] = {key: [] for key in matters}
        for part, row in answer.sorted_by_part():
            key = part.matter.key
            if isinstance(part, LocksOf):
                locks[key].append(_lock(row, answer.connection))
            else:
                failures[key][row[0]] = _failure(row, answer.connection)
        states = {
            key: State(tuple(sorted(found.values(), key=_when)), tuple(locks[key]))
            for key, found in failures.items()
        }
        return cls(states, answer.knows_user_agent, answer.account_of_device)


def _when(failure: Failure) -> tuple[datetime, int]:
    return failure.when, failure.id


def _failure(row: Sequence[Any], connection: Any) -> Failure:
    pk, when, _, fine, outcome, address, repeated, subject, browser = row
    field: Any = FailedLogin._meta.get_field("ip_address")
    text = field.from_db_value(address, None, connection)
    return Failure(
        pk,
        _moment(when, connection),
        fine,
        network_of(text),
        bool(repeated),
        subject,
        browser,
        outcome == _CLEARED,
        outcome == _FORGIVEN,
    )


def _lock(row: Sequence[Any], connection: Any) -> PastLock:
    pk, started, end, flags, rule, _, enforced, *_ = row
    return PastLock(
        pk,
        rule,
        _moment(started, connection),
        _moment(end, connection),
        grows=bool(flags & 1),
        enforced=bool(enforced),
        released=bool(flags & 2),
    )


def _moment(value: Any, connection: Any) -> datetime:
    """Return a moment as Django's field would: SQLite answers with text, MariaDB without a zone."""
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    if when.tzinfo is None and connection.timezone is not None:
        when = timezone.make_aware(when, connection.timezone)
    return when
