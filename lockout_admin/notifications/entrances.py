"""From the path of an attempt to words of ours: which of the site's entrances it was.

A path is written by strangers, as a user agent is: it is not kept, and not quoted.
"""

from __future__ import annotations

from django.conf import global_settings, settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, is_valid_path, reverse
from django.utils.translation import get_language, gettext


def entrance_of(path: str) -> str:
    """Return which entrance a path is: ``admin``, ``login``, ``other``; empty for no path."""
    if not path:
        return ""
    admin = _path_of("admin:index")
    if admin and path.startswith(admin):
        return "admin"
    return "login" if path == login_path() else "other"


def words_of(entrance: str) -> str:
    """Return an entrance in words, in the active language."""
    words = {
        "": gettext("without a page"),
        "admin": gettext("the administration"),
        "login": gettext("the login page"),
    }
    return words.get(entrance) or gettext("another page or an interface for programs")


def _path_of(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def login_path() -> str:
    """Return where people log in; empty where the site has no such page.

    Where ``LOGIN_URL`` leads nowhere, that is the admin. An address that a site has set itself is
    believed: its front end may serve the page.
    """
    try:
        path = resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        path = ""
    if path and (path != global_settings.LOGIN_URL or _is_served(path)):
        return path
    return _path_of("admin:login")


def _is_served(path: str) -> bool:
    """Tell whether there is a view for a path, as it is or in a language (`i18n_patterns`)."""
    return any(is_valid_path(each) for each in (path, f"/{get_language()}{path}"))
