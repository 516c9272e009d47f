"""From the arguments of a backend's method to the username and the password among them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

from . import passwords
from .entrances import Entrance, Entrances
from .subject import Subject
from .text import storable

#: What names of an account are called, besides the fields of the user model.
_USERNAMES = ("username", "email", "login", "phone")
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
#: What bcrypt takes of a password, from its version 5 on: it raises at more.
_BCRYPT_BYTES = 72


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password backend was called with, fit to be passed on to it.

    What holds the password does not show where this is printed.
    """

    #: Normalised: what is counted.
    username: Any
    password: str | bytes = field(repr=False)
    request: Any
    args: tuple[Any, ...] = field(repr=False)
    kwargs: dict[str, Any] = field(repr=False)
    #: How many arguments came by position, and the names of the others.
    positional: int
    named: tuple[str, ...]
    #: The name as it was typed, beside what the backend knows of the names of accounts.
    entrance: Entrance
    #: All names in the call, by the parameters that hold them; the one that is counted first.
    names: dict[str, Any]
    #: What else is in it, and may be compared as well: a code from an app, a tenant.
    beside: dict[str, Any] = field(repr=False)

    @property
    def backend(self) -> type:
        """The class of the backend that was called."""
        return type(self.args[0])

    @property
    def has_several_names(self) -> bool:
        """Whether the call has names that are not counted as one."""
        return (
            len(self.names) > 1 and len({Subject.of(name).key for name in self.names.values()}) > 1
        )

    def is_for(self, subject: Subject) -> bool:
        """Tell whether the name is counted as `subject`."""
        return Subject.of(self.username).key == subject.key

    @property
    @sensitive_variables()
    def may_be_too_long(self) -> bool:
        """Whether there are hashers that raise `ValueError` at the password: bcrypt is one."""
        return len(passwords.as_bytes(self.password)) > _BCRYPT_BYTES

    @sensitive_variables()
    def digest(self) -> bytes:
        """Return what tells this password from another; good for nothing outside this process."""
        return passwords.digest_of(self.password)


def usual_names() -> dict[str, None]:
    """Return what parameters are called that hold a name of an account; likely ones first."""
    model = get_user_model()
    return _usual_names(model, model.USERNAME_FIELD)


@lru_cache(maxsize=8)
def _usual_names(model: Any, username_field: str) -> dict[str, None]:
    unique = [
        field.name
        for field in model._meta.concrete_fields
        if field.unique and not field.primary_key and not field.is_relation
    ]
    names = (username_field, *_USERNAMES, getattr(model, "EMAIL_FIELD", None), *unique)
    return dict.fromkeys(filter(None, names))


class Reader:
    """Finds the credentials in the calls of one method.

    Which of several names is counted is the method's to declare: a stranger who can add a key to a
    JSON body must not choose it. All of them are told, for one backend or another may look at each.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        usernames: tuple[str, ...],
        password: str,
        entrances: Entrances,
    ) -> None:
        """Raise `ImproperlyConfigured` where calls of `method` could never be read."""
        self.method = method
        self.usernames = usernames
        self.password = password
        self.entrances = entrances
        self.signature = inspect.signature(method)
        parameters = self.signature.parameters
        kinds = {parameter.kind for parameter in parameters.values()}
        positional = [
            name for name, parameter in parameters.items() if parameter.kind in _POSITIONAL
        ]
        #: What the values of ``*args`` are, after the parameters that come by position.
        self.further = ("", "request", "username", password)[len(positional) :]
        #: Django's and everybody's backends are methods that take the request first.
        self.renamed = dict(zip(positional, ("", "request"), strict=False))
        self.declared = {
            name for name, parameter in parameters.items() if parameter.kind not in _VARIABLE
        }
        self.declared -= {*self.renamed, password}
        if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
            self._reject("is a generator: it would let everybody in")
        if len(positional) < 2 and inspect.Parameter.VAR_POSITIONAL not in kinds:
            self._reject("has no parameter for the request, which Django passes first")
        if password not in parameters and not kinds & {*_VARIABLE}:
            self._reject(
                f"has no parameter {password!r}: say which one holds the secret, as in"
                " (password='pin')"
            )
        takes_any = inspect.Parameter.VAR_KEYWORD in kinds and not self.declared
        for name in () if takes_any else set(usernames) - self.declared:
            self._reject(f"has no parameter {name!r}, which should hold the username")

    @sensitive_variables()
    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Credentials | None:
        """Return the credentials in a call; ``None`` when name or password is missing."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return None  # the call itself will say what is wrong
        declared, extra = self._by_name(bound)
        names = self._names(declared, extra)
        if not names or {**extra, **declared}.get(self.password) is None:
            return None
        if self._clean(bound):
            declared, extra = self._by_name(bound)
        given = {**extra, **declared}
        name = self.entrances.normalize(next(iter(names.values())))
        names = self._names(declared, extra)
        return Credentials(
            name,
            given[self.password],
            given.get("request"),
            bound.args,
            bound.kwargs,
            len(args),
            tuple(kwargs),
            Entrance(name, self.entrances),
            names,
            self._beside(given, names),
        )

    def _beside(self, given: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
        known = {"", "request", self.password, *names}
        return {
            name: value for name, value in given.items() if name not in known and value is not None
        }

    def _by_name(self, bound: inspect.BoundArguments) -> tuple[dict[str, Any], dict[str, Any]]:
        declared: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = bound.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                extra |= value
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                further = [*self.further, *(f"*{number}" for number in range(len(value)))]
                declared |= dict(zip(further, value, strict=False))
            else:
                declared[self.renamed.get(name, name)] = value
        return declared, extra

    def _names(self, declared: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
        """Return the names in a call: first the one that counts, then all that may be looked up."""
        given = {**extra, **declared}
        usual = {**usual_names(), **dict.fromkeys(self.entrances.fields)}
        own = [] if self.usernames or usual.keys() & self.declared else sorted(self.declared)
        wanted = (
            *self.usernames,
            *(name for name in usual if name in declared),
            *own,
            *(name for name in usual if name in extra),
        )
        found = self._given(given, wanted) or self._given(extra, extra)
        return {name: value for name, value in found.items() if value != ""} or found

    def _given(self, values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
        not_names = ("", "request", self.password)
        return {
            name: values[name]
            for name in dict.fromkeys(names)
            if name not in not_names and values.get(name) is not None
        }

    def _clean(self, bound: inspect.BoundArguments) -> bool:
        """Make a name or password that nobody can have into one that can be looked up, in vain.

        Returns whether there was one.

        A NUL or a lone surrogate would make the database driver or the hasher raise, and so would
        a password that is no text: an error page for the stranger, and an attempt that does not
        count.
        """
        before = dict(bound.arguments)
        for name, value in before.items():
            kind = self.signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                cleaned: Any = {key: self._cleaned(key, item) for key, item in value.items()}
            elif kind is inspect.Parameter.VAR_POSITIONAL:
                names = [*self.further, *[""] * len(value)]
                cleaned = tuple(map(self._cleaned, names, value))
            else:
                cleaned = self._cleaned(name, value)
            bound.arguments[name] = cleaned
        return any(bound.arguments[name] is not value for name, value in before.items())

    def _cleaned(self, name: str, value: Any) -> Any:
        if name == self.password:
            return passwords.hashable(value)
        return storable(value) if isinstance(value, str) else value

    def _reject(self, why: str) -> None:
        raise ImproperlyConfigured(f"apply_account_lock: {self.method.__qualname__}() {why}.")
