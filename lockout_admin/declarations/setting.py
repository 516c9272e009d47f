"""A setting: its name, a safe default, the values that it may have, and what it does.

A wrong value never breaks a login: the default holds, and one error is logged per setting and
process. ``manage.py check`` finds the same faults and says the same.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, Self, TypeVar, overload

from django.conf import settings
from django.utils.functional import empty

from .presets import PRESETS
from .values import shown

logger = logging.getLogger("lockout_admin")

T = TypeVar("T")

#: What a setting is that a site says nothing of.
_UNSAID: Final = object()
#: What `settings` stands for; `empty` before it is first used.
_holder: Final = partial(object.__getattribute__, settings, "_wrapped")
#: The keys of ``settings.LOCKOUT_ADMIN`` that are declared.
_keys: set[str] = set()
#: What was logged. `dict.setdefault` is atomic: of many threads, one logs.
_logged: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class _Trial:
    """What is tried in place of what the site wrote, and the settings that were read so far."""

    values: Mapping[str, Any]
    read: dict[str, Any] = field(default_factory=dict)


_trial: Final[ContextVar[_Trial | None]] = ContextVar("lockout_admin_trial", default=None)


@contextmanager
def trying(values: Mapping[str, Any]) -> Iterator[None]:
    """Have other values of Django's settings hold, for this thread or task and no other.

    For a reckoning with settings that are not in force; no attempt is met with them. Each is read
    once: what the site changes meanwhile is not seen.
    """
    token = _trial.set(_Trial(values))
    try:
        yield
    finally:
        _trial.reset(token)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: the id of the check that finds it, the problem, the remedy."""

    check: str
    problem: str
    remedy: str

    def log_once(self, name: str) -> None:
        """Log it as an error, unless something was logged under this name already."""
        token = object()
        if _logged.setdefault(name, token) is token:
            logger.error(
                "setting_wrong: %s It counts as not set. %s",
                self.problem,
                self.remedy,
            )


class Setting(ABC, Generic[T]):
    """A key of ``settings.LOCKOUT_ADMIN``, or a plain Django setting; read when it is used."""

    check = "E006"
    #: What it may be, as the end of "Set it to …".
    kind = ""

    def __init__(
        self,
        name: str,
        default: T,
        *,
        help: str,  # noqa: A002 - the word that Django has for it
        plain: bool = False,
    ) -> None:
        self.name: Final = name
        self.default: Final = default
        self.help: Final = help
        self.plain: Final = plain
        self.label: Final = name if plain else f"LOCKOUT_ADMIN[{name!r}]"

    def __set_name__(self, owner: type, attribute: str) -> None:
        if not self.plain:
            _keys.add(self.name)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        """Return the value that holds; the declaration, when the class is asked."""
        if instance is None:
            return self
        trial = _trial.get()
        if trial is None:
            return self._value()
        if self.name not in trial.read:
            trial.read[self.name] = self._value()
        value: T = trial.read[self.name]
        return value

    def _value(self) -> T:
        keys = _keys_in_use()
        value = written(self.name, _UNSAID) if self.plain else keys.get(self.name, _UNSAID)
        if value is _UNSAID:
            return self._of_preset(keys)
        if value is self.default:
            return self.default
        if self.accepts(value):
            return self.read(value)
        self.faults(value)[0].log_once(self.name)
        return self.default

    def _of_preset(self, keys: dict[str, Any]) -> T:
        """Return the default, or what the site's preset has in place of it."""
        name = keys.get("PRESET")
        if not isinstance(name, str):
            return self.default
        of_preset: T = PRESETS.get(name, {}).get(self.name, self.default)
        return of_preset

    @property
    def declared(self) -> Any:
        """What the site wrote, or the default."""
        said = self._said()
        return self.default if said is _UNSAID else said

    @property
    def is_said(self) -> bool:
        """Whether the site wrote something."""
        return self._said() is not _UNSAID

    def _said(self) -> Any:
        if self.plain:
            return written(self.name, _UNSAID)
        keys = _declared_keys()
        return keys.get(self.name, _UNSAID) if isinstance(keys, dict) else _UNSAID

    @property
    def remedy(self) -> str:
        """What to do about a wrong value."""
        return f"Set it to {self.kind}; the default is {self.default!r}."

    def faults(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value; of one that is accepted, nothing."""
        return [] if self.accepts(value) else self.faults_of_wrong(value)

    def faults_of_wrong(self, value: Any) -> list[Fault]:
        """Return what is wrong with a value that is not accepted: one fault at least."""
        problem = f"{self.label} is {shown(value)}."
        return [Fault(self.check, problem, self.remedy)]

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Tell whether a value is one of those that it may have."""

    def read(self, value: Any) -> T:
        """Return what a right value stands for."""
        return value  # type: ignore[no-any-return]


def written(name: str, default: Any) -> Any:
    """Return one of Django's settings as the site wrote it, at the moment.

    `settings` itself takes a microsecond for each, and four for what is not set, as most of ours
    are; an attempt reads some twenty. So its holder is asked.
    """
    trial = _trial.get()
    if trial is not None and name in trial.values:
        return trial.values[name]
    holder = _holder()
    return getattr(settings if holder is empty else holder, name, default)


def faults_of_keys() -> list[Fault]:
    """Return what is wrong with ``settings.LOCKOUT_ADMIN`` as a whole."""
    keys = _declared_keys()
    if not isinstance(keys, dict):
        problem = f"LOCKOUT_ADMIN is {shown(keys)}."
        remedy = "Set it to a dict of settings, or leave it out."
        return [Fault("E003", problem, remedy)]
    return [_unknown(key) for key in keys if key not in _keys]


def _unknown(key: object) -> Fault:
    problem = f"LOCKOUT_ADMIN has an unknown key {shown(key)}."
    return Fault("E004", problem, f"Known keys: {', '.join(sorted(_keys))}.")


def _keys_in_use() -> dict[str, Any]:
    """Return ``settings.LOCKOUT_ADMIN``; log what is wrong with it as a whole."""
    keys = _declared_keys()
    is_dict = isinstance(keys, dict)
    if not is_dict or not _keys.issuperset(keys):
        for fault in faults_of_keys():
            fault.log_once(fault.problem)
    return keys if is_dict else {}


def _declared_keys() -> Any:
    return written("LOCKOUT_ADMIN", {})
