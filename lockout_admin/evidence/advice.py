"""What to say to somebody who calls because a login does not work: short sentences, in their order.

Nothing here is a secret of the account: who calls may be anybody.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

from ..conf import conf
from ..engine.inquiries import Verdict
from .bidi import clock
from .names import NameDossier

_MINUTE: Final = timedelta(minutes=1)


def to_say(dossier: NameDossier) -> list[str]:
    """Return the sentences; none for whoever may not see how a name stands."""
    if not dossier.sight.locks:
        return []
    return [*_of_the_account(dossier), *_of_the_standing(dossier), *_of_the_past(dossier)]


def _of_the_account(dossier: NameDossier) -> list[str]:
    if not dossier.sight.accounts:
        return []
    if not dossier.accounts:
        return [_("No account has this name. Please spell the name that you log in with.")]
    if dossier.sight.users and not any(account.is_active for account in dossier.accounts):
        return [_("The account is switched off: no password opens it.")]
    return []


def _of_the_standing(dossier: NameDossier) -> list[str]:
    standing = dossier.standing
    if standing.verdict == Verdict.FREE:
        return _of_the_free(dossier)
    until = _until(standing.until or dossier.now)
    if standing.verdict == Verdict.THROTTLED:
        said = _("All tries are taken for the moment. Wait until %(until)s, then try once.")
        return [said % {"until": until}]
    if not standing.rule:
        said = _("Our staff has locked the name until %(until)s. Only they end that.")
        return [said % {"until": until}]
    said = _(
        "After too many wrong passwords the name is locked until %(until)s. That ends by itself."
    )
    return [said % {"until": until}, *_ways_in(dossier)]


def _of_the_free(dossier: NameDossier) -> list[str]:
    if not dossier.sight.accounts:
        return [_("Nothing keeps this name out: with the right password you can log in.")]
    if not dossier.accounts:
        return [_("No lock is on this name.")]
    told = [_("Nothing keeps this name out: with the right password you can log in.")]
    # Staff may have asked for a new one, which no caller is told.
    if address := _address_of("password_reset", "admin_password_reset"):
        said = _("If your password is not taken, choose a new one: %(address)s")
        return [*told, said % {"address": address}]
    return [*told, _("If your password is not taken, you need a new one.")]


def _ways_in(dossier: NameDossier) -> list[str]:
    ways = []
    if dossier.devices:
        ways.append(
            _("In a browser that you have logged in with before, you can log in all the same.")
        )
    if dossier.accounts and (address := _where_to_ask()):
        ways.append(_("Or have a mail sent to you: %(address)s") % {"address": address})
    return ways


def _of_the_past(dossier: NameDossier) -> list[str]:
    told = []
    if dossier.sight.failures:
        failure = dossier.last_failure
        if failure is None:
            told.append(_("Nobody has failed to log in with this name in 30 days."))
        else:
            said = _("The last failed login was %(time)s ago, on %(when)s.")
            told.append(said % _past(failure.timestamp, dossier.now))
    if dossier.last_login is not None:
        said = _("The last login was %(time)s ago, on %(when)s.")
        told.append(said % _past(dossier.last_login.timestamp, dossier.now))
    return told


def _where_to_ask() -> str:
    """Return the address of the page on which owners help themselves; empty where there is none."""
    return _address_of("lockout_admin:ask") if conf.notifiers else ""


def _address_of(*names: str) -> str:
    """Return the address of the first page that there is, by the names of URLs; empty: of none."""
    for name in names if conf.base_url else ():
        with suppress(NoReverseMatch):
            return f"{conf.base_url.rstrip('/')}{reverse(name)}"
    return ""


def _past(when: datetime, now: datetime) -> dict[str, str]:
    return {"time": timesince(when, now, depth=1), "when": clock(when)}


def _until(when: datetime) -> str:
    if when - timezone.now() < _MINUTE:
        return _("%(when)s (less than a minute from now)") % {"when": clock(when)}
    left = timeuntil(when, depth=1)
    return _("%(when)s (%(left)s from now)") % {"when": clock(when), "left": left}
