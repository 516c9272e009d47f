"""The guard around an authentication backend, where projects import it from."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial, wraps
from typing import Any, TypeVar, overload

from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from .engine.calls import Call, is_inside
from .engine.chain import is_guarded
from .engine.patience import to_the_end
from .identity.credentials import Reader
from .identity.entrances import Entrances, as_typed

__all__ = ["apply_account_lock", "is_guarded"]

F = TypeVar("F", bound=Callable[..., Any])


@overload
def apply_account_lock(function: F) -> F: ...
@overload
def apply_account_lock(
    *,
    username: str | Sequence[str] = ...,
    password: str = ...,
    normalize: Callable[[Any], Any] = ...,
    names: str | Sequence[str] | Callable[[Any], Iterable[Any]] | None = ...,
) -> Callable[[F], F]: ...
def apply_account_lock(
    function: Any = None,
    *,
    username: str | Sequence[str] = (),
    password: str = "password",  # noqa: S107 - the name of a parameter
    normalize: Callable[[Any], Any] = as_typed,
    names: str | Sequence[str] | Callable[[Any], Iterable[Any]] | None = None,
) -> Any:
    """Guard a backend's ``authenticate`` or ``aauthenticate``: each needs the decorator.

    Say by which names the backend finds an account: ``names=("username", "email")``, fields of the
    user model, or a function from a user to them. A database finds an account under spellings that
    nobody thinks of; whoever comes in under a name that is none of these is treated as wrong, so
    that no spelling has a budget of its own. Of names that a function tells, and of those that
    ``normalize`` spells, nobody can ask whether another account has them too: on such a site a
    success ends no count.

    The username may come by any name and any position; where a backend takes several, say which
    one counts, or in which order: ``username="email"``. Where the secret is not called
    ``password``, say so: ``password="pin"``. Where the backend finds one account under spellings of
    its own (a telephone number with and without blanks), give the function that makes them one:
    ``normalize=digits``.

    Credentials without a username or a password are not for a password backend and pass by
    uncounted; a password that is no text is wrong, and counts. The guarded method raises
    `AccountLocked`, or returns ``None`` where ``LOCKOUT_ADMIN['RAISE_WHEN_LOCKED']`` is false; and
    `PermissionDenied` for a call with several names, unless they are those of one account. Raises
    `ImproperlyConfigured` for a method whose credentials it could never find.
    """
    if function is None:
        return partial(
            apply_account_lock,
            username=username,
            password=password,
            normalize=normalize,
            names=names,
        )
    usernames = (username,) if isinstance(username, str) else tuple(username)
    entrances = Entrances(names, normalize)
    reader = Reader(function, usernames, password, entrances)
    guarded: Any = _guarded(function, reader)
    guarded.is_guarded_by_lockout_admin = True
    guarded.names_are_known = entrances.are_known
    guarded.entrances = entrances
    return guarded


def _guarded(function: Callable[..., Any], reader: Reader) -> Callable[..., Any]:
    # A decorator below may hide that this is a coroutine function; Django awaits it by its name.
    if inspect.iscoroutinefunction(function) or function.__name__ == "aauthenticate":
        return _async_guard(function, reader)
    return _sync_guard(function, reader)


def _sync_guard(function: Callable[..., Any], reader: Reader) -> Callable[..., Any]:
    @wraps(function)
    @sensitive_variables()
    def guard(*args: Any, **kwargs: Any) -> Any:
        credentials = reader.read(args, kwargs)
        if credentials is None:
            return function(*args, **kwargs)
        if is_inside(credentials):
            return function(*credentials.args, **credentials.kwargs)
        call = Call(function.__name__, credentials)
        try:
            if not call.enter():
                return None
            user = None
            with call.inside():
                user = _answer(function(*credentials.args, **credentials.kwargs))
            return call.leave(user)
        except BaseException as error:
            call.leave_with_error(error)
            raise
        finally:
            call.remember()

    return guard


def _async_guard(
    function: Callable[..., Any], reader: Reader
) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(function)
    @sensitive_variables()
    async def guard(*args: Any, **kwargs: Any) -> Any:
        credentials = reader.read(args, kwargs)
        if credentials is None:
            return await function(*args, **kwargs)
        if is_inside(credentials):
            return await function(*credentials.args, **credentials.kwargs)
        call = Call(function.__name__, credentials)
        try:
            if not await to_the_end(call.enter):
                return None
            user = None
            with call.inside():
                user = await function(*credentials.args, **credentials.kwargs)
            return await to_the_end(partial(call.leave, user))
        except (Exception, CancelledError) as error:
            await to_the_end(partial(call.leave_with_error, error))
            raise
        finally:
            call.remember()

    return guard


def _answer(user: Any) -> Any:
    """Return the user; a coroutine would pass for one, and everybody would be let in."""
    if not inspect.isawaitable(user):
        return user
    if inspect.iscoroutine(user):
        user.close()
    raise ImproperlyConfigured(
        "apply_account_lock: authenticate() answered with a coroutine. Django does not await it."
    )
