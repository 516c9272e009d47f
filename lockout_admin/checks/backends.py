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
from ..middleware import LockoutMiddleware

#: What parameters are called that hold a secret.
_SECRETS = {"password", "passwd", "passphrase", "passcode", "pin", "pwd", "secret"}
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@register(Tags.security)
def a_backend_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """E009: without a guarded backend nothing is counted and nothing is locked."""
    if any(is_guarded(getattr(backend, "authenticate", None)) for _, backend in _backends()):
        return []
    return [
        Error(
            "No backend of AUTHENTICATION_BACKENDS is guarded: logins are not counted and not refused.",
            hint="List 'lockout_admin.backends.LockoutBackend' in place of Django's ModelBackend, or put"
            " lockout_admin.decorators.apply_account_lock on the authenticate() of your own, also where it calls a"
            " guarded one.",
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
        for path, method in _unguarded()
        if _takes_passwords(method)
    ]


@register(Tags.security)
def no_backend_that_passes_on_is_unguarded(**kwargs: Any) -> list[CheckMessage]:
    """W016: what a backend passes on as ``*args, **kwargs`` can't be told from outside."""
    return [
        CheckWarning(
            f"{path} takes any credentials and is not guarded. If it checks passwords, guesses go on there when a"
            " username is locked.",
            hint="If it does, put lockout_admin.decorators.apply_account_lock on its authenticate(); if not (a single"
            " sign-on, say), silence this with SILENCED_SYSTEM_CHECKS.",
            id="lockout_admin.W016",
        )
        for path, method in _unguarded()
        if _passes_on(method)
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
    if any(_is_ours(import_string(path)) for path in settings.MIDDLEWARE):
        return []
    return [
        CheckWarning(
            "LockoutMiddleware is not installed: refused logins get no 429 and no word on how long to wait, and"
            " ATOMIC_REQUESTS can roll records back.",
            hint="Add 'lockout_admin.middleware.LockoutMiddleware' to MIDDLEWARE, before SessionMiddleware.",
            id="lockout_admin.W012",
        )
    ]


def _backends() -> list[tuple[str, Any]]:
    return [(path, import_string(path)) for path in settings.AUTHENTICATION_BACKENDS]


def _unguarded() -> list[tuple[str, Any]]:
    methods = [(path, getattr(backend, "authenticate", BaseBackend.authenticate)) for path, backend in _backends()]
    return [(path, m) for path, m in methods if m is not BaseBackend.authenticate and not is_guarded(m)]


def _takes_passwords(method: Any) -> bool:
    """Tell by the signature: a secret by name, or any credentials at all."""
    parameters = inspect.signature(method).parameters
    taken = [parameter.kind in _VARIABLE for parameter in [*parameters.values()][2:]]
    return bool(_SECRETS & {*parameters}) or (bool(taken) and all(taken) and not _passes_on(method))


def _passes_on(method: Any) -> bool:
    """Tell whether not even the request is named."""
    kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
    return inspect.Parameter.VAR_POSITIONAL in kinds[:2]


def _is_ours(middleware: Any) -> bool:
    return isinstance(middleware, type) and issubclass(middleware, LockoutMiddleware)
