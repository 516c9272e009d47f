"""How often an owner is told, and how often anybody may ask that he is.

A siege goes on until a day has passed without a failure on any name of the account and without a
lock. Of one siege the owner is told when it begins, and then once a week.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max, Q
from django.utils import timezone

from ..conf import conf
from ..identity.network import network_of
from ..identity.subject import account_of
from ..models import AccountLock, FailedLogin, Outbox, SuccessfulLogin
from ..models.fields import parse_network
from . import holders, mailboxes

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
#: How long somebody else's message to the same owner may take to show whether it went out.
_SOON: Final = timedelta(seconds=30)
#: So many failures before a login are told.
FAILURES_TOLD: Final = 5
#: Messages about new devices in a day.
_DEVICES_A_DAY: Final = 5
#: Mails that an owner asks for from a mail, in a day.
FRESH_A_DAY: Final = 6
#: How much of the site's mails others may fill, and how many they leave at least: a quarter is for
#: those who ask, and of that a part for who asks from a mail, which no stranger can use up.
_SHARES: Final = {"": (0.75, 2), Outbox.Kind.ASKED: (0.9, 1), Outbox.Kind.FRESH: (1, 0)}

Kind = Outbox.Kind
State = Outbox.State
Why = Outbox.Why
States = tuple[Outbox.State, ...]

_OUT: Final[States] = (State.SENT,)
_ON_THE_WAY: Final[States] = (State.SENT, State.SENDING)
#: What is told once, and not counted.
_ONCE: Final = (Kind.LOCKED, Kind.AFTER_FAILURES, Kind.ENTERED)


def why_not(row: Outbox, user: Any, firsts: mailboxes.Firsts) -> str:
    """Return why an owner is not told; empty: he is."""
    if why := _RULES[Kind(row.kind)](row, user, _OUT):
        return why
    return Why.LIMIT if mailboxes.is_full(row, user, _OUT, firsts) else ""


def rival_until(row: Outbox, user: Any, firsts: mailboxes.Firsts) -> datetime | None:
    """Return until when a message waits for what becomes of others that are on their way.

    Of what is told once, for any other. Of what is counted, only if they would fill the count: who
    asks again, because the sender of the first one died, has no lease to wait for.
    """
    if user is None:
        return None
    now = timezone.now()
    rivals = _of_account(row, row.account).filter(state=State.SENDING, due__gt=now)
    if row.kind in _ONCE and rivals.exclude(pk=row.pk).exists():
        return now + _SOON
    # What was on its way a moment ago is out by the second question.
    is_held = _fills(row, user, _ON_THE_WAY, firsts) and not _fills(row, user, _OUT, firsts)
    return now + _SOON if is_held else None


def _fills(row: Outbox, user: Any, states: States, firsts: mailboxes.Firsts) -> bool:
    """Tell whether there are as many as are counted without this one."""
    is_counted = row.kind not in _ONCE
    if is_counted and _RULES[Kind(row.kind)](row, user, states):
        return True
    return mailboxes.is_full(row, user, states, firsts)


def has_enough(user: Any) -> bool:
    """Tell whether as many mails were asked for from a mail as an account gets in a day."""
    rows = Outbox.objects.filter(account=account_of(user), kind=Kind.FRESH)
    asked = rows.filter(timestamp__gt=timezone.now() - _DAY).exclude(state=State.DROPPED)
    return asked.values("nonce").distinct().count() >= FRESH_A_DAY


def full_until(row: Outbox, most: int) -> datetime | None:
    """Return until when a message waits because as many went out in the last hour as may."""
    share, left = _SHARES.get(row.kind, _SHARES[""])
    most = max(1, min(int(most * share), most - left))
    # Those that are on their way count, this one among them.
    latest = _gone_out(row.notifier, timezone.now() - _HOUR).order_by("-sent_at")
    over = latest.values_list("sent_at", flat=True)[most : most + 1]
    return next((moment + _HOUR for moment in over if moment), None)


def _gone_out(notifier: str, since: datetime) -> Any:
    return Outbox.objects.filter(
        notifier=notifier, sent_at__gt=since, state__in=(State.SENDING, State.SENT)
    )


def _of_account(row: Outbox, account: str) -> Any:
    return Outbox.objects.filter(account=account, kind=row.kind, notifier=row.notifier)


def _told(row: Outbox, user: Any, within: timedelta, states: States) -> Any:
    """Return what the owner was told of the same kind in the time before now."""
    since = timezone.now() - within
    told = _of_account(row, account_of(user)).filter(state__in=states, sent_at__gt=since)
    return told.exclude(pk=row.pk)


# -- One rule a kind ----------------------------------------------------------------------------


def _locked(row: Outbox, user: Any, states: States) -> str:
    last = _told(row, user, _WEEK, states).aggregate(last=Max("sent_at"))["last"]
    if last is None or _was_quiet(holders.keys_of(user) | {row.subject}, last, row.timestamp):
        return ""
    return Why.NOT_NEW


def _asked(row: Outbox, user: Any, states: States) -> str:
    # Strangers must not use up what the owner may ask for.
    is_known = _is_from_known_network(row.ip_address, user)
    addresses = _told(row, user, _DAY, states).values_list("ip_address", flat=True)
    alike = sum(_is_from_known_network(address, user) == is_known for address in addresses)
    return Why.LIMIT if alike >= conf.asked_mails_per_account else ""


def _fresh(row: Outbox, user: Any, states: States) -> str:
    return Why.LIMIT if _told(row, user, _DAY, states).count() >= FRESH_A_DAY else ""


def _new_device(row: Outbox, user: Any, states: States) -> str:
    return Why.NOT_NEW if _told(row, user, _DAY, states).count() >= _DEVICES_A_DAY else ""


def _after_failures(row: Outbox, user: Any, states: States) -> str:
    if _told(row, user, _DAY, states).exists():
        return Why.NOT_NEW
    account = account_of(user)
    logins = SuccessfulLogin.objects.fresh().exclude(event=SuccessfulLogin.Event.LOGOUT)
    before = logins.filter(account=account, timestamp__lt=row.timestamp).order_by("-timestamp")
    since = max([*before.values_list("timestamp", flat=True)[:1], row.timestamp - _DAY])
    row.failures = _failures(holders.keys_of(user), since, row.timestamp).count()
    return "" if row.failures >= FAILURES_TOLD else Why.NOT_NEW


def _entered(row: Outbox, user: Any, states: States) -> str:
    # Staff say so, once an incident and account.
    return ""


_RULES: Final = {
    Kind.LOCKED: _locked,
    Kind.ASKED: _asked,
    Kind.FRESH: _fresh,
    Kind.NEW_DEVICE: _new_device,
    Kind.AFTER_FAILURES: _after_failures,
    Kind.ENTERED: _entered,
}


# -- What has happened --------------------------------------------------------------------------


def _was_quiet(keys: set[int], since: datetime, until: datetime) -> bool:
    """Tell whether a day passed between two moments without a failure and without a lock.

    From one to the last within a day of it: two steps take more than a day.
    """
    moment = since
    while moment < until - _DAY:
        last = _last_activity(keys, moment, moment + _DAY)
        if last is None:
            return True
        moment = last
    return False


def _last_activity(keys: set[int], since: datetime, until: datetime) -> datetime | None:
    """Return when a name was last failed or locked after `since`, at `until` at the latest."""
    failed = _failures(keys, since, until).aggregate(last=Max("timestamp"))["last"]
    if failed is not None and failed > since:
        return failed  # type: ignore[no-any-return]
    of_names = Q(key__in=keys) | Q(subject__in=keys)
    locks = AccountLock.objects.fresh().filter(of_names, until__gt=since, enforced=True)
    ends = [
        min(lock.until, lock.ended_at or lock.until, until)
        for lock in locks.filter(started_at__lte=until).only("until", "ended_at")
    ]
    return max((end for end in ends if end > since), default=None)


def _failures(keys: set[int], since: datetime, until: datetime) -> Any:
    rows = FailedLogin.objects.fresh()
    return rows.filter(subject__in=keys, timestamp__gt=since, timestamp__lte=until)


def _is_from_known_network(address: str | None, user: Any) -> bool:
    network = network_of(address)
    if network is None:
        return False
    logins = SuccessfulLogin.objects.fresh().filter(account=account_of(user))
    return bool(logins.filter(ip_address__net=parse_network(network))[:1])
