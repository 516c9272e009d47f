"""What one request leaves for the middleware: a refusal to answer, records to write after the view."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import models, router, transaction

from .exceptions import AccountLocked


@dataclass(slots=True)
class Journal:
    """One per request, opened by the middleware."""

    #: The refusal that this request met, for the middleware to answer.
    refusal: AccountLocked | None = None
    #: Records that a rollback of the view's transaction must not take with it.
    after_view: list[Callable[[], Any]] = field(default_factory=list)

    def write(self) -> None:
        """Write what was put off, outside the view's transaction."""
        while self.after_view:
            self.after_view.pop(0)()


#: The journal of the request being answered; ``None`` outside a request and without the middleware.
current_journal: ContextVar[Journal | None] = ContextVar("lockout_admin_journal", default=None)


def refused(refusal: AccountLocked | None) -> None:
    """Leave a refusal for the middleware to answer; ``None`` takes it back: somebody got in after all."""
    if journal := current_journal.get():
        journal.refusal = refusal


def in_transaction(model: type[models.Model]) -> bool:
    """Tell whether a write to `model` would be rolled back with somebody else's work."""
    return bool(transaction.get_connection(router.db_for_write(model)).in_atomic_block)


def shielded(model: type[models.Model]) -> AbstractContextManager[Any]:
    """Keep a failing statement from breaking the transaction around it; free where there is none."""
    if in_transaction(model):
        return transaction.atomic(using=router.db_for_write(model))
    return nullcontext()
