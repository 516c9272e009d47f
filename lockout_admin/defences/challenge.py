"""A challenge: what a stranger answers before a password is looked at. Off by default.

Asked for after some failures of a name or of a network in an hour, and of all strangers while the
site as a whole is under attack. An attempt without the answer is refused with the challenge:
nothing is compared, recorded or counted, and no slot is taken; the same for every name. Whoever
comes with a trusted device is never asked. Without a request nobody can be asked: such an attempt
passes, and the rules hold for it as ever.

The answer comes in the header `HEADER` or in the cookie `COOKIE`, whichever form or script logs in.
It is good once: for one password on one name, which each backend may be asked about.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from inspect import isabstract
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from django.conf import settings
from django.utils.crypto import salted_hmac

from ..conf import conf
from ..engine import gates
from ..engine.journal import current_request
from ..engine.rules import ACCOUNT, HOUR
from ..engine.store import store
from ..exceptions import AccountLocked, ChallengeRequired
from ..identity.visit import bare, cookie_of, header_of
from ..models import FailedLogin
from ..models.transactions import tell
from ..signals import would_challenge
from . import alarm, lists
from .networks import NETWORK
from .telling import Telling

if TYPE_CHECKING:
    from ..engine.attempts import Attempt
    from ..engine.states import Failure

logger = logging.getLogger("lockout_admin")

#: Where clients that are no browsers put the answer, …
HEADER: Final = "X-Lockout-Answer"
#: … and where the script of the page does.
COOKIE: Final = "lockout_answer"
#: Longer ones are not looked at.
_LONGEST: Final = 4096
#: What was answered in a request, and how many backends have had it.
_ATTRIBUTE: Final = "_lockout_admin_answered"
#: Whom a site that only watches would have asked.
_told: Final = Telling()


@dataclass(frozen=True, slots=True)
class Solved:
    """A right answer."""

    #: What it answered: the same twice is one answer.
    key: str
    #: For how many seconds the same answer would be right again.
    seconds: int


class Challenge(ABC):
    """One kind of challenge. A site writes its own, and its dotted path into ``CHALLENGE``."""

    #: What a refused person gets to see, with `challenge` in its context.
    template = "lockout_admin/challenge.html"

    @abstractmethod
    def ask(self) -> dict[str, Any]:
        """Return a fresh challenge, as JSON. What is raised is logged, and nobody is asked."""

    @abstractmethod
    def solved(self, answer: str) -> Solved | None:
        """Check what a stranger sent. ``None``, or what is raised: it is no answer."""


def connect() -> None:
    """Put the gate up."""
    gates.register_inner("challenge", refusal_of)


def refusal_of(attempt: Attempt) -> AccountLocked | None:
    """Return the refusal of an attempt that has to answer first; ``None``: it may go on."""
    kind = in_force()
    is_free = attempt.device is not None or attempt.has_answered
    request = attempt.request or current_request()
    if kind is None or is_free or request is None or not _is_due(attempt):
        return None
    if conf.only_watches:
        _tell(attempt)
        return None
    if _has_answered(kind, request, (attempt.subject.key, attempt.digest)):
        attempt.has_answered = True
        alarm.answered(attempt.client.ip_address)
        return None
    alarm.asked(attempt.client.ip_address)
    try:
        return ChallengeRequired(kind().ask())
    except Exception:
        logger.exception("challenge_not_made: nobody is asked; the rules hold as ever.")
        return None


def in_force() -> type[Challenge] | None:
    """Return the challenge of the site, if it has one."""
    kind = conf.challenge
    return kind if is_one(kind) else None


def is_one(kind: Any) -> TypeGuard[type[Challenge]]:
    """Tell whether something is a challenge that can be asked, and no part of one."""
    return isinstance(kind, type) and issubclass(kind, Challenge) and not isabstract(kind)


def _tell(attempt: Attempt) -> None:
    """Tell of those who would have been asked: nobody is, so nobody leaves it unanswered."""
    asked = _told.count(f"{conf.namespace}{conf.isolation}")
    if asked:
        facts = {"asked": asked, "client": attempt.client, "request": attempt.request}
        tell(would_challenge, FailedLogin, **facts)


def _is_due(attempt: Attempt) -> bool:
    is_of_a_siege = alarm.is_on() and not lists.is_allowed(attempt.client.ip_address)
    return is_of_a_siege or any(
        0 < most <= _failures(attempt, scope)
        for scope, most in (
            (ACCOUNT.name, conf.challenge_after_name),
            (NETWORK.name, conf.challenge_after_network),
        )
    )


def _failures(attempt: Attempt, scope: str) -> int:
    """Return how many failures of the last hour count: those that told a stranger something."""
    since = attempt.started - timedelta(seconds=HOUR)
    found: list[Failure] = []
    for key, (matter, rules) in attempt.matters.items():
        if matter.scope == scope and rules:
            found += attempt.standing.states[key].failures
    return sum(one.when > since and not one.repeated and not one.cleared for one in found)


def _has_answered(kind: type[Challenge], request: Any, guess: tuple[int, bytes]) -> bool:
    """Tell whether the request has an answer, and that for no other guess: a name, a password."""
    answer = header_of(request, HEADER) or cookie_of(request, COOKIE)
    if not 0 < len(answer) <= _LONGEST:
        return False
    # Backends are asked one after another, each about the same name and password.
    visit = bare(request)
    before, times = getattr(visit, _ATTRIBUTE, (None, 0))
    if before == (answer, guess) and times < len(settings.AUTHENTICATION_BACKENDS):
        setattr(visit, _ATTRIBUTE, (before, times + 1))
        return True
    try:
        solved = kind().solved(answer)
    except Exception:
        logger.exception("answer_not_checked: it counts as none.")
        return False
    is_first = bool(solved and store.add(_key(solved.key), 1, solved.seconds))
    if is_first:
        setattr(visit, _ATTRIBUTE, ((answer, guess), 1))
    return is_first


def _key(answered: str) -> str:
    digest = salted_hmac("lockout_admin.answered", answered, algorithm="sha256").hexdigest()[:32]
    return f"lockout_admin:{{challenge:{conf.isolation}{digest}}}:answered"
