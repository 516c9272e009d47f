"""For the tests of projects that use the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.conf import settings
from django.test.utils import override_settings

from .store import store


@contextmanager
def isolated_lockouts() -> Iterator[None]:
    """Give the code within a state of locks and counts of its own; no cache is flushed."""
    store.start_over()
    declared = getattr(settings, "LOCKOUT_ADMIN", {})
    with override_settings(LOCKOUT_ADMIN={**declared, "NAMESPACE": uuid4().hex}):
        yield
