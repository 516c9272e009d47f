"""Trusted devices: a browser that its owner logged in with is counted and locked by itself.

Strangers lock the name for strangers only (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). Whoever steals the cookie has the limits of one device, and ten guesses in all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.signals import user_logged_in
from django.db import Error
from django.http import HttpRequest
from django.utils import timezone

from ..conf import conf
from ..engine.conditions import OneOf
from ..engine.journal import is_answered_by_us, left_open
from ..engine.rules import DAY, EndedBy, Facts, LockTerms, Matter, Rule, Scope
from ..engine.ruleset import account_rules, rules_in_force
from ..engine.successes import Success
from ..identity import names
from ..identity.browser import Browser, new_number, of_nothing
from ..identity.client import Client
from ..identity.device import number_of, told_by_site
from ..identity.subject import Subject, account_of, digests, spellings_of
from ..identity.text import ascii_lower
from ..models import TrustedDevice, UserAgent
from ..models.querysets import UserAgentManager
from ..models.transactions import shielded, tell
from ..signals import login_succeeded, new_device

logger = logging.getLogger("lockout_admin")

#: Failures since its last success that end the trust in a device.
MOST_FAILURES: Final = 10
#: For how long a browser is trusted for the one login that a mail led to.
_ONCE_SECS: Final = 15 * 60
_End = TrustedDevice.End


# -- What is counted ----------------------------------------------------------------------------


def _of(facts: Facts) -> Matter | None:
    if facts.device is None:
        return None
    # Whichever name of its account is typed.
    keys = digests("lockout_admin.device", f"{facts.device:x}")
    rows = (OneOf("device", (facts.device,)),)
    return Matter("device", keys, facts.subject.username, rows, facts.subject.key)


DEVICE: Final = Scope("device", _of, reserves=True, is_of_devices=True)


def rules() -> tuple[Rule, ...]:
    """Return the rules that hold where the site says nothing: `account` once more, and an end."""
    account = account_rules()[0]
    device = Rule(
        "device",
        DEVICE,
        account.limit,
        account.interval,
        account.lock,
        counts_repeats=True,
        ended_by=EndedBy.BROWSER,
        starts_anew=True,
    )
    end = Rule(
        "device-total",
        DEVICE,
        MOST_FAILURES,
        interval=400 * DAY,
        lock=LockTerms(1),
        ended_by=EndedBy.BROWSER,
        ends_trust=True,
    )
    return device, end


# -- Who is trusted -----------------------------------------------------------------------------


def connect() -> None:
    """Listen to who logs in; called once, when the app is ready."""
    for signal, receiver in ((user_logged_in, user_is_in), (login_succeeded, client_is_in)):
        signal.connect(receiver, dispatch_uid=f"lockout_admin.devices.{receiver.__name__}")


def user_is_in(request: Any = None, user: Any = None, **signal: Any) -> None:
    """Trust the browser of somebody who is logged in now, if it can be told."""
    browser = None if conf.only_watches else Browser.of(request)
    if browser is None or not account_of(user) or not is_answered_by_us(request):
        return
    own = [one for one in left_open(request) if isinstance(one, Success) and one.is_of(user)]
    try:
        with shielded(TrustedDevice):
            device = _trusted_already(browser, user, own) or _trust_new(browser, request, user, own)
    except Error:
        logger.exception("device_not_recorded: the database refused a device; it stays unknown.")
        return
    for success in own:
        success.row.device = device


def client_is_in(success: Any = None, request: Any = None, **signal: Any) -> None:
    """Trust what the site says is the device of an API client that got in."""
    told = told_by_site(request)
    if not told or not success.account or success.event == success.Event.LOGOUT:
        return
    device = number_of(told, Subject.of(success.username))
    if success.device == device:
        return
    try:
        with shielded(TrustedDevice):
            if not _is_only_of(success.account, success.username):
                return
            known = TrustedDevice.objects.fresh().filter(pk=device)
            known.exclude(end_reason=_End.REVOKED).update(
                ended_at=None, end_reason="", until=_in(conf.device_cookie_age_secs)
            )
            if not known.exists():
                _record(device, success.account, Client.of(request))
    except Error:
        logger.exception("device_not_recorded: the database refused a device; it stays unknown.")


def _is_only_of(account: str, typed: str) -> bool:
    """Tell whether a name is of this account and no other: each login would trust it for both."""
    user = names.look_up_account(account)
    name = Subject.of(typed)
    return user is not None and (names.is_username(name, user) or not names.is_shared(name, user))


def can_trust(rules: Sequence[Rule] | None = None) -> bool:
    """Tell whether the site keeps trusted devices, which get in where strangers do not."""
    rules = rules_in_force() if rules is None else rules
    bound = any(rule.scope.binds_devices and rule.enforces for rule in rules)
    # Where no rule counts what comes from devices, they are strangers; see `sort_into`.
    are_apart = any(rule.scope.is_of_devices for rule in rules)
    return bool(conf.device_cookie_name) and are_apart and not bound


def trust_next_login(request: HttpRequest, user: Any, typed: str = "") -> None:
    """Trust the browser of a request for one login as `user`, for fifteen minutes.

    Under the account's names and the one that was `typed`, which may be known to a backend alone.
    The login makes it a device for good. The middleware sets the cookie.
    """
    if browser := Browser.of(request):
        trust(browser, request, user, [typed] if typed else [], for_once=True)


def _trusted_already(browser: Browser, user: Any, own: list[Success]) -> int | None:
    """Return the device that the browser is for an account; ``None``: it is none."""
    owner = browser.owner_of(user)
    if owner is None:
        return None
    device = owner.device
    if any(success.row.device == device for success in own) and not owner.once_until:
        return device  # as the attempt found
    rows = TrustedDevice.objects.fresh().trusted().filter(pk=device)
    if not rows.exists():
        return None
    if owner.once_until:
        rows.update(for_once=False, until=_in(conf.device_cookie_age_secs))
    known = _names(user, _typed(own))
    # Who asked for a mail may have typed anything: what is kept is what came in.
    before = () if owner.once_until else owner.names
    if owner.once_until or not set(known).issubset(before):
        browser.trust(user, device, [*dict.fromkeys([*known, *before])])
    return device


def _trust_new(browser: Browser, request: Any, user: Any, own: list[Success]) -> int:
    has_others = TrustedDevice.objects.fresh().trusted().filter(account=account_of(user)).exists()
    device = trust(browser, request, user, _typed(own))
    if has_others:
        tell(new_device, type(user), user=user, request=request)
    return device


def trust(
    browser: Browser,
    request: Any,
    user: Any,
    typed: Sequence[str] = (),
    *,
    names_before: Sequence[int] = (),
    for_once: bool = False,
) -> int:
    """Make a browser a device of an account; return the number of the device."""
    # A new number each time: who has a copy of an old cookie has nothing of it.
    device = new_number()
    _record(device, account_of(user), Client.of(request), for_once=for_once)
    once_until = int(_in(_ONCE_SECS).timestamp()) if for_once else 0
    known = dict.fromkeys([*_names(user, typed, for_once=for_once), *names_before])
    browser.trust(user, device, [*known], once_until=once_until)
    return device


def _typed(own: Sequence[Success]) -> list[str]:
    return [success.row.username for success in own]


def _names(user: Any, typed: Sequence[str], *, for_once: bool = False) -> list[int]:
    """Return the digests of an account's names, and of what was typed when it came in.

    As they are spelt, and in any letter case of ASCII for one login, and once the account came in
    by another one: whoever registers ``Alice`` before ``alice`` exists has no device for ``alice``.
    Of a name that others have too, the username itself as it is spelt.
    Not by the fold: whoever may register ``alisa`` had a device for ``alissa``.
    """
    found: dict[int, None] = {}
    entered = {subject.username for subject in map(Subject.of, typed)}
    for subject in dict.fromkeys(map(Subject.of, [*names.all_of(user), *typed])):
        is_shared = names.is_shared(subject, user)
        is_in_any_case = for_once or _came_in_otherwise(subject, entered)
        spellings = spellings_of(subject) if is_in_any_case else ()
        is_own = not is_shared or names.is_username(subject, user)
        found |= dict.fromkeys(subject.fines if is_own else of_nothing(subject.fines))
        found |= dict.fromkeys(of_nothing(spellings) if is_shared else spellings)
    return [*found]


def _came_in_otherwise(name: Subject, entered: set[str]) -> bool:
    """Tell whether an account came in by one of its names in another letter case."""
    lower = ascii_lower(name.username)
    return any(typed != name.username and ascii_lower(typed) == lower for typed in entered)


def _record(device: int, account: str, client: Client, *, for_once: bool = False) -> None:
    if client.user_agent:
        UserAgent.objects.remember(client.user_agent)
    TrustedDevice.objects.create(
        id=device,
        account=account,
        user_agent_id=UserAgentManager.key_of(client.user_agent),
        ip_address=client.ip_address,
        until=_in(_ONCE_SECS if for_once else conf.device_cookie_age_secs),
        for_once=for_once,
    )


def _in(seconds: int) -> Any:
    return timezone.now() + timedelta(seconds=seconds)
