"""Which names are an account's own: a success ends only what was typed under one of them.

Else whoever may register ``alisa`` had no limit on ``alissa``: three wrong guesses there, one right
password of one's own, and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from .columns import (
    are_all_djangos,
    columns_of,
    lookup_fields,
    some_are_untold,
    usernames_may_be_twins,
    usual_fields,
    value_of,
)
from .entrances import Entrances
from .field import username_of, username_path
from .subject import Subject, is_user
from .text import ascii_lower


def own_fines(typed: Subject, user: Any) -> set[int]:
    """Return the digests of the spellings that are the account's: what was typed, and its name.

    Its name not, where another account has it as well: whoever takes somebody's address for his
    username ends nothing that was guessed at whom the address is.
    """
    found = set(typed.fines)
    if not hasattr(user, "get_username"):
        return found
    own = Subject.of(username_of(user))
    if not found.issuperset(own.fines) and not is_shared(own, user):
        found.update(own.fines)
    return found


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

    Of ASCII, see `ascii_lower`. Where only a backend knows names, none is known to be his alone.
    """
    return not some_are_untold() and is_held_by(typed, user)


def is_held_by(typed: Subject, user: Any) -> bool:
    """Tell whether columns have what was typed for `user`, and for nobody else; see `is_own`."""
    fields = lookup_fields() | usual_fields()
    name = typed.username
    names = {ascii_lower(str(value_of(user, field) or "")) for field in fields} - {""}
    return ascii_lower(name) in names and not _is_ambiguous(typed, user, fields)


def are_of_one_account(typed: Mapping[str, Any], entrances: Entrances) -> bool:
    """Tell whether all names in a call, by their parameters, are those of one account.

    As much is asked and computed whoever is found, and if nobody is: the time must not tell.
    """
    user = look_up(typed)
    fields = lookup_fields() | usual_fields()
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
    columns = sorted(columns_of(model) & typed.keys())
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


def is_anothers(typed: Subject, user: Any) -> bool:
    """Tell whether another account has a name in a column that is not its username."""
    fields = _likely(typed, lookup_fields() - {username_path()})
    return bool(fields) and _others_have(typed.username, user, fields)


def is_shared(typed: Subject, user: Any) -> bool:
    """Tell whether a field of another account has a name as well, in any letter case."""
    return not is_user(user) or _others_have(typed.username, user, lookup_fields())


def is_ambiguous(typed: Subject, user: Any, *, is_of_django: bool = True) -> bool:
    """Tell whether the name that was typed could enter another account too: then it is nobody's.

    A username may be somebody else's e-mail address, where both are accepted. `is_of_django` says
    that nothing but the site's backends looked for the account.
    """
    if some_are_untold():
        return True
    if _is_ambiguous(typed, user, lookup_fields(), is_of_django=is_of_django):
        return True
    # What the code of a view finds by addresses, no backend says.
    unsaid = usual_fields() - lookup_fields() if "@" in typed.username else set()
    return bool(unsaid) and user is not None and _others_have(typed.username, user, unsaid)


def finds_others(typed: Subject, user: Any, *, is_of_django: bool) -> bool:
    """Tell whether the name by which `user` came in is another account's as well; no if unsure.

    Then the password that was right for one was perhaps compared with the other's, and wrong there:
    who may set a password of his own would guess with it.
    """
    if user is None or not is_user(user):
        return False
    fields = lookup_fields() if is_of_django else lookup_fields() | usual_fields()
    # No column is searched in vain, at each login: usernames are unique as they are spelled.
    if typed.username == _username_of(user) and not usernames_may_be_twins():
        fields -= {username_path()}
    fields = _likely(typed, fields)
    return bool(fields) and _others_have(typed.username, user, fields, if_unsure=False)


def _likely(typed: Subject, fields: set[str]) -> set[str]:
    """Leave out the column of addresses for what is none: it is not searched in vain."""
    is_address = "@" in typed.username
    return fields if is_address else fields - {getattr(get_user_model(), "EMAIL_FIELD", "")}


def _is_ambiguous(
    typed: Subject, user: Any, fields: set[str], *, is_of_django: bool = True
) -> bool:
    if not is_user(user):
        return True
    is_username = user is None or typed.username == _username_of(user)
    is_unique = is_of_django and fields <= {username_path()} and are_all_djangos()
    if is_username and is_unique:
        # Asked for letter by letter, usernames are unique.
        return False
    return _others_have(typed.username, user, fields)


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


def _others_have(name: str, user: Any, fields: set[str], *, if_unsure: bool = True) -> bool:
    """Tell whether accounts but `user` have a name, two of them for ``None``.

    One statement for both: the time must not tell which it was.
    """
    try:
        found = [*_having(name, fields).values_list("pk", flat=True)[:2]]
        return len(found) > 1 or (user is not None and any(str(pk) != str(user.pk) for pk in found))
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return if_unsure


def _username_of(user: Any) -> str | None:
    name = value_of(user, username_path())
    return None if name is None else str(name)
