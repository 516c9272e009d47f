"""Checks of the ways in: backends and middleware."""

from __future__ import annotations

import inspect
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.utils.module_loading import import_string

from ..decorators import is_guarded

_MIDDLEWARE = "lockout_admin.middleware.LockoutMiddleware"


@register(Tags.security)
def a_backend_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """E009: without a guarded backend nothing is counted and nothing is locked."""
    if any(is_guarded(getattr(backend, "authenticate", None)) for _, backend in _backends()):
        return []
    return [
        Error(
            "No backend of AUTHENTICATION_BACKENDS is guarded: no login is counted or refused.",
            hint="List 'lockout_admin.backends.LockoutBackend' in place of Django's ModelBackend, or put"
            " lockout_admin.decorators.apply_account_lock on the authenticate() of your own.",
            id="lockout_admin.E009",
        )
    ]


@register(Tags.security)
def no_password_backend_is_unguarded(**kwargs: Any) -> list[CheckMessage]:
    """E010: a second password backend without the guard is a way around the first."""
    return [
        Error(
            f"{path} checks passwords and is not guarded: guesses go on there when a username is locked.",
            hint="Put lockout_admin.decorators.apply_account_lock on its authenticate() (in a subclass if it is not"
            " yours), or take it out of AUTHENTICATION_BACKENDS.",
            id="lockout_admin.E010",
        )
        for path, backend in _backends()
        if _takes_passwords(backend) and not is_guarded(backend.authenticate)
    ]


@register(Tags.security)
def async_is_guarded_too(**kwargs: Any) -> list[CheckMessage]:
    """E011: Django's ModelBackend has async code of its own, which a guarded authenticate() does not reach."""
    return [
        Error(
            f"{path}.aauthenticate() is not guarded: async views walk around the lock.",
            hint="Put lockout_admin.decorators.apply_account_lock on an aauthenticate() of the backend as well.",
            id="lockout_admin.E011",
        )
        for path, backend in _backends()
        if is_guarded(getattr(backend, "authenticate", None))
        and getattr(backend, "aauthenticate", BaseBackend.aauthenticate) is not BaseBackend.aauthenticate
        and not is_guarded(backend.aauthenticate)
    ]


@register(Tags.security)
def refusals_are_answered(**kwargs: Any) -> list[CheckMessage]:
    """W012: without the middleware people read that their password is wrong while they are locked."""
    if _MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        CheckWarning(
            "LockoutMiddleware is not installed: refused logins get no 429 and no word on how long to wait, and"
            " ATOMIC_REQUESTS can roll records back.",
            hint=f"Add '{_MIDDLEWARE}' to MIDDLEWARE, before SessionMiddleware.",
            id="lockout_admin.W012",
        )
    ]


def _backends() -> list[tuple[str, Any]]:
    return [(path, import_string(path)) for path in settings.AUTHENTICATION_BACKENDS]


def _takes_passwords(backend: Any) -> bool:
    """Tell by its signature: ``password`` by name, or any credentials at all."""
    method = getattr(backend, "authenticate", BaseBackend.authenticate)
    parameters = inspect.signature(method).parameters
    taken = [*parameters.values()][2:]
    takes_anything = bool(taken) and all(parameter.kind is parameter.VAR_KEYWORD for parameter in taken)
    return "password" in parameters or (takes_anything and method is not BaseBackend.authenticate)
