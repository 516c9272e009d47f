"""The calls of guarded methods: into an attempt and out of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any, Protocol, cast

from django.core.exceptions import PermissionDenied, ValidationError
from django.views.decorators.debug import sensitive_variables

from ..conf import conf
from ..exceptions import AccountLocked
from ..identity import names
from ..identity.credentials import Credentials
from ..identity.subject import Subject
from ..identity.text import cleaned
from ..models.accounts import hash_in_vain
from . import attempts, chain, refusals
from .guard import Event, Guess, State
from .journal import keep_open


class Verified(Protocol):
    """An attempt whose password is being verified: what is asked for it meanwhile is part of it."""

    def covers(self, subject: Subject, digest: bytes) -> bool:
        """Tell whether a guarded backend is part of it, asked for `subject` and a password."""
        ...


logger = logging.getLogger("lockout_admin")

#: Of parameters that a stranger may have named, so many are told, so long.
_NAMES = 5
_LONGEST_NAME = 40

#: The attempt that the code of this context runs for.
_inside: ContextVar[Verified | None] = ContextVar("lockout_admin_inside", default=None)
#: The guess that a backend of this context left to a later one.
_left: ContextVar[Guess | None] = ContextVar("lockout_admin_left", default=None)


def is_inside(credentials: Credentials) -> bool:
    """Tell whether a guarded backend calls another one: one attempt, which the outer one ends."""
    outer = _inside.get()
    given = (credentials.username, *credentials.names.values())
    if outer is None:
        return False
    digest = credentials.digest()
    return all(outer.covers(Subject.of(name), digest) for name in given)


def verified() -> Verified | None:
    """Return the attempt that the code of this context runs for."""
    return _inside.get()


def set_verified(outer: Verified | None) -> None:
    """Let the code of this context run for an attempt."""
    _inside.set(outer)


def left_guess() -> Guess | None:
    """Return the guess that was left to a later backend in this context."""
    return _left.get()


def forget_left_guess() -> None:
    """Let nothing cross into the next request of this thread."""
    _left.set(None)


class Call:
    """One call of a guarded method: into the attempt and out of it.

    `enter`, `leave` and `leave_with_error` read and write, and run in a thread for async backends;
    `inside` and `remember` belong to the context of the call itself.
    """

    def __init__(self, method: str, credentials: Credentials) -> None:
        self.method = method
        self.credentials = credentials
        self.guess: Guess | None = None
        #: Whether the backend's hasher could not take the password, and has hashed nothing.
        self._unfit = False

    @sensitive_variables()
    def enter(self) -> bool:
        """Begin an attempt or go on with the one left; False or `AccountLocked`: it is refused.

        Raises `PermissionDenied` where the call has the names of several accounts.
        """
        is_of_several = not conf.only_watches and self._is_of_several()
        left = _left.get()
        if left and self._continues(left):
            self.guess = left
        else:
            if left:
                left.meet(Event.NOBODY_ASKED)
            if not self._begin():
                return False
        if is_of_several:
            self._fail_in_vain()
        return True

    def _begin(self) -> bool:
        given = self.credentials
        try:
            attempt = attempts.begin(
                given.username, given.request, given.password, beside=given.beside
            )
        except AccountLocked as refusal:
            _refuse(refusal)
            return False
        attempt.is_of_django = given.entrance.entrances.are_djangos
        self.guess = Guess(attempt, chain.position(given.backend), given.entrance)
        return True

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Mark what the backend does as part of this attempt.

        What its hasher can't take is a wrong password: bcrypt raises at more than 72 bytes.
        """
        guess = self._entered()
        guess.meet(Event.ASKED)
        outer = _inside.get()
        _inside.set(guess)
        try:
            yield
        except ValueError:
            if not self.credentials.may_be_too_long:
                raise
            self._unfit = True
        finally:
            _inside.set(outer)

    @sensitive_variables()
    def leave(self, user: Any) -> Any:
        """End the attempt with the backend's answer, and return who comes in.

        Nobody does under a name that is not known to be his, while his own name is locked, or from
        a device that another account trusts.
        """
        guess = self._entered()
        if self._unfit:
            hash_in_vain()
        if user is None or self._is_kept_out(guess, user):
            self._answer_none(guess)
            return None
        guess.meet(Event.ANSWERED_USER, user)
        return user

    def _is_kept_out(self, guess: Guess, user: Any) -> bool:
        is_known = conf.only_watches or guess.entrance.may_be_of(user)
        return not is_known or refusals.is_kept_out(guess.attempt, user)

    def leave_with_error(self, error: BaseException) -> None:
        """End the attempt of a backend that raised; after its end, nothing happens."""
        if self.guess:
            self.guess.meet(_event_of(error))

    def remember(self) -> None:
        """Keep the attempt in mind if it is left to a later backend, and forget every other."""
        is_left = self.guess and self.guess.state is State.LEFT
        _left.set(self.guess if is_left else None)

    def _is_of_several(self) -> bool:
        credentials = self.credentials
        return credentials.has_several_names and not names.are_of_one_account(
            credentials.names, credentials.entrance.entrances
        )

    def _fail_in_vain(self) -> None:
        """Be wrong, and ask nobody: the backend may look at any of the names.

        It counts and costs what a wrong password does, or would tell whose names belong together.
        """
        credentials = self.credentials
        self._entered().meet(Event.ASKED)
        names.look_up(credentials.names)
        hash_in_vain()
        logger.error(
            "credentials_ambiguous: %s.%s was called with several names (%s), and refused. Pass"
            " one, or those of one account.",
            credentials.backend.__qualname__,
            self.method,
            ", ".join(map(_told, islice(credentials.names, _NAMES))),
        )
        raise PermissionDenied

    def _entered(self) -> Guess:
        return cast("Guess", self.guess)

    def _answer_none(self, guess: Guess) -> None:
        credentials = self.credentials
        if not chain.is_asked_elsewhere(guess.position, self.method, credentials):
            guess.meet(Event.ANSWERED_NONE)
            return
        guess.digest = credentials.digest()
        guess.meet(Event.NOT_THE_LAST)
        keep_open(credentials.request, guess)

    def _continues(self, left: Guess) -> bool:
        """Tell whether this is the same guess, on its way to a later backend."""
        credentials = self.credentials
        position = chain.position(credentials.backend, after=left.position)
        same = (
            position > left.position
            and left.attempt.request is credentials.request
            and credentials.is_for(left.attempt.subject)
            and left.digest == credentials.digest()
        )
        if not same or not left.meet(Event.CONTINUED):
            return False
        left.position = position
        left.entrance = credentials.entrance
        left.attempt.is_of_django &= credentials.entrance.entrances.are_djangos
        return True


def _told(name: str) -> str:
    return ascii(cleaned(name, _LONGEST_NAME))


def _refuse(refusal: AccountLocked) -> None:
    """Raise, unless the site likes answers better."""
    if conf.raise_when_locked:
        raise refusal


def _event_of(error: BaseException) -> Event:
    if isinstance(error, AccountLocked):
        return Event.REFUSED_INSIDE
    if isinstance(error, (PermissionDenied, ValidationError)):  # what views make an answer of
        return Event.REFUSED
    # A task that is cancelled, a worker that is stopped: the password may have been evaluated.
    return Event.FAULT if isinstance(error, Exception) else Event.CANCELLED
