"""Pills: a state in a word. Colour says urgency, and never says it alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..models import AccountLock
from .facts import ENFORCEMENT, Facts


class Tone(StrEnum):
    """How urgent it is."""

    #: An attack on an account that exists.
    URGENT = "urgent"
    PLAIN = "plain"
    #: A name that nobody has, a lock that has ended.
    QUIET = "quiet"
    WARNING = "warning"


def pill(tone: Tone, text: Any, title: Any = "") -> SafeString:
    """Return a word in a frame."""
    return format_html(
        '<span class="lockout-pill lockout-{}" title="{}">{}</span>', tone.value, title, text
    )


def account(exists: bool) -> SafeString:
    """Return whether there is an account of this spelling, or of it in lower case."""
    if exists:
        return pill(Tone.PLAIN, _("account"), _("exists"))
    return pill(Tone.QUIET, _("nobody"), _("no account of this spelling"))


def target(row: AccountLock, facts: Facts) -> SafeString:
    """Return whom a lock is about: an account under attack, one locked by hand, nobody, a net."""
    if row.subject is None:
        return pill(Tone.PLAIN, _("network"), _("not one name, but all from there"))
    if not facts.has_account:
        return account(exists=False)
    if row.is_by_hand:
        return account(exists=True)
    return pill(Tone.URGENT, _("account"), _("exists, and was attacked"))


def enforcement(facts: Facts) -> SafeString:
    """Return what enforces a lock."""
    label, title = ENFORCEMENT[facts.enforcement]
    return format_html(
        '<span class="lockout-{}" title="{}">{}</span>',
        facts.enforcement.name.lower(),
        title,
        label,
    )


def cut(text: str, shown: Any = None) -> SafeString:
    """Return a text that is cut to its column; all of it when somebody points at it."""
    return format_html(
        '<span class="lockout-cut" title="{}">{}</span>', text, text if shown is None else shown
    )
