"""Which names are an account's own: a success ends only what was typed under one of them.

Else whoever may register ``alisa`` had no limit on ``alissa``: three wrong guesses there, one right
password of one's own, and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.module_loading import import_string

from ..conf import conf
from .entrances import Entrances
from .field import username_of, username_path
from .subject import Subject, is_user
from .text import ascii_lower

_SHIPPED = "lockout_admin.backends.LockoutBackend"


def own_fines(typed: Subject, user: Any) -> set[int]:
    """Return the digests of the spellings that are the account's: what was typed, and its name."""
    if not hasattr(user, "get_username"):
        return set(typed.fines)
    own = Subject.of(username_of(user))
    return {*typed.fines, *own.fines}


def others(typed: Subject, user: Any) -> list[Any]:
    """Return by which further names the backends of the site find an account."""
    names = [value_of(user, field) for field in sorted(lookup_fields())]
    subjects = {Subject.of(name).key: name for name in names if name not in (None, "")}
    return [name for key, name in subjects.items() if key != typed.key]


def all_of(user: Any) -> list[Any]:
    """Return the names by which the backends of the site find an account."""
    found = [value_of(user, field) for field in sorted(lookup_fields())]
    return [name for name in found if name not in (None, "")]


def is_own(typed: Subject, user: Any) -> bool:
    """Tell whether what was typed is a name of `user` and nobody else's, but for its letter case.

    Of ASCII, see `ascii_lower`.
    """
    fields = lookup_fields() | _usual_fields()
    name = typed.username
    names = {ascii_lower(str(value_of(user, field) or "")) for field in fields} - {""}
    return ascii_lower(name) in names and not _is_ambiguous(typed, user, fields)


def are_of_one_account(typed: Mapping[str, Any], entrances: Entrances) -> bool:
    """Tell whether all names in a call, by their parameters, are those of one account.

    As much is asked and computed whoever is found, and if nobody is: the time must not tell.
    """
    user = look_up(typed)
    fields = lookup_fields() | _usual_fields()
    if user is None:
        names = [*typed.values(), *(next(iter(typed.values())) for _ in fields)]
    else:
        names = [*entrances.of(user), *(value_of(user, field) for field in fields)]
    known = {Subject.of(name).key for name in names if name not in (None, "")}
    subjects = [Subject.of(name) for name in typed.values()]
    ambiguous = [_is_ambiguous(subject, user, fields) for subject in subjects]
    is_known = [subject.key in known for subject in subjects]
    return user is not None and not any(ambiguous) and all(is_known)


def look_up(typed: Mapping[str, Any]) -> Any:
    """Return the account of the first of the names in a call that a column holds, if any has it."""
    model: Any = get_user_model()
    columns = sorted(_columns(model) & typed.keys())
    columns.sort(key=lambda name: name != model.USERNAME_FIELD)
    field = next(iter(columns), model.USERNAME_FIELD)
    value = typed.get(field, next(iter(typed.values())))
    path = username_path() if field == model.USERNAME_FIELD else field
    try:
        # The others are compared later: no stranger makes the database search a column for them.
        return model._base_manager.filter(**{path: value}).first()
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return None


def look_up_account(account: str) -> Any:
    """Return the user with a primary key that is given as text; ``None``: nobody has it."""
    try:
        return get_user_model()._base_manager.filter(pk=account).first()
    except (TypeError, ValueError, ValidationError):
        return None  # of another model


def is_username(typed: Subject, user: Any) -> bool:
    """Tell whether what was typed is the username of an account, letter by letter."""
    return is_user(user) and typed.username == _username_of(user)


def is_shared(typed: Subject, user: Any) -> bool:
    """Tell whether a field of another account has a name as well, in any letter case."""
    return not is_user(user) or _others_have(typed.username, user, lookup_fields())


def is_ambiguous(typed: Subject, user: Any, *, is_of_django: bool = True) -> bool:
    """Tell whether the name that was typed could enter another account too: then it is nobody's.

    A username may be somebody else's e-mail address, where both are accepted. `is_of_django` says
    that nothing but the site's backends looked for the account.
    """
    if _only_a_backend_knows():
        return True
    return _is_ambiguous(typed, user, lookup_fields(), is_of_django=is_of_django)


