"""Accounts by what somebody calls them: the username, or the e-mail address."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from django.contrib.auth import get_user_model
from django.db import Error
from django.db.models import F, Q

from ..identity import names
from ..identity.field import username_of, username_path
from ..identity.subject import Subject, account_of
from ..models.accounts import lookup_values
from ..models.lookups import AnyCase, PartOf, StartsWith
from ..models.transactions import shielded
from . import reach
from .reach import Column

#: Accounts that are shown, at most.
MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Account:
    """One account, as far as pages speak of it."""

    #: The primary key, as text; see `account_of`.
    key: str
    username: str
    #: By which names the backends of the site find it.
    names: tuple[str, ...]
    email: str
    is_active: bool

    @classmethod
    def of(cls, user: Any) -> Self:
        """Return a user as an account."""
        column = getattr(user, "EMAIL_FIELD", "")
        return cls(
            key=account_of(user),
            username=str(username_of(user)),
            names=tuple(map(str, names.all_of(user))),
            email=str(getattr(user, column, "") or "") if column else "",
            is_active=bool(getattr(user, "is_active", True)),
        )


@dataclass(frozen=True, slots=True)
class Called:
    """The accounts that a text names in full, and the columns that nobody could ask."""

    accounts: tuple[Account, ...]
    unasked: tuple[Column, ...] = ()


def called(text: str) -> Called:
    """Return the accounts whose username or e-mail address is `text`, in any case of ASCII."""
    if not text:
        return Called(())
    users = {user.pk: user for user in _users(**{f"{username_path()}__in": _values(text)})}
    unasked = []
    username = get_user_model().USERNAME_FIELD
    for column in reach.of_accounts() if "@" in text else []:
        if column.name == username:
            continue
        condition = _spelled_out(column, text)
        if condition is None:
            unasked.append(column)
        else:
            users |= {user.pk: user for user in _users(condition)}
    return Called(tuple(map(Account.of, users.values())), tuple(unasked))


def with_part(text: str, column: Column, *, anywhere: bool) -> list[Account]:
    """Return accounts with `text` in a column: at its beginning, or `anywhere` where that is asked.

    The beginning is asked for as it was typed and in lower case: an index has both.
    """
    where = F(column.name)
    if anywhere:
        return list(map(Account.of, _users(PartOf(where, text))))
    begins = Q(StartsWith(where, text)) | Q(StartsWith(where, text.lower()))
    return list(map(Account.of, _users(begins)))


def owning(subject: Subject, accounts: Iterable[Account]) -> list[Account]:
    """Return those of the accounts that can be entered under the name of a subject."""
    return [
        account
        for account in accounts
        if subject.key in {Subject.of(name).key for name in (account.username, *account.names)}
    ]


def _values(text: str) -> list[Any]:
    return list(lookup_values(text))


def _users(*conditions: Any, **lookups: Any) -> list[Any]:
    model = get_user_model()
    users = model._base_manager.filter(*conditions, **lookups)
    # Fields are anybody's, and so is what they raise; a collation may know no patterns.
    with suppress(ValueError, TypeError, Error), shielded(model):
        keys = reach.sampled(users, "pk", MOST)
        return list(model._base_manager.filter(pk__in=keys).order_by("pk"))
    return []


def _spelled_out(column: Column, text: str) -> Any:
    """Return the condition of a value that an index finds; ``None``: all rows would be read."""
    if column.is_small or column in reach.with_trigrams([column]):
        return AnyCase(F(column.name), text)
    if column.is_indexed:
        return Q(**{f"{column.name}__in": {text, text.lower()}})
    return None
