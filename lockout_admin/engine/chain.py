"""The backends of a site in their order: which of them will be asked about the same credentials."""

from __future__ import annotations

import inspect
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from ..identity.credentials import Credentials


def is_guarded(function: Any) -> bool:
    """Tell whether a backend's method went through `decorators.apply_account_lock`."""
    return getattr(function, "is_guarded_by_lockout_admin", False)


def position(backend: type, after: int = -1) -> int:
    """Return where a backend stands, after another if it stands there too; -1: it is not listed."""
    places = [place for place, listed in enumerate(_backends()) if listed is backend]
    later = [place for place in places if place > after]
    return (later or places or [-1])[0]


@sensitive_variables()
def is_asked_elsewhere(place: int, method: str, credentials: Credentials) -> bool:
    """Tell whether a guarded backend that stands later takes the same credentials."""
    if place < 0:
        return False
    return any(_takes(backend, method, credentials) for backend in _backends()[place + 1 :])


def _takes(backend: Any, name: str, credentials: Credentials) -> bool:
    method: Any = getattr(backend, name, None)
    if method is BaseBackend.aauthenticate:  # asks authenticate()
        method = backend.authenticate
    if not is_guarded(method):
        return False
    try:
        values = [None] * credentials.positional
        inspect.signature(method).bind(*values, **dict.fromkeys(credentials.named))
    except TypeError:
        return False
    return True


def _backends() -> list[Any]:
    return [import_string(path) for path in settings.AUTHENTICATION_BACKENDS]
