"""One submission may be tried under several names of an account: it fails, and then gets in.

A view tries the e-mail address before the username; a backend that knows usernames only is asked
before one that knows addresses. Such a failure is none: else the owner's own logins lock him out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..identity import names
from . import outcomes
from .journal import failed_in

if TYPE_CHECKING:
    from .attempts import Attempt


def remember(attempt: Attempt) -> None:
    """Keep a failure in mind until its request is over."""
    failed_in(attempt.request).append(attempt)


def take_back(request: Any, user: Any, digest: bytes = b"") -> None:
    """Make failures of a request none that were typed under names of `user`, who is in now.

    With `digest` only those of the same password.
    """
    failed = failed_in(request)
    for attempt in [*failed]:
        if digest in (b"", attempt.digest) and _was_for(attempt, user):
            failed.remove(attempt)
            outcomes.take_back(attempt)


def _was_for(attempt: Attempt, user: Any) -> bool:
    """Tell whether nobody else can have been meant: else a login of one's own made guesses free.

    Anybody may give an address. It is his own only for a backend that looks up usernames, among
    the accounts that Django has: others may find somebody by it whom only they know.
    """
    if not hasattr(user, "get_username"):
        return False
    is_username = attempt.subject.username == str(user.get_username())
    return (is_username or attempt.is_of_django) and names.is_own(attempt.subject, user)
