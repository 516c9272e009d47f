"""The refusal of an attempt."""

from __future__ import annotations

import math
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext


class AccountLocked(PermissionDenied):
    """An attempt was refused without a look at its password.

    As a `PermissionDenied` it ends Django's ``authenticate()`` before another backend is asked, and
    is answered with a refusal by Django's views, the admin and DRF.
    """

    #: The username is locked.
    LOCKED = "locked"
    #: All passwords of this interval have been tried or are being tried.
    THROTTLED = "throttled"
    #: A challenge is to be answered first, see `ChallengeRequired`.
    CHALLENGED = "challenged"

    #: Whole seconds to wait, at least 1: the value of a ``Retry-After`` header (RFC 9110, 10.2.3).
    retry_after: int
    #: `LOCKED`, `THROTTLED` or `CHALLENGED`.
    reason: str
    #: What to tell the person, in the language active when it is rendered.
    message: Any

    def __init__(self, retry_after: float = 1, reason: str = LOCKED) -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        self.reason = reason
        self.message = _lazy_message(self.retry_after)
        super().__init__(self.message)

    @property
    def details(self) -> dict[str, Any]:
        """What a client that speaks JSON is told."""
        return {
            "detail": str(self.message),
            "code": self.reason,
            "retry_after": self.retry_after,
        }

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the answer, whichever form it has (RFC 6585, 4)."""
        return {"Retry-After": str(self.retry_after), "Cache-Control": "no-store"}

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling between processes: the lazy message is made anew."""
        return type(self), (self.retry_after, self.reason)


class ChallengeRequired(AccountLocked):
    """An attempt came without the answer to a challenge; the same again, with one, may pass."""

    #: What is asked, as JSON: see `defences.challenge`.
    challenge: dict[str, Any]

    def __init__(self, challenge: dict[str, Any]) -> None:
        super().__init__(1, self.CHALLENGED)
        self.challenge = challenge
        self.message = _lazy_challenge_message()
        self.args = (self.message,)

    @property
    def details(self) -> dict[str, Any]:
        """What a client that speaks JSON is told: the challenge as well."""
        return {**super().details, "challenge": self.challenge}

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling between processes."""
        return type(self), (self.challenge,)


def refusal_message(retry_after: int) -> str:
    """Return what a refused person reads: the same for every reason, to tell nothing else."""
    wait = waiting_time(retry_after)
    return gettext("Too many failed login attempts. Please try again in %(wait)s.") % {"wait": wait}


def challenge_message() -> str:
    """Return what a challenged person reads."""
    return gettext(
        "There are too many failed logins at the moment, so your browser has to do a short"
        " computation first. Please log in again."
    )


def waiting_time(seconds: int) -> str:
    """Return a length of time as people say it, rounded up: 43 days, not 61920 minutes."""
    if seconds <= 90:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = math.ceil(seconds / 3600)
    if hours <= 36:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = math.ceil(seconds / 86400)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


_lazy_message = lazy(refusal_message, str)
_lazy_challenge_message = lazy(challenge_message, str)
