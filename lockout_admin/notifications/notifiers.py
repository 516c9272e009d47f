"""What a notifier is, and which ones the site has.

A site writes its own: a class with `Notifier.notify`, and its dotted path in ``NOTIFIERS``.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from inspect import isabstract
from typing import Any, TypeGuard

from django.utils.module_loading import import_string

from ..conf import conf
from ..models import Outbox

logger = logging.getLogger("lockout_admin")

Kind = Outbox.Kind


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told, and to whom."""

    #: With when, from where, with what, how often.
    row: Outbox
    #: The account; ``None`` where there is none, and for those who need not know.
    user: Any = None
    #: The absolute address of the page that helps; empty where there is none.
    link: str = field(default="", repr=False)
    #: Six digits for the page that asked; empty where nobody asked.
    code: str = field(default="", repr=False)
    #: The absolute address of the page that sends another one; empty where there is none.
    fresh: str = field(default="", repr=False)


class Notifier(ABC):
    """Tells somebody. One instance a message; nothing is kept in it."""

    #: What it tells of: of accounts. Of the site, `Outbox.OF_THE_SITE`, who says so.
    kinds: Collection[str] = tuple(kind for kind in Kind if kind not in Outbox.OF_THE_SITE)
    #: Whether it tells the owner: then names without an account are left out, and the rules of
    #: `sieges` say how often.
    to_owner = False

    @classmethod
    def is_on(cls) -> bool:
        """Tell whether the site has set it up; what is off gets no rows."""
        return True

    @classmethod
    def most_per_hour(cls) -> int:
        """Return how many go out in an hour."""
        return conf.mails_per_hour

    @classmethod
    def why_not(cls, row: Outbox) -> str:  # noqa: ARG003 - for those that override it
        """Return why nobody is told, one of `Outbox.Why`; empty: somebody is."""
        return ""

    @abstractmethod
    def notify(self, notice: Notice) -> None:
        """Tell it. Whatever is raised means: not delivered, try again later."""


def is_one(found: Any) -> TypeGuard[type[Notifier]]:
    """Tell whether something is a notifier that can tell, and no part of one."""
    return isinstance(found, type) and issubclass(found, Notifier) and not isabstract(found)


def of_path(path: str) -> type[Notifier] | None:
    """Return the notifier of a path, if the site lists it and it is on."""
    if path not in conf.notifiers:
        return None
    try:
        found = import_string(path)
    except Exception:  # noqa: BLE001 - a module of the site's may raise anything
        found = None
    if not is_one(found):
        logger.error("notifier_missing: %s is no notifier; see NOTIFIERS.", path)
        return None
    return found if found.is_on() else None


def in_force(kind: str) -> list[str]:
    """Return the paths of the notifiers that tell of a kind."""
    found = {path: of_path(path) for path in conf.notifiers}
    return [path for path, notifier in found.items() if notifier and kind in notifier.kinds]


def to_owners() -> list[str]:
    """Return the paths of the notifiers that tell owners."""
    found = {path: of_path(path) for path in conf.notifiers}
    return [path for path, notifier in found.items() if notifier and notifier.to_owner]


def owners_are_told(kind: str = Kind.ASKED) -> bool:
    """Tell whether owners are told of a kind: whoever asks for help, unless another is given."""
    found = [of_path(path) for path in conf.notifiers]
    return any(notifier.to_owner and kind in notifier.kinds for notifier in found if notifier)
