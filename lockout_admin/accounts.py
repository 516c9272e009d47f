"""Whether a username that was typed is that of an account."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import Error
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from .conf import conf
from .identity import Subject, folded
from .journal import shielded


def existing(usernames: Collection[str]) -> set[str]:
    """Return those of `usernames` that an account has, as typed or in lower case; one query for all."""
    wanted = {spelling for username in usernames for spelling in (username, username.lower())}
    found = {folded(name) for name in _names().filter(**{f"{_field()}__in": wanted})}
    return {username for username in usernames if folded(username) in found}


def has_account() -> Exists:
    """Return the condition that a row's ``username`` is that of an account, as typed or in lower case."""
    # Each side of the OR is served by the unique index; UPPER(…) = UPPER(…) would be by none.
    typed = Q(**{_field(): OuterRef("username")})
    lower = Q(**{_field(): Lower(OuterRef("username"))})
    return Exists(get_user_model()._default_manager.filter(typed | lower))


def name_to_store(subject: Subject) -> str:
    """Return the username to record: masked where the site asks for it and no account is known to have it."""
    # Asked of every username alike, so that the time it takes tells nothing.
    return subject.username if not conf.mask_unknown_usernames or _is_known(subject) else subject.masked


def _is_known(subject: Subject) -> bool:
    try:
        with shielded(get_user_model()):
            return bool(existing([subject.username]))
    except (Error, ValueError):
        return False


def _names() -> QuerySet[Any, Any]:
    return get_user_model()._default_manager.values_list(_field(), flat=True)


def _field() -> str:
    return get_user_model().USERNAME_FIELD
