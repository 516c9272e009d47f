"""An attempt as a block of code, for code that checks passwords itself.

    async with lockout.attempt(username, request) as attempt:  # and: with lockout.attempt(…)
        user = await check(username, password)
        attempt.succeeded(user) if user else attempt.failed()

The block takes a slot before its first line and ends the attempt after its last one, so that of a
thousand at once as many get in as the rules leave.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from ..exceptions import AccountLocked
from ..identity.client import Client
from ..identity.passwords import digest_of
from ..identity.subject import Subject
from ..models.transactions import close_idle_connections
from . import attempts, refusals
from .attempts import Attempt
from .calls import Verified, set_verified, verified
from .guard import Ending
from .patience import to_the_end


class AttemptBlock:
    """One attempt; see `lockout.attempt`, which makes them."""

    @sensitive_variables()
    def __init__(self, username: Any, request: Any, client: Client, password: Any) -> None:
        self._username = username
        self._request = request
        self._client = client
        # What is no text is no password; it must not break what is made of it.
        self._password = password if isinstance(password, str | bytes) else ""
        self._attempt: Attempt | None = None
        self._word: Ending | None = None
        self._user: Any = None
        self._entered = False
        self._ended = False
        self._is_async = False
        self._guard = threading.Lock()
        #: What the code around it runs for; a block inside of it is part of that.
        self._outer: Verified | None = None
        #: The password that guarded backends were asked about within it.
        self._covered = b""
        #: Whether the username is locked now; known when the block has been left.
        self.locked = False

    # -- What to say in it ----------------------------------------------------------------------

    def succeeded(self, user: Any = None) -> None:
        """Say that the password was right. `user` is the account, where Django knows it.

        It ends what was failed under the account's names from the same network. Raises
        `AccountLocked` where the account's own name is locked (it was found by another one), or
        another account's device was used; in async code leaving the block does.
        """
        self._say(Ending.SUCCEEDED)
        self._user = user if hasattr(user, "get_username") else None
        if not self._is_async:
            self._refuse_by_account()

    def failed(self) -> None:
        """Say that the password was wrong. To say nothing says the same.

        Leaving the block raises `AccountLocked` where it would for the right password: the own name
        of the account is locked, or another account's device was used.
        """
        self._say(Ending.FAILED)

    def abandon(self) -> None:
        """Say that no password was evaluated: the slot is given back, nothing is recorded."""
        self._say(Ending.ABANDONED)

    def _say(self, word: Ending) -> None:
        with self._guard:
            if not self._entered or self._ended:
                raise RuntimeError("lockout.attempt(): say how it ended inside of the block.")
            if self._word not in (None, word):
                raise RuntimeError(f"lockout.attempt(): it has {self._word.value} already.")
            self._word = word

    # -- In and out -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._begin()
        self._mark()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        set_verified(self._outer)
        self._end(error)

    async def __aenter__(self) -> Self:
        self._is_async = True
        try:
            await to_the_end(self._begin)
        except BaseException:
            if self._attempt:
                # Cancelled on the way in: no password was evaluated.
                self._word = Ending.ABANDONED
                await to_the_end(lambda: self._end(None))
            raise
        self._mark()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        set_verified(self._outer)
        await to_the_end(lambda: self._end(error))

    def covers(self, subject: Subject, digest: bytes) -> bool:
        """Tell whether a guarded backend is part of this attempt, asked for `subject`.

        For one password: a batch of them within one block is as many attempts.
        """
        attempt = self._attempt
        if attempt is None or self._ended or attempt.subject.key != subject.key:
            return False
        with self._guard:
            self._covered = self._covered or digest
            return digest in (b"", self._covered)

    @sensitive_variables()
    def _begin(self) -> None:
        with self._guard:
            if self._entered:
                raise RuntimeError("lockout.attempt(): each attempt is a block of its own.")
            self._entered = True
        self._outer = verified()
        password, self._password = self._password, ""
        subject = Subject.of(self._username)
        if self._outer and self._outer.covers(subject, digest_of(password)):
            return  # the code around it has taken the slot, and says how it ends
        self._close_connections()
        try:
            self._attempt = attempts.begin(self._username, self._request, password, self._client)
        finally:
            self._close_connections()

    def _mark(self) -> None:
        if self._attempt:
            set_verified(self)

    def _end(self, error: BaseException | None) -> None:
        with self._guard:
            self._ended = True
        if self._attempt is None:
            return
        self._close_connections()
        try:
            self._carry_out(self._attempt, error)
        finally:
            self._close_connections()

    def _carry_out(self, attempt: Attempt, error: BaseException | None) -> None:
        word = self._word
        if word is None and isinstance(error, AccountLocked):
            word = Ending.ABANDONED  # what was asked inside has refused it, and evaluated nothing
        if word is Ending.ABANDONED:
            attempts.abandon(attempt)
        elif word is Ending.SUCCEEDED:
            self._succeed(attempt)
        else:
            self.locked = attempts.fail(attempt)
            refusals.by_own_name(attempt)
            refusals.by_device(attempt)

    def _succeed(self, attempt: Attempt) -> None:
        try:
            if self._is_async:
                self._refuse_by_account()
        except BaseException:
            attempts.fail(attempt)
            raise
        attempts.succeed(attempt, self._user)

    def _refuse_by_account(self) -> None:
        if self._attempt is None or self._user is None:
            return
        try:
            refusals.by_account(self._attempt, self._user)
        except AccountLocked:
            # Whoever sees the difference has one guess less, as for a wrong one.
            self._word = Ending.FAILED
            raise

    def _close_connections(self) -> None:
        """Close what Django would close around a request, in one that is not Django's."""
        if _is_foreign(self._request):
            close_idle_connections()


def _is_foreign(request: Any) -> bool:
    """Tell whether a request is one of ASGI without Django; ``None`` may be anywhere."""
    if isinstance(getattr(request, "_request", request), HttpRequest):
        return False
    return isinstance(request, Mapping) or hasattr(request, "scope")
