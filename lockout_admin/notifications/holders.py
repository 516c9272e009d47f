"""Whose name it is: looked for by the sender, outside of any request.

By the name as it was typed, in any letter case; else by who came in under a spelling of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Upper

from ..identity import columns, names
from ..identity.field import is_plain
from ..identity.subject import Subject, account_of
from ..models import Outbox, SuccessfulLogin
from ..models.accounts import lookup_values


def of_rows(rows: Collection[Outbox]) -> dict[int, Any]:
    """Return the active account of each row by the row's key; none where none or several have it.

    A few statements for all of them, however many names were made up.
    """
    by_key = _by_key({row.account for row in rows if row.account})
    nameless = [row for row in rows if not row.account]
    by_name = _by_name({row.username for row in nameless})
    rest = [row for row in nameless if row.username not in by_name]
    by_subject = _by_subject({row.subject for row in rest})
    found: dict[int, Any] = {}
    for row in rows:
        if row.account:
            holding = [by_key[row.account]] if row.account in by_key else []
        else:
            holding = by_name.get(row.username) or by_subject.get(row.subject, [])
        if len(holding) == 1 and getattr(holding[0], "is_active", True):
            found[row.pk] = holding[0]
    return found


def of_account(account: str) -> Any:
    """Return the active account with a primary key, or ``None``."""
    user = _by_key({account}).get(account)
    return user if getattr(user, "is_active", True) else None


def address_of(user: Any) -> str:
    """Return where an account gets its mail; empty for none."""
    field = getattr(user, "get_email_field_name", lambda: "email")()
    return str(getattr(user, field, "") or "").strip()


def _by_key(accounts: Collection[str]) -> dict[str, Any]:
    model: Any = get_user_model()
    keys = [key for account in accounts if (key := _key(model, account)) is not None]
    found = model._base_manager.filter(pk__in=keys) if keys else []
    return {account_of(user): user for user in found}


def _key(model: Any, account: str) -> Any:
    try:
        return model._meta.pk.to_python(account)
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return None


def _by_name(typed: Collection[str]) -> dict[str, list[Any]]:
    """Return the accounts of each name; one scan of the accounts for all.

    Those that have it letter by letter, as a backend looks it up; where nobody does, those that
    have it in any letter case. Else whoever registers ``Alice`` took all mails from ``alice``.
    """
    if not typed:
        return {}
    model: Any = get_user_model()
    exact: dict[str, dict[Any, Any]] = {}
    alike: dict[str, dict[Any, Any]] = {}
    for field in sorted(columns.lookup_fields()):
        for user, name in _having(model, field, typed):
            for one in typed:
                if one == name:
                    exact.setdefault(one, {})[user.pk] = user
                if one.casefold() == name.casefold():
                    alike.setdefault(one, {})[user.pk] = user
    return {name: list(users.values()) for name, users in {**alike, **exact}.items()}


def _having(model: Any, field: str, typed: Collection[str]) -> Iterable[tuple[Any, str]]:
    column = model._meta.get_field(field.partition("__")[0])
    if is_plain(column):
        as_typed = Q(**{f"{field}__in": typed})
        # SQLite knows the capitals of ASCII only.
        in_capitals = Q(lockout_name__in={name.upper() for name in typed})
        users = model._base_manager.alias(lockout_name=Upper(field))
        users = users.filter(as_typed | in_capitals)
        return [(user, str(columns.value_of(user, field))) for user in users]
    # Numbers, UUIDs, relations: what the field makes of each name, and nothing of most.
    asked = [(name, list(lookup_values(name))) for name in typed]
    return [
        (user, name)
        for name, values in asked
        if values
        for user in model._base_manager.filter(**{f"{field}__in": values})[:2]
    ]


def _by_subject(subjects: Collection[int]) -> dict[int, list[Any]]:
    """Return who came in under a spelling of a name, and has one still."""
    if not subjects:
        return {}
    logins = SuccessfulLogin.objects.fresh().filter(subject__in=subjects).exclude(account="")
    pairs = set(logins.order_by().values_list("subject", "account").distinct())
    users = _by_key({account for _subject, account in pairs})
    found: dict[int, list[Any]] = {}
    for subject, account in pairs:
        user = users.get(account)
        if user is not None and subject in keys_of(user):
            found.setdefault(subject, []).append(user)
    return found


def keys_of(user: Any) -> set[int]:
    """Return the digests of all names of an account, by each secret of the site."""
    return {key for name in names.all_of(user) for key in Subject.of(name).keys}
