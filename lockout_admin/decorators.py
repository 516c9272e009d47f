"""The guard around an authentication backend."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar, overload

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from . import attempts
from .attempts import Attempt
from .conf import conf
from .credentials import Credentials, read
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


_current: ContextVar[_Guarded | None] = ContextVar("lockout_admin_guarded", default=None)


@overload
def apply_account_lock(function: F) -> F: ...
@overload
def apply_account_lock(*, username: str) -> Callable[[F], F]: ...
def apply_account_lock(function: Any = None, *, username: str | None = None) -> Any:
    """Guard a backend's ``authenticate`` or ``aauthenticate``: each needs the decorator.

    The username may come by any name and any position; where a backend takes several, say which
    one counts: ``@apply_account_lock(username="email")``. Credentials without a username or a
    password are not for a password backend and pass by uncounted. Raises `AccountLocked`, or
    returns ``None`` where ``LOCKOUT_ADMIN['RAISE_WHEN_LOCKED']`` is false.
    """
    if function is None:
        return partial(apply_account_lock, username=username)
    guard = _async_guard if inspect.iscoroutinefunction(function) else _sync_guard
    guarded: Any = guard(function, username)
    guarded.is_guarded_by_lockout_admin = True
    return guarded


def is_guarded(function: Any) -> bool:
    """Tell whether a backend's method went through `apply_account_lock`."""
    return getattr(function, "is_guarded_by_lockout_admin", False)


def _sync_guard(function: Callable[..., Any], username: str | None) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @wraps(function)
    @sensitive_variables()
    def guard(*args: Any, **kwargs: Any) -> Any:
        credentials = read(signature, args, kwargs, username)
        if credentials is None:
            return function(*args, **kwargs)
        call = _Call(function.__name__, credentials, args, kwargs)
        if not call.enter():
            return None
        try:
            user = function(*credentials.args, **credentials.kwargs)
        except Exception as error:
            call.leave_with_error(error)
            raise
        else:
            call.leave(user)
        finally:
            call.close()
        return user

    return guard


def _async_guard(function: Callable[..., Any], username: str | None) -> Callable[..., Coroutine[Any, Any, Any]]:
    signature = inspect.signature(function)

    @wraps(function)
    @sensitive_variables()
    async def guard(*args: Any, **kwargs: Any) -> Any:
        credentials = read(signature, args, kwargs, username)
        if credentials is None:
            return await function(*args, **kwargs)
        call = _Call(function.__name__, credentials, args, kwargs)
        if not await sync_to_async(call.enter)():
            return None
        try:
            user = await function(*credentials.args, **credentials.kwargs)
        except Exception as error:
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
            self.guarded.verifying = False
        else:
            attempts.fail(self.guarded.attempt)

    def leave_with_error(self, error: Exception) -> None:
        """End the attempt of a backend that raised: a refusal of its own counts, a fault does not."""
        if self.guarded is None:
            return
        if isinstance(error, PermissionDenied) and not isinstance(error, AccountLocked):
            attempts.fail(self.guarded.attempt)
        else:
            attempts.abandon(self.guarded.attempt)

    def close(self) -> None:
        """Forget the attempt, if it has ended.

        A task that is cancelled, or a worker that is stopped, comes by here alone: its slot stays
        taken, since the password may have been evaluated.
        """
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
        return any(self._fits(getattr(backend, self.method, None)) for backend in later)

    def _fits(self, method: Any) -> bool:
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
