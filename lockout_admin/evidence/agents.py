"""User agents as people say them: "Chrome 128 on Windows". Whoever sends one may claim anything."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from django.utils.translation import gettext

from ..identity.agents import family_of, words_of

#: Agents that are remembered; a page of rows has few different ones.
_REMEMBERED: Final = 2048


def described(user_agent: str) -> str:
    """Return a user agent in words, in the active language; its own text where it is none known.

    With the extra ``agents`` (``ua-parser``) it has the version, and programs have names.
    """
    browser, system = _parsed(user_agent)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if browser:
        return browser
    family = family_of(user_agent)
    return words_of(family) if all(family.partition("/")) else user_agent


@lru_cache(_REMEMBERED)
def _parsed(user_agent: str) -> tuple[str, str]:
    """Return the browser with its version, and the system; empty: not known."""
    try:
        parser: Any = import_module("ua_parser")
    except ImportError:
        return "", ""
    found = parser.parse(user_agent)
    browser = (
        f"{found.user_agent.family} {found.user_agent.major or ''}" if found.user_agent else ""
    )
    return browser.strip(), found.os.family if found.os else ""
