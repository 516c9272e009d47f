"""The task of a site that has a task backend: Django's own, or that of ``django-tasks`` on 5.2."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.utils import timezone

from . import claims, sender

#: Where tasks are: Django 6 has them, for 5.2 there is a package.
_HOMES = ("django.tasks", "django_tasks")
#: Run what they get at once, inside the request; or never.
_NO_WORKERS = ("ImmediateBackend", "DummyBackend")


def can_run() -> bool:
    """Tell whether the site has a task backend whose tasks somebody else runs."""
    backend = _backend()
    return backend is not None and not any(
        base.__name__ in _NO_WORKERS for base in type(backend).__mro__
    )


def enqueue() -> None:
    """Hand the task over."""
    __getattr__("send").enqueue()


def _send() -> int:
    """Send what is due; return how many messages went out."""
    count = sender.send_due()
    wait = claims.next_in() if count.postponed else None
    backend = _backend()
    if wait is not None and getattr(backend, "supports_defer", False):
        # Whoever could not deliver one comes back for it.
        again = timezone.now() + timedelta(seconds=wait)
        __getattr__("send").using(run_after=again).enqueue()
    return count.sent


# Workers find it under this name, where the task itself must be.
_send.__name__ = _send.__qualname__ = "send"


def __getattr__(name: str) -> Any:
    """Make the task when it is asked for: a site without task backends can't have one."""
    if name == "send" and (home := _home()):
        return home.task(_send)
    raise AttributeError(name)


def _home() -> Any:
    return next((import_module(name) for name in _HOMES if find_spec(name)), None)


def _backend() -> Any:
    home = _home()
    if home is None:
        return None
    try:
        return home.task_backends[home.DEFAULT_TASK_BACKEND_ALIAS]
    except Exception:  # noqa: BLE001 - whichever the backend raises that is not there
        return None
