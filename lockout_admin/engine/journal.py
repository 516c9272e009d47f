"""What one request leaves for the middleware: a refusal to answer, records to write."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db.models import Model

from ..exceptions import AccountLocked
from ..models.transactions import in_transaction

logger = logging.getLogger("lockout_admin")

#: Where a request keeps its journal for threads that the view started, which have no context of it.
_ATTRIBUTE = "_lockout_admin_journal"
_FAILED = "_lockout_admin_failed"


class LeftOpen(Protocol):
    """A guess of which nobody has said yet how it ended, or a success: whether a session begins."""

    def request_is_over(self) -> None:
        """End it, if nothing has."""
        ...


@dataclass(slots=True)
class Journal:
    """One per request, opened by the middleware and closed with the request."""

    #: The request, where it is one of Django's.
    request: Any = None
    #: The refusal that an attempt of this request met, for the middleware to answer.
    refusal: AccountLocked | None = None
    #: What the view was told when it asked about a name, and tried nothing.
    told: AccountLocked | None = None
    #: Whether anybody got in: then the answer is the view's, whatever else was refused.
    somebody_is_in: bool = False
    #: Records that a rollback of the view's transaction must not take with it.
    after_view: list[Callable[[], Any]] = field(default_factory=list)
    #: Failures put off until then, which count within the request already: the keys of the
    #: matters that they fall into, and the `Failure`.
    pending: list[tuple[Collection[int], Any]] = field(default_factory=list)
    #: Attempts that have failed; the same submission may come in under another name.
    failed: list[Any] = field(default_factory=list)
    #: Guesses that backends left to later ones, and who got in.
    left_open: list[LeftOpen] = field(default_factory=list)
    #: A task or thread that outlives its request writes at once.
    closed: bool = False

    @classmethod
    def opened_for(cls, request: Any) -> Journal:
        """Return a journal that all code of a request finds, in whichever thread it runs."""
        journal = cls(request)
        setattr(request, _ATTRIBUTE, journal)
        return journal

    def close(self) -> None:
        """End what is open and write what was put off, outside the view's transaction."""
        self.closed = True
        _do_all([guess.request_is_over for guess in self.left_open])
        self.left_open.clear()
        self.write()

    def write(self) -> None:
        """Write what was put off."""
        _do_all(self.after_view)
        self.pending.clear()


class CurrentJournal:
    """The journal of the request being answered; ``None`` without a request or the middleware."""

    def __init__(self) -> None:
        self._journal: ContextVar[Journal | None] = ContextVar(
            "lockout_admin_journal", default=None
        )
        self.set = self._journal.set
        self.reset = self._journal.reset

    def get(self) -> Journal | None:
        """Return it, if the request goes on."""
        journal = self._journal.get()
        return None if journal is None or journal.closed else journal


current_journal = CurrentJournal()


def current_request() -> Any:
    """Return the request that is being answered, where the middleware knows."""
    journal = current_journal.get()
    return journal.request if journal else None


def is_answered_by_us(request: Any) -> bool:
    """Tell whether the middleware answers a request: what it is to say to the client arrives."""
    return getattr(getattr(request, "_request", request), _ATTRIBUTE, None) is not None


def refused(refusal: AccountLocked) -> None:
    """Leave a refusal for the middleware to answer."""
    if journal := current_journal.get():
        journal.refusal = refusal


def told(refusal: AccountLocked) -> None:
    """Leave what a view was told for the middleware, in case that the view refuses."""
    if journal := current_journal.get():
        journal.told = refusal


def let_in(request: Any = None) -> None:
    """Say that somebody got in."""
    if journal := current_journal.get() or getattr(request, _ATTRIBUTE, None):
        journal.somebody_is_in = True


def keep_open(request: Any, guess: LeftOpen) -> bool:
    """Have `guess` ended with the request at the latest. False: nobody knows when that is."""
    journal = current_journal.get() or getattr(request, _ATTRIBUTE, None)
    if journal is None or journal.closed:
        return False
    journal.left_open.append(guess)
    return True


def left_open(request: Any) -> list[LeftOpen]:
    """Return what was left open in a request, in whichever of its threads and tasks."""
    journal = current_journal.get() or getattr(request, _ATTRIBUTE, None)
    return list(journal.left_open) if journal else []


def pending_of(matter: int) -> list[Any]:
    """Return the failures of this request in a matter that are put off until the view is over."""
    journal = current_journal.get()
    waiting = journal.pending if journal else []
    return [failure for keys, failure in waiting if matter in keys]


def failed_in(request: Any) -> list[Any]:
    """Return the attempts that have failed in a request, for more to be added."""
    if journal := current_journal.get() or getattr(request, _ATTRIBUTE, None):
        failed: list[Any] = journal.failed
    else:
        # Without the middleware the request remembers them; DRF's is around Django's.
        bare = getattr(request, "_request", request)
        failed = getattr(bare, "__dict__", {}).setdefault(_FAILED, [])
    return failed


def outside_transactions(model: type[Model], work: Callable[[], Any]) -> None:
    """Do `work` now; in a transaction of the view, when it is over: a rollback must not undo it."""
    journal = current_journal.get()
    if journal is not None and in_transaction(model):
        journal.after_view.append(work)
    else:
        work()


def _do_all(actions: list[Callable[[], Any]]) -> None:
    while actions:
        try:
            actions.pop(0)()
        except Exception:
            # One record must not take the others, nor the answer, with it.
            logger.exception("record_not_written: an attempt could not be recorded.")
