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

    #: Whole seconds to wait, at least 1: the value of a ``Retry-After`` header (RFC 9110, 10.2.3).
    retry_after: int
    #: `LOCKED` or `THROTTLED`.
    reason: str
    #: What to tell the person, in the language active when it is rendered.
    message: Any

    def __init__(self, retry_after: float = 1, reason: str = LOCKED) -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        self.reason = reason
        self.message = _lazy_message(self.retry_after)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling between processes: the lazy message is made anew."""
        return type(self), (self.retry_after, self.reason)


def refusal_message(retry_after: int) -> str:
    """Return what a refused person reads: the same for every reason, so that it tells nothing else."""
    minutes = math.ceil(retry_after / 60)
    if retry_after <= 90:
        wait = ngettext("%(count)d second", "%(count)d seconds", retry_after) % {"count": retry_after}
    else:
        wait = ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    return gettext("Too many failed login attempts. Please try again in %(wait)s.") % {"wait": wait}


_lazy_message = lazy(refusal_message, str)
