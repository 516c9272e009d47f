"""Under which names an account may be entered.

The count of a name holds only if nobody comes in under a name that is counted elsewhere. What a
database takes for equal is its own affair (``boßs`` and ``boss``, kana, ``müller`` and
``mueller``), so the account itself is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .field import canonical, username_of
from .subject import Subject

#: Fields of the user model, or a function from a user; ``None``: nobody said.
Names = str | Sequence[str] | Callable[[Any], Iterable[Any]] | None


def own_name(user: Any) -> list[Any]:
    """Return the username alone: by no other name Django's own backend finds an account."""
    return [username_of(user)]


def as_typed(name: Any) -> Any:
    """Spell a name as it was typed."""
    return name


@dataclass(frozen=True, slots=True)
class Entrances:
    """By which names a backend finds an account, and how it spells them."""

    names: Names
    normalize: Callable[[Any], Any]

    @property
    def are_known(self) -> bool:
        """Whether anybody said."""
        return self.names is not None

    @property
    def are_djangos(self) -> bool:
        """Whether accounts are found by their username alone, among those that Django has."""
        return self.names is own_name

    @property
    def are_only_known_by_it(self) -> bool:
        """Whether no column tells whose a name is: a function does, or a spelling of its own."""
        if self.names is None or self.are_djangos:
            return False
        return callable(self.names) or self.normalize is not as_typed

    @property
    def fields(self) -> Sequence[str]:
        """The fields of the user model that were said to hold names."""
        if self.names is None or callable(self.names):
            return ()
        return (self.names,) if isinstance(self.names, str) else self.names

    def of(self, user: Any) -> list[Any]:
        """Return the names of an account as the backend spells them; none where nobody said."""
        if callable(self.names):
            return [self.spelt(name) for name in self.names(user)]
        return [self.spelt(getattr(user, field, None)) for field in self.fields]

    def spelt(self, name: Any) -> Any:
        """Return a name as the backend spells it."""
        # Made for what is typed: another of the account's names may not fit.
        with suppress(Exception):
            return self.normalize(name)
        return name


@dataclass(frozen=True, slots=True)
class Entrance:
    """A name that was typed, at the door of a backend."""

    typed: Any
    entrances: Entrances

    def may_be_of(self, user: Any) -> bool:
        """Tell whether `user` may come in under it: yes, where nobody said what his names are."""
        return not self.entrances.are_known or self.is_of(user)

    def is_of(self, user: Any) -> bool:
        """Tell whether it is a name of `user`, in whatever spelling is counted as the same."""
        names = [name for name in self.entrances.of(user) if name not in (None, "")]
        # Not by equality alone: 7.0 is 7, and counted elsewhere.
        if any(type(name) is type(self.typed) and name == self.typed for name in names):
            return True
        key = Subject.of(self.typed).key
        return any(Subject.of(name).key == key for name in names)

    def is_username_of(self, user: Any) -> bool:
        """Tell whether it is the username of `user` itself, letter by letter."""
        own = self.entrances.spelt(username_of(user))
        return str(canonical(self.typed)) == str(canonical(own))
