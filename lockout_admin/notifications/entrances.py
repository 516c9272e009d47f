"""From the path of an attempt to words of ours: which of the site's entrances it was.

A path is written by strangers, as a user agent is: it is not kept, and not quoted.
"""

from __future__ import annotations

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext


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
    """Return where people log in; empty where the site does not say."""
    try:
        return resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        return ""
