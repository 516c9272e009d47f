"""From the arguments of a backend's method to the username and the password among them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured, PermissionDenied

from .identity import Subject
from .text import encodable, storable

logger = logging.getLogger("lockout_admin")

#: What usernames are called, besides the user model's own field.
_USERNAMES = ("username", "email", "login")
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password backend was called with, fit to be passed on to it."""

    username: Any
    request: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Reader:
    """Finds the credentials in the calls of one method.

    A method that declares its names is asked about these and no others: a stranger who can add a
    key to a JSON body must not choose the name that is counted.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        usernames: tuple[str, ...],
        password: str,
        normalize: Callable[[Any], Any],
    ) -> None:
        """Raise `ImproperlyConfigured` where calls of `method` could never be read."""
        self.method = method
        self.usernames = usernames
        self.password = password
        self.normalize = normalize
        self.signature = inspect.signature(method)
        parameters = self.signature.parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        positional = [name for name, parameter in parameters.items() if parameter.kind in _POSITIONAL]
        #: What the values of ``*args`` are, after the parameters that come by position.
        self.further = ("", "request", "username", password)[len(positional) :]
        #: Django's and everybody's backends are methods that take the request first.
        self.renamed = dict(zip(positional, ("", "request"), strict=False))
        self.declared = {name for name, parameter in parameters.items() if parameter.kind not in _VARIABLE}
        self.declared -= {*self.renamed, password}
        if len(positional) < 2 and inspect.Parameter.VAR_POSITIONAL not in kinds:
            self._reject("has no parameter for the request, which Django passes first")
        if password not in parameters and not kinds & {*_VARIABLE}:
            self._reject(f"has no parameter {password!r}: say which one holds the secret, as in (password='pin')")
        takes_any = inspect.Parameter.VAR_KEYWORD in kinds and not self.declared
        for name in () if takes_any else set(usernames) - self.declared:
            self._reject(f"has no parameter {name!r}, which should hold the username")

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Credentials | None:
        """Return the credentials in a call; ``None`` when there is no username or no password among them.

        Raises `PermissionDenied` when it holds several names and nobody said which one counts.
        """
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return None  # the call itself will say what is wrong
        declared, extra = self._by_name(bound)
        given = {**extra, **declared}
        username = self._username(declared, extra)
        if username is None or given.get(self.password) is None:
            return None
        self._clean(bound)
        return Credentials(self.normalize(username), given.get("request"), bound.args, bound.kwargs)

    def _by_name(self, bound: inspect.BoundArguments) -> tuple[dict[str, Any], dict[str, Any]]:
        declared: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                extra |= value
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                declared |= dict(zip(self.further, value, strict=False))
            else:
                declared[self.renamed.get(name, name)] = value
        return declared, extra

    def _username(self, declared: dict[str, Any], extra: dict[str, Any]) -> Any:
        if self.usernames:
            given = {**extra, **declared}
            return next((given[name] for name in self.usernames if given.get(name) is not None), None)
        usual = {get_user_model().USERNAME_FIELD, *_USERNAMES}
        own = [] if usual & self.declared else [*self.declared]
        for given, names in ((declared, usual), (declared, own), (extra, usual), (extra, extra)):
            values = [given[name] for name in names if name not in self._not_names and given.get(name) is not None]
            if values:
                return self._only(values)
        return None

    @property
    def _not_names(self) -> tuple[str, ...]:
        return ("", "request", self.password)

    def _only(self, values: list[Any]) -> Any:
        if len({Subject.of(value).key for value in values}) > 1:
            logger.error(
                "credentials_ambiguous: %s was called with several names, and refused. Say which one counts, as in"
                " @apply_account_lock(username='email').",
                self.method.__qualname__,
            )
            raise PermissionDenied
        return values[0]

    def _clean(self, bound: inspect.BoundArguments) -> None:
        """Make a name or password that nobody can have into one that can be looked up, in vain.

        A NUL or a lone surrogate would make the database driver or the hasher raise: an error page
        for the stranger, and an attempt that does not count.
        """
        for name, value in bound.arguments.items():
            if isinstance(value, dict):
                bound.arguments[name] = {key: self._cleaned(key, item) for key, item in value.items()}
            elif isinstance(value, tuple):
                names = [*self.further, *[""] * len(value)]
                bound.arguments[name] = tuple(map(self._cleaned, names, value))
            else:
                bound.arguments[name] = self._cleaned(name, value)

    def _cleaned(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return encodable(value) if name == self.password else storable(value)

    def _reject(self, why: str) -> None:
        raise ImproperlyConfigured(f"apply_account_lock: {self.method.__qualname__}() {why}.")
