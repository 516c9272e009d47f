"""The guard around an authentication backend."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar, overload

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from . import attempts
from .attempts import Attempt
from .conf import conf
from .credentials import Credentials, Reader
from .exceptions import AccountLocked
from .identity import Subject

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class _Guarded:
    """A password on its way through the guarded backends of a site: one attempt for all of them."""

    attempt: Attempt
    #: Where in AUTHENTICATION_BACKENDS the backend stands that has it, or had it last.
    position: int
    verifying: bool = True
    #: Whether a backend found the password wrong and left the rest to a later one.
    evaluated: bool = False


_current: ContextVar[_Guarded | None] = ContextVar("lockout_admin_guarded", default=None)


@overload
def apply_account_lock(function: F) -> F: ...
@overload
def apply_account_lock(
    *, username: str | Sequence[str] = ..., password: str = ..., normalize: Callable[[Any], Any] = ...
) -> Callable[[F], F]: ...
def apply_account_lock(
    function: Any = None,
    *,
    username: str | Sequence[str] = (),
    password: str = "password",  # noqa: S107 - the name of a parameter
    normalize: Callable[[Any], Any] = lambda username: username,
) -> Any:
    """Guard a backend's ``authenticate`` or ``aauthenticate``: each needs the decorator.

    The username may come by any name and any position; where a backend takes several, say which one
    counts, or in which order: ``@apply_account_lock(username="email")``. Where the secret is not
    called ``password``, say so: ``password="pin"``. Where the backend finds one account under
    spellings of its own (a telephone number with and without blanks), give the function that makes
    them one: ``normalize=digits``.

    Credentials without a username or a password are not for a password backend and pass by
    uncounted. The guarded method raises `AccountLocked`, or returns ``None`` where
    ``LOCKOUT_ADMIN['RAISE_WHEN_LOCKED']`` is false; and `PermissionDenied` for several names of
    which nobody said which one counts. Raises `ImproperlyConfigured` for a method whose credentials
    it could never find.
    """
    if function is None:
        return partial(apply_account_lock, username=username, password=password, normalize=normalize)
    reader = Reader(function, (username,) if isinstance(username, str) else tuple(username), password, normalize)
    guard = _async_guard if inspect.iscoroutinefunction(function) else _sync_guard
    guarded: Any = guard(function, reader)
    guarded.is_guarded_by_lockout_admin = True
    return guarded


def is_guarded(function: Any) -> bool:
    """Tell whether a backend's method went through `apply_account_lock`."""
    return getattr(function, "is_guarded_by_lockout_admin", False)


def _sync_guard(function: Callable[..., Any], reader: Reader) -> Callable[..., Any]:
    @wraps(function)
    @sensitive_variables()
    def guard(*args: Any, **kwargs: Any) -> Any:
        credentials = reader.read(args, kwargs)
        if credentials is None:
            return function(*args, **kwargs)
        call = _Call(function.__name__, credentials, args, kwargs)
        if not call.enter():
            return None
        try:
            user = function(*credentials.args, **credentials.kwargs)
        except BaseException as error:
            call.leave_with_error(error)
            raise
        else:
            call.leave(user)
        finally:
            call.close()
        return user

    return guard


def _async_guard(function: Callable[..., Any], reader: Reader) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(function)
    @sensitive_variables()
    async def guard(*args: Any, **kwargs: Any) -> Any:
        credentials = reader.read(args, kwargs)
        if credentials is None:
            return await function(*args, **kwargs)
        call = _Call(function.__name__, credentials, args, kwargs)
        if not await sync_to_async(call.enter)():
            return None
        try:
            user = await function(*credentials.args, **credentials.kwargs)
        except (Exception, CancelledError) as error:
            await sync_to_async(call.leave_with_error)(error)
            raise
        else:
            await sync_to_async(call.leave)(user)
        finally:
            call.close()
        return user

    return guard


class _Call:
    """One call of a guarded method: into the attempt and out of it."""

    def __init__(self, method: str, credentials: Credentials, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.method = method
        self.credentials = credentials
        self.args, self.kwargs = args, kwargs
        self.position = _position(type(args[0]))
        self.guarded: _Guarded | None = None

    def enter(self) -> bool:
        """Begin an attempt or join the one under way; False or `AccountLocked` when it is refused."""
        current = _current.get()
        if current and current.verifying:
            return True  # a guarded backend that calls another: one attempt, and the outer one ends it
        if current and self._continues(current):
            current.position, current.verifying = self.position, True
            self.guarded = current
            return True
        end_open_attempt()
        try:
            attempt = attempts.begin(self.credentials.username, self.credentials.request)
        except AccountLocked:
            if conf.raise_when_locked:
                raise
            return False
        self.guarded = _Guarded(attempt, self.position)
        _current.set(self.guarded)
        return True

    def leave(self, user: Any) -> None:
        """End the attempt with the backend's answer, unless a later guarded backend has yet to be asked."""
        if self.guarded is None:
            return
        if user is not None:
            attempts.succeed(self.guarded.attempt)
        elif self._is_asked_elsewhere():
            self.guarded.verifying, self.guarded.evaluated = False, True
        else:
            attempts.fail(self.guarded.attempt)

    def leave_with_error(self, error: BaseException) -> None:
        """End the attempt of a backend that raised.

        A refusal of its own counts, and so does a task that is cancelled or a worker that is stopped:
        the password may have been evaluated. A fault does not, unless an earlier backend has found
        the password wrong.
        """
        if self.guarded is None:
            return
        refused = isinstance(error, PermissionDenied) and not isinstance(error, AccountLocked)
        if self.guarded.evaluated or refused or not isinstance(error, Exception):
            attempts.fail(self.guarded.attempt)
        else:
            attempts.abandon(self.guarded.attempt)

    def close(self) -> None:
        """Forget the attempt, if it has ended."""
        if self.guarded and self.guarded.verifying:
            _current.set(None)

    def _continues(self, current: _Guarded) -> bool:
        return (
            current.position < self.position
            and current.attempt.request is self.credentials.request
            and current.attempt.subject.key == Subject.of(self.credentials.username).key
        )

    def _is_asked_elsewhere(self) -> bool:
        if self.position < 0:
            return False
        later = map(import_string, settings.AUTHENTICATION_BACKENDS[self.position + 1 :])
        return any(self._fits(backend) for backend in later)

    def _fits(self, backend: Any) -> bool:
        method: Any = getattr(backend, self.method, None)
        if method is BaseBackend.aauthenticate:  # asks authenticate()
            method = backend.authenticate
        if not is_guarded(method):
            return False
        try:
            inspect.signature(method).bind(*self.args, **self.kwargs)
        except TypeError:
            return False
        return True


def end_open_attempt(**signal: Any) -> None:
    """Count an attempt that was left to a backend that was not asked after all."""
    current = _current.get()
    if current and not current.verifying:
        _current.set(None)
        attempts.fail(current.attempt)


def _position(backend: type) -> int:
    backends = map(import_string, settings.AUTHENTICATION_BACKENDS)
    return next((position for position, listed in enumerate(backends) if listed is backend), -1)
