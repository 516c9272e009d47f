"""Whether a username that was typed is that of an account, and what it costs to find out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db import Error, connections, models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.crypto import get_random_string

from ..conf import conf
from ..identity.field import is_plain, looked_up, username_field
from ..identity.subject import Subject, fold_of
from .transactions import shielded

#: Names that are looked up at once.
_CHUNK = 500


def existing(usernames: Collection[str]) -> set[str]:
    """Return those of `usernames` that an account has, as typed or in lower case.

    One query, and another where names are spelled much like those of accounts: only the database
    knows which of them it takes for the same.
    """
    names = {name for _pk, name in _found(usernames)}
    folds = set(map(fold_of, names))
    likely = {username for username in usernames if fold_of(username) in folds}
    exact = {username for username in likely if not names.isdisjoint(lookup_values(username))}
    return exact.union(*map(_same, _chunks(likely - exact)))


def _same(usernames: Collection[str]) -> set[str]:
    """Return those that the database finds an account by, each for itself."""
    columns = {f"of{number}": username for number, username in enumerate(usernames)}
    asked = {
        column: Count("pk", filter=Q(**{f"{_field()}__in": [*lookup_values(username)]}))
        for column, username in columns.items()
    }
    counts = _named(usernames).aggregate(**asked)
    return {username for column, username in columns.items() if counts[column]}


def accounts_of(names: Iterable[str]) -> list[Any]:
    """Return the primary keys of the accounts that have one of many names; a query for each 500."""
    return [pk for chunk in _chunks(names) for pk, _name in _found(chunk)]


def of_accounts(rows: QuerySet[Any, Any]) -> Q:
    """Return the condition that an account has a row's ``username``, as typed or in lower case."""
    if is_joined(rows):
        # The unique index serves each of the two. With an OR inside, MariaDB would compare all
        # accounts with each row; UPPER(…) = UPPER(…) would be served by no index at all.
        typed = _accounts().filter(**{_field(): OuterRef("username")})
        lower = _accounts().filter(**{_field(): Lower(OuterRef("username"))})
        return Q(Exists(typed)) | Q(Exists(lower))
    names = rows.order_by().values_list("username", flat=True).distinct()
    chunks = _chunks(names.iterator(chunk_size=_CHUNK))
    return Q(username__in=[name for chunk in chunks for name in existing(chunk)])


def is_joined(rows: QuerySet[Any, Any], accounts: QuerySet[Any, Any] | None = None) -> bool:
    """Tell whether one statement can compare the names of `rows` with those of accounts.

    Not where these are in another database, nor where their names are no plain text.
    """
    field = get_user_model()._meta.get_field(_field())
    database: str = (_accounts() if accounts is None else accounts).db
    return is_plain(field) and rows.db == database


def name_to_store(subject: Subject) -> str:
    """Return the name to record: masked where the site asks for it and no account has it."""
    # Asked of every username alike, so that the time it takes tells nothing.
    return (
        subject.username
        if not conf.mask_unknown_usernames or _is_known(subject)
        else subject.masked
    )


def hash_in_vain() -> None:
    """Take as long as a wrong password does: Django hashes one for names that nobody has, too."""
    get_user_model()().set_password(get_random_string(20))


def _is_known(subject: Subject) -> bool:
    try:
        with shielded(get_user_model()):
            return bool(existing([subject.username]))
    except (Error, ValueError):
        return False


def _chunks(names: Iterable[str]) -> Iterator[set[str]]:
    rest = iter(names)
    while chunk := set(islice(rest, _CHUNK)):
        yield chunk


def _found(usernames: Collection[str]) -> QuerySet[Any, Any]:
    """Return the primary keys and names of the accounts with these names."""
    return _named(usernames).values_list("pk", _field())  # type: ignore[no-any-return]


def _named(usernames: Collection[str]) -> Any:
    wanted = {value for username in usernames for value in lookup_values(username)}
    return _accounts().filter(**{f"{_field()}__in": wanted})


def lookup_values(username: str) -> Iterator[Any]:
    """Yield what the column of usernames is asked for: the name, and in lower case."""
    spellings = {username, username.lower()}
    field = username_field()
    if is_plain(field):
        yield from spellings
        return
    for spelling in spellings:
        with suppress(Exception):  # fields are anybody's, and so is what they raise
            value = looked_up(spelling)
            if _is_in_range(field, value):
                yield value


def _is_in_range(field: Any, value: Any) -> bool:
    """Tell whether the column can be compared with a value; raise or return ``False``."""
    connection = connections[_accounts().db]
    field.get_db_prep_value(value, connection)
    if not isinstance(field, models.IntegerField):
        return True
    low, high = connection.ops.integer_field_range(field.get_internal_type())
    return bool((low is None or low <= value) and (high is None or value <= high))


def _accounts() -> Any:
    # Not the default manager, which may hide accounts that can log in.
    return get_user_model()._base_manager


def _field() -> str:
    return get_user_model().USERNAME_FIELD
