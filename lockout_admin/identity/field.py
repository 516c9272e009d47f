"""The user model's field of the username: which spellings it takes for one value.

It may be a telephone number, a UUID, a number, a relation, or text that the field brings into a
form of its own: ``+49 30 123`` and ``004930123`` find one account. So the field itself is asked.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

#: What of a field may change a value on its way to the database.
_WAYS = ("to_python", "get_prep_value", "get_db_prep_value")


def username_field() -> Any:
    """Return the field that holds the usernames; for a relation, the one that it leads to."""
    return _way()[-1]


def username_path() -> str:
    """Return by which path a query reaches it."""
    return "__".join(field.name for field in _way())


def _way() -> list[Any]:
    model: Any = get_user_model()
    fields = [model._meta.get_field(model.USERNAME_FIELD)]
    while fields[-1].is_relation:
        fields.append(fields[-1].target_field)
    return fields


def is_plain(field: Any) -> bool:
    """Tell whether a field holds text as it is given, as all of Django's own do."""
    kind = type(field)
    return any(
        issubclass(kind, base) and all(getattr(kind, way) is getattr(base, way) for way in _WAYS)
        for base in (models.CharField, models.TextField)
    )


def looked_up(username: Any) -> Any:
    """Return a name as the database is asked for it; raise whatever the field raises."""
    field = username_field()
    typed = username.strip() if isinstance(username, str) else username
    return field.get_prep_value(field.to_python(typed))


def canonical(username: Any) -> Any:
    """Return the one spelling of a name that the field gives it, else the name itself.

    ``007``, ``+7`` and ``7`` are one number. What makes no sense to the field stays apart: else all
    words were one name where only digits count.
    """
    field = username_field()
    if isinstance(username, models.Model):
        username = getattr(username, field.attname, username)
    if is_plain(field):
        return username
    with suppress(Exception):  # fields are anybody's, and so is what they raise
        value = looked_up(username)
        is_lost = value in (None, "") or ("@" in str(username) and "@" not in str(value))
        if not is_lost:
            return value.normalize() if isinstance(value, Decimal) else value
    return username


def username_of(user: Any) -> Any:
    """Return the username of an account as its row has it: for a relation, the key."""
    model: Any = get_user_model()
    field = model._meta.get_field(model.USERNAME_FIELD)
    is_key = field.is_relation and isinstance(user, model)
    return getattr(user, field.attname) if is_key else user.get_username()
