"""In which columns of the user model the backends of a site look names up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.module_loading import import_string

from ..conf import conf
from .entrances import Entrances
from .field import username_of, username_path

_SHIPPED = "lockout_admin.backends.LockoutBackend"


def lookup_fields() -> set[str]:
    """Return the fields of the user model that the backends of the site may look a name up in.

    The username is none where no backend does: whoever registers somebody's address as his
    username enters nothing by it, and takes nothing from whom the address is.
    """
    fields: set[str] = set()
    for path in settings.AUTHENTICATION_BACKENDS:
        if path not in conf.password_free_backends:
            fields |= _looked_up_by(path)
    return fields & {username_path(), *columns_of(get_user_model())} or {username_path()}


def _looked_up_by(path: str) -> set[str]:
    """Return the fields of a backend: those that it says, or the usual ones."""
    said = None if path == _SHIPPED else _entrances_of(path)
    if path == _SHIPPED or (said and said.are_djangos):
        return {username_path()}
    if not said or not said.fields:
        return usual_fields()
    model: Any = get_user_model()
    return {username_path() if field == model.USERNAME_FIELD else field for field in said.fields}


def usual_fields() -> set[str]:
    """Return where a backend that says nothing is taken to look: usernames, addresses."""
    model: Any = get_user_model()
    return {username_path(), *({getattr(model, "EMAIL_FIELD", "")} & columns_of(model))}


def columns_of(model: Any) -> set[str]:
    """Return the columns of a model that hold no reference."""
    return {field.name for field in model._meta.concrete_fields if not field.is_relation}


def value_of(user: Any, field: str) -> Any:
    """Return a name of an account: what a field of `lookup_fields` holds."""
    if field != username_path():
        return getattr(user, field, None)
    return username_of(user) if hasattr(user, "get_username") else None


# -- What backends say of themselves --------------------------------------------------------------


def some_are_untold() -> bool:
    """Tell whether a backend finds accounts by names of which only it knows whose they are.

    A function goes from an account to its names, and what a backend spells in its own way is in no
    column: nobody can ask whether another account has the same. That a name is somebody's username,
    letter by letter, says nothing then: the backend may find another account by it.
    """
    said = [one for one in map(_entrances_of, settings.AUTHENTICATION_BACKENDS) if one]
    model: Any = get_user_model()
    known = {model.USERNAME_FIELD, username_path(), *columns_of(model)}
    # A property is code as a function is.
    return any(one.are_only_known_by_it or not known.issuperset(one.fields) for one in said)


def are_all_djangos() -> bool:
    """Tell whether all backends find accounts by their usernames alone, as Django does."""
    paths = (path for path in settings.AUTHENTICATION_BACKENDS if path != _SHIPPED)
    others = [path for path in paths if path not in conf.password_free_backends]
    return all((said := _entrances_of(path)) and said.are_djangos for path in others)


def usernames_may_be_twins() -> bool:
    """Tell whether a backend says that it finds usernames in a way that is not Django's."""
    name = get_user_model().USERNAME_FIELD
    said = [one for one in map(_entrances_of, settings.AUTHENTICATION_BACKENDS) if one]
    return any(name in one.fields and not one.are_djangos for one in said)


def number_said() -> int:
    """Return by how many names the backends say that they find an account; each has its limits."""
    said = (_entrances_of(path) for path in settings.AUTHENTICATION_BACKENDS)
    fields = {field for one in said if one for field in one.fields}
    return len({username_path(), *(fields & columns_of(get_user_model()))})


def _entrances_of(path: str) -> Entrances | None:
    method = getattr(import_string(path), "authenticate", None)
    said: Entrances | None = getattr(method, "entrances", None)
    return said
