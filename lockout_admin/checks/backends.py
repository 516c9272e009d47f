"""Checks of the ways in: backends and middleware."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.utils.module_loading import import_string

from ..conf import conf
from ..decorators import is_guarded
from ..identity.credentials import usual_names
from ..middleware import LockoutMiddleware

#: What parameters are called that hold a secret.
_SECRETS = {"password", "passwd", "passphrase", "passcode", "pin", "pwd", "secret"}
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class _Way:
    """A method by which people come in, of a listed backend: sync or async."""

    path: str
    name: str
    method: Any

    @property
    def label(self) -> str:
        return f"{self.path}.{self.name}()"


@register(Tags.security, deploy=True)
def a_backend_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """E009: without a guarded backend nothing is counted and nothing is locked."""
    if any(is_guarded(way.method) for way in _ways()):
        return []
    return [
        Error(
            "No backend of AUTHENTICATION_BACKENDS is guarded: logins are not counted and not"
            " refused.",
            hint="List 'lockout_admin.backends.LockoutBackend' in place of Django's ModelBackend,"
            " or put lockout_admin.decorators.apply_account_lock on the authenticate() of your own,"
            " also where it calls a guarded one.",
            id="lockout_admin.E009",
        )
    ]


@register(Tags.security, deploy=True)
def no_password_backend_is_unguarded(**kwargs: Any) -> list[CheckMessage]:
    """E010: a second password backend without the guard is a way around the first."""
    return [
        Error(
            f"{way.label} checks passwords and is not guarded: guesses go on there when a username"
            " is locked.",
            hint="Put lockout_admin.decorators.apply_account_lock on it (in a subclass if it is not"
            " yours), or take the backend out of AUTHENTICATION_BACKENDS. If it verifies no"
            " password, list it in LOCKOUT_ADMIN['PASSWORD_FREE_BACKENDS'].",
            id="lockout_admin.E010",
        )
        for way in _first_of_each(_takes_passwords)
    ]


@register(Tags.security)
def no_backend_that_passes_on_is_unguarded(**kwargs: Any) -> list[CheckMessage]:
    """W016: what a backend takes among ``**kwargs`` can't be told from outside."""
    return [
        CheckWarning(
            f"{way.label} takes any credentials and is not guarded. If it checks passwords, guesses"
            " go on there when a username is locked.",
            hint="If it does, put lockout_admin.decorators.apply_account_lock on it; if not (a"
            " single sign-on, say), list the backend in LOCKOUT_ADMIN['PASSWORD_FREE_BACKENDS'].",
            id="lockout_admin.W016",
        )
        for way in _first_of_each(_takes_anything)
        if way.path not in {found.path for found in _first_of_each(_takes_passwords)}
    ]


@register(Tags.security, deploy=True)
def async_is_guarded_too(**kwargs: Any) -> list[CheckMessage]:
    """E011: ModelBackend has async code of its own, which a guarded authenticate() leaves open."""
    return [
        Error(
            f"{way.label} is not guarded: async views walk around the lock.",
            hint="Put lockout_admin.decorators.apply_account_lock on an aauthenticate() of the"
            " backend as well.",
            id="lockout_admin.E011",
        )
        for way in _open_beside_a_guarded_one()
    ]


@register(Tags.security)
def everything_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """W019: says early what ``check --deploy`` will not let pass, and stops no installation."""
    errors = [*no_password_backend_is_unguarded(), *async_is_guarded_too(), *a_backend_is_guarded()]
    if not errors:
        return []
    return [
        CheckWarning(
            f"The guard is not complete: {errors[0].msg}",
            hint=f"{errors[0].hint} 'manage.py check --deploy' lists all that is open.",
            id="lockout_admin.W019",
        )
    ]


@register(Tags.security)
def names_are_known(**kwargs: Any) -> list[CheckMessage]:
    """W018: without its names, an account may be found by spellings that nobody counts together."""
    return [
        CheckWarning(
            f"{way.label} does not say by which names it finds an account: a database may find one"
            " under several spellings, each with guesses of its own.",
            hint="Name the fields of the user model, as in @apply_account_lock(names=('username',"
            " 'email')), or give a function from a user to the names.",
            id="lockout_admin.W018",
        )
        for way in nameless()
    ]


@register(Tags.security)
def refusals_are_answered(**kwargs: Any) -> list[CheckMessage]:
    """W012: without the middleware people read that their password is wrong while locked."""
    if any(_is_ours(import_string(path)) for path in settings.MIDDLEWARE):
        return []
    return [
        CheckWarning(
            "LockoutMiddleware is not installed: refused logins get no 429 and no word on how long"
            " to wait, and ATOMIC_REQUESTS can roll records back.",
            hint="Add 'lockout_admin.middleware.LockoutMiddleware' to MIDDLEWARE, before"
            " SessionMiddleware.",
            id="lockout_admin.W012",
        )
    ]


# -- What a method takes ------------------------------------------------------------------------


def _takes_passwords(method: Any) -> bool:
    """Tell by the signature: a secret by name, a username beside more, or any credentials."""
    names = _credentials_of(method)
    if names is None:
        return False
    return bool(_SECRETS & names) or (
        _takes_anything(method) and (not names or bool(usual_names().keys() & names))
    )


def _takes_anything(method: Any) -> bool:
    kinds = {parameter.kind for parameter in inspect.signature(method).parameters.values()}
    return bool(kinds & {*_VARIABLE})


def _credentials_of(method: Any) -> set[str] | None:
    """Return the parameters after the request; ``None`` where not even that is named."""
    parameters = [*inspect.signature(method).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in [parameter.kind for parameter in parameters[:2]]:
        return None
    return {parameter.name for parameter in parameters[2:] if parameter.kind not in _VARIABLE}


def nameless() -> list[_Way]:
    """Return the guarded ways in that do not say by which names they find an account."""
    return [way for way in _ways() if is_guarded(way.method) and not way.method.names_are_known]


# -- The ways in --------------------------------------------------------------------------------


def _ways() -> list[_Way]:
    """Return the methods of each backend that are code of its own."""
    return [
        _Way(path, name, getattr(backend, name))
        for path, backend in _backends()
        for name in ("authenticate", "aauthenticate")
        if getattr(backend, name, None) not in (None, getattr(BaseBackend, name))
    ]


def _first_of_each(question: Callable[[Any], bool]) -> list[_Way]:
    """Return of each backend the first open way in of which it is true, but what E011 tells of."""
    first: dict[str, _Way] = {}
    for way in _ways():
        is_open = not is_guarded(way.method) and way not in _open_beside_a_guarded_one()
        if is_open and not _is_free(way) and question(way.method):
            first.setdefault(way.path, way)
    return [*first.values()]


def _is_free(way: _Way) -> bool:
    """Tell whether it checks no passwords, as the site says; of Django's own code it is not so.

    What a backend inherits only for async code is the site's to judge: single sign-on does.
    """
    is_djangos = getattr(import_string(way.path), "authenticate", None) is ModelBackend.authenticate
    return way.path in conf.password_free_backends and not is_djangos


def _open_beside_a_guarded_one() -> list[_Way]:
    guarded = {way.path for way in _ways() if way.name == "authenticate" and is_guarded(way.method)}
    return [
        way
        for way in _ways()
        if way.path in guarded and way.name == "aauthenticate" and not is_guarded(way.method)
    ]


def _backends() -> list[tuple[str, Any]]:
    return [(path, import_string(path)) for path in settings.AUTHENTICATION_BACKENDS]


def _is_ours(middleware: Any) -> bool:
    return isinstance(middleware, type) and issubclass(middleware, LockoutMiddleware)
