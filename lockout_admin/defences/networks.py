"""Rules that count by network: one password tried on all names, leaked pairs, a noisy address.

Failures and names of strangers are counted by the records. An office in which many people log in
has credit: each account that came in from there adds to its limits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Exists, OuterRef

from ..engine.conditions import Missing, OneOf
from ..engine.rules import DAY, HOUR, Facts, LockTerms, Matter, Rule, Scope
from ..identity.network import network_of, number_of, wide_network_of
from ..identity.subject import digests
from ..models import SuccessfulLogin
from . import lists

#: So many accounts vouch for a network at most.
MOST_ACCOUNTS: Final = 40
#: An account vouches for the first network of its last so many seconds, …
_VOUCHES_SECS = DAY
#: … when it is so old.
_GROWN_UP_SECS = 7 * DAY

_LOCK = LockTerms(900, growth=2, longest=HOUR, remembered=DAY)


def rules() -> tuple[Rule, ...]:
    """Return the rules that hold where the site says nothing."""
    return _RULES


def _matter(
    column: str, scope: str, network: Callable[[str | None], str | None], facts: Facts
) -> Matter | None:
    cidr = _cidr(network, facts)
    if cidr is None:
        return None
    rows = (OneOf(column, (number_of(cidr),)), Missing("device"))
    return Matter(scope, _keys(scope, cidr), cidr, rows)


def _cidr(network: Callable[[str | None], str | None], facts: Facts) -> str | None:
    cidr = network(facts.client.ip_address)
    if cidr is None or facts.device is not None or lists.is_allowed(facts.client.ip_address):
        # A device: one infected machine must not lock an office's owners out.
        return None
    return cidr


def _number(network: Callable[[str | None], str | None], facts: Facts) -> int | None:
    return number_of(_cidr(network, facts))


def _keys(scope: str, cidr: str) -> tuple[int, ...]:
    return digests(f"lockout_admin.{scope}", cidr)


def _accounts(column: str, matter: Matter, now: datetime) -> int:
    """Return how many accounts vouch for a network, `MOST_ACCOUNTS` at most.

    Each vouches for one network a day, the first that it came in from; a new one for none.
    """
    number = number_of(matter.label)
    recent = {
        "event": SuccessfulLogin.Event.LOGIN,
        "timestamp__gt": now - _secs(_VOUCHES_SECS),
        # The simulator asks of a moment of the past.
        "timestamp__lte": now,
    }
    logins = SuccessfulLogin.objects.fresh()
    before = logins.filter(**recent, account=OuterRef("account"), pk__lt=OuterRef("pk"))
    elsewhere = before.exclude(**{column: number})
    here = logins.filter(**recent, **{column: number}).exclude(account="")
    accounts = here.filter(~Exists(elsewhere)).values_list("account", flat=True).distinct()
    found = list(accounts.order_by()[: 4 * MOST_ACCOUNTS])
    return min(MOST_ACCOUNTS, _count_grown_up(found, now - _secs(_GROWN_UP_SECS)))


def _count_grown_up(accounts: list[str], before: datetime) -> int:
    """Count the accounts that logged in so long ago, or were made so long ago."""
    logins = SuccessfulLogin.objects.fresh()
    known = set(
        logins.filter(account__in=accounts, timestamp__lte=before)
        .values_list("account", flat=True)
        .distinct()
        .order_by()
    )
    return len(known) + _count_made_before([pk for pk in accounts if pk not in known], before)


def _count_made_before(accounts: list[str], before: datetime) -> int:
    model: Any = get_user_model()
    try:
        model._meta.get_field("date_joined")
    except FieldDoesNotExist:
        return 0
    try:
        users = model._base_manager.filter(pk__in=accounts, date_joined__lte=before)
        return int(users.count())
    except (TypeError, ValueError, ValidationError):  # other backends have other accounts
        return 0


def _secs(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def _scope(name: str, column: str, network: Callable[[str | None], str | None]) -> Scope:
    return Scope(
        name,
        partial(_matter, column, name, network),
        accounts=partial(_accounts, column),
        brief=partial(_number, network),
        column=column,
        is_of_addresses=True,
    )


#: A /32 of IPv4, a /64 of IPv6.
NETWORK: Final = _scope("network", "network", network_of)
#: A /48 of IPv6: whoever has one has 65,536 networks.
WIDE_NETWORK: Final = _scope("wide-network", "wide_network", wide_network_of)


def _pair(suffix: str, scope: Scope, times: int) -> tuple[Rule, Rule]:
    failures = Rule(f"network{suffix}", scope, 20 * times, HOUR, _LOCK, credit=5, starts_anew=True)
    names = Rule(
        f"spraying{suffix}",
        scope,
        10 * times,
        HOUR,
        _LOCK,
        counts_names=True,
        credit=1,
        starts_anew=True,
    )
    return failures, names


_RULES: Final = (*_pair("", NETWORK, 1), *_pair("-wide", WIDE_NETWORK, 4))