def _only_a_backend_knows() -> bool:
    """Tell whether a backend finds accounts by names of which only it knows whose they are.

    A function goes from an account to its names, and what a backend spells in its own way is in no
    column: nobody can ask whether another account has the same. That a name is somebody's username,
    letter by letter, says nothing then: the backend may find another account by it.
    """
    said = [one for one in map(_entrances_of, settings.AUTHENTICATION_BACKENDS) if one]
    return any(one.are_only_known_by_it for one in said)


def _is_ambiguous(
    typed: Subject, user: Any, fields: set[str], *, is_of_django: bool = True
) -> bool:
    if not is_user(user):
        return True
    is_username = user is None or typed.username == _username_of(user)
    is_unique = is_of_django and fields <= {username_path()} and _are_all_djangos()
    if is_username and is_unique:
        # Asked for letter by letter, usernames are unique.
        return False
    return _others_have(typed.username, user, fields)


def _are_all_djangos() -> bool:
    """Tell whether all backends find accounts by their usernames alone, as Django does."""
    paths = (path for path in settings.AUTHENTICATION_BACKENDS if path != _SHIPPED)
    others = [path for path in paths if path not in conf.password_free_backends]
    return all((said := _entrances_of(path)) and said.are_djangos for path in others)


def having(typed: Subject) -> list[Any]:
    """Return accounts that have a name, in any letter case; two at most, none if unsure."""
    try:
        return list(_having(typed.username, lookup_fields())[:2])
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return []


def _having(name: str, fields: set[str]) -> Any:
    model: Any = get_user_model()
    likely = Q(pk__in=[])
    for field in fields:
        likely |= Q(**{f"{field}__iexact": name})
    return model._base_manager.filter(likely)


def _others_have(name: str, user: Any, fields: set[str]) -> bool:
    """Tell whether accounts but `user` have a name, two of them for ``None``; yes if unsure.

    One statement for both: the time must not tell which it was.
    """
    try:
        found = [*_having(name, fields).values_list("pk", flat=True)[:2]]
        return len(found) > 1 or (user is not None and any(str(pk) != str(user.pk) for pk in found))
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return True


def some_are_untold() -> bool:
    """Tell whether a backend finds accounts by names of which only it knows how many there are."""
    return _only_a_backend_knows()


def number_said() -> int:
    """Return by how many names the backends say that they find an account; each has its limits."""
    said = (_entrances_of(path) for path in settings.AUTHENTICATION_BACKENDS)
    fields = {field for one in said if one for field in one.fields}
    return len({username_path(), *(fields & _columns(get_user_model()))})


def value_of(user: Any, field: str) -> Any:
    """Return a name of an account: what a field of `lookup_fields` holds."""
    if field != username_path():
        return getattr(user, field, None)
    return username_of(user) if hasattr(user, "get_username") else None


def lookup_fields() -> set[str]:
    """Return the fields of the user model that the backends of the site may look a name up in.

    The username is none where no backend does: whoever registers somebody's address as his
    username enters nothing by it, and takes nothing from whom the address is.
    """
    fields: set[str] = set()
    for path in settings.AUTHENTICATION_BACKENDS:
        if path not in conf.password_free_backends:
            fields |= _looked_up_by(path)
    return fields & {username_path(), *_columns(get_user_model())} or {username_path()}


def _looked_up_by(path: str) -> set[str]:
    """Return the fields of a backend: those that it says, or the usual ones."""
    said = None if path == _SHIPPED else _entrances_of(path)
    if path == _SHIPPED or (said and said.are_djangos):
        return {username_path()}
    if not said or not said.fields:
        return _usual_fields()
    model: Any = get_user_model()
    return {username_path() if field == model.USERNAME_FIELD else field for field in said.fields}


def _entrances_of(path: str) -> Entrances | None:
    method = getattr(import_string(path), "authenticate", None)
    said: Entrances | None = getattr(method, "entrances", None)
    return said


def _usual_fields() -> set[str]:
    model: Any = get_user_model()
    return {username_path(), *({getattr(model, "EMAIL_FIELD", "")} & _columns(model))}


def _username_of(user: Any) -> str | None:
    name = value_of(user, username_path())
    return None if name is None else str(name)


def _columns(model: Any) -> set[str]:
    return {field.name for field in model._meta.concrete_fields if not field.is_relation}
