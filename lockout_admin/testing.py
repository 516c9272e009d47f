"""For the tests of projects that use the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.test.utils import override_settings

from .engine.store import store


@contextmanager
def isolated_lockouts() -> Iterator[None]:
    """Give the code within a state of locks and counts of its own; no cache is flushed.

    It holds whatever the code within does to ``settings.LOCKOUT_ADMIN``.
    """
    from .engine import sightings  # noqa: PLC0415 - it needs the settings
    from .engine.calls import forget_left_guess  # noqa: PLC0415

    store.start_over()
    forget_left_guess()
    sightings.forget()
    with override_settings(LOCKOUT_ADMIN_ISOLATION=uuid4().hex):
        yield
