"""From the arguments of a backend's method to the username and the password among them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.contrib.auth import get_user_model

from .text import encodable, storable

#: Looked at in this order, after the user model's own field; then any other that comes with the password.
_USERNAME_PARAMETERS = ("username", "email", "login")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password backend was called with, fit to be passed on to it."""

    username: Any
    request: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def read(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any], parameter: str | None = None
) -> Credentials | None:
    """Return the credentials in a call; ``None`` when there is no username or no password among them.

    `parameter` names the one that holds the username. Without it, those that the method declares
    come before those that it takes as ``**kwargs``: a stranger who can add a key to a JSON body must
    not choose the name that is counted.
    """
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return None  # the call itself will say what is wrong
    declared, extra = _by_name(bound)
    # Django's and everybody's backends are methods that take the request first.
    backend, request = [*signature.parameters][:2]
    request_given = declared.pop(request, None)
    del declared[backend]
    given = {**extra, **declared}
    password = given.pop("password", None)
    username = given.get(parameter) if parameter else _username(declared)
    if username is None and not parameter:
        username = _username(extra)
    if username is None or password is None:
        return None
    _clean(bound)
    return Credentials(username, request_given, bound.args, bound.kwargs)


def _by_name(bound: inspect.BoundArguments) -> tuple[dict[str, Any], dict[str, Any]]:
    declared: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            extra |= value
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            declared |= dict(_named(value))
        else:
            declared[name] = value
    return declared, extra


def _username(given: dict[str, Any]) -> Any:
    names = (get_user_model().USERNAME_FIELD, *_USERNAME_PARAMETERS, *(name for name in given if name != "password"))
    return next((given[name] for name in names if given.get(name) is not None), None)


def _clean(bound: inspect.BoundArguments) -> None:
    """Make a name or password that nobody can have into one that can be looked up, in vain.

    A NUL or a lone surrogate would make the database driver or the hasher raise: an error page for
    the stranger, and an attempt that does not count.
    """
    for name, value in bound.arguments.items():
        if isinstance(value, dict):
            bound.arguments[name] = {key: _cleaned(key, item) for key, item in value.items()}
        elif isinstance(value, tuple):
            bound.arguments[name] = tuple(_cleaned(key, item) for key, item in _named(value))
        else:
            bound.arguments[name] = _cleaned(name, value)


def _cleaned(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return encodable(value) if name == "password" else storable(value)


def _named(positional: tuple[Any, ...]) -> list[tuple[str, Any]]:
    return list(zip_longest(("username", "password"), positional))[: len(positional)]
