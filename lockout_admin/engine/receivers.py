"""What Django's signals say: of an attempt that a backend left to a later one, and of sessions.

Between two guarded backends another one may let the user in: nobody tells the guard.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.signals import request_finished, request_started
from django.db.models.signals import post_save

from ..identity.visit import bare
from ..models.transactions import close_idle_connections
from ..signals import password_changed
from . import owners, submissions, successes
from .calls import forget_left_guess, left_guess
from .guard import Guess
from .journal import left_open, let_in

logger = logging.getLogger("lockout_admin")


def connect() -> None:
    """Listen; called once, when the app is ready."""
    for signal, receiver in (
        (user_login_failed, login_has_failed),
        (user_logged_in, user_is_in),
        (user_logged_out, user_is_out),
        (request_started, request_is_over),
        (request_finished, request_is_over),
        (post_save, account_is_saved),
        (password_changed, password_is_new),
    ):
        signal.connect(receiver, dispatch_uid=f"lockout_admin.{receiver.__name__}")


def login_has_failed(request: Any = None, **signal: Any) -> None:
    """No backend knows the user: the attempt has failed."""
    guess = left_guess()
    if guess and _is_from(guess, request):
        _do(guess.request_is_over)


def user_is_in(request: Any = None, user: Any = None, **signal: Any) -> None:
    """Take back what was reserved, if a backend without the guard let the user in; record it."""
    let_in(request)
    left = {left_guess(), *left_open(request)}
    for guess in left:
        if isinstance(guess, Guess) and _is_from(guess, request):
            _do(partial(guess.log_in, user))
    _do(partial(submissions.take_back, request, user))
    _do(partial(successes.logged_in, request, user))


def user_is_out(request: Any = None, user: Any = None, **signal: Any) -> None:
    """Record a logout."""
    _do(partial(successes.logged_out, request, user))


def account_is_saved(instance: Any = None, created: bool = False, **signal: Any) -> None:
    """Tell of a new password, where one is saved.

    By Django's own sign of it, by which it tells the password validators: `_password` is what was
    set, and ``None`` after a re-hash at login.
    """
    if getattr(instance, "_password", None) is not None and not created:
        password_changed.send_robust(type(instance), user=instance)


def password_is_new(user: Any = None, **signal: Any) -> None:
    """End what was failed with the old one."""
    owners.password_changed(user)


def request_is_over(**signal: Any) -> None:
    """Count an attempt of which nobody said how it ended: the next visitor has no part in it."""
    if guess := left_guess():
        _do(guess.request_is_over)
        forget_left_guess()
        close_idle_connections()  # Django has closed its own before


def _is_from(guess: Guess, request: Any) -> bool:
    return bare(guess.attempt.request) is bare(request)


def _do(end: Callable[[], Any]) -> None:
    try:
        end()
    except Exception:
        # A signal of Django's: what is raised here would break the login, or the answer.
        logger.exception("signal_not_followed: an attempt is not ended, or a login not recorded.")
