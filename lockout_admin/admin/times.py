"""Times in lists: how long ago first; the exact moment and its zone for whoever asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import set_apart
from .cells import local_time

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
#: From so many seconds on a length is told in these two units; the script reads the same words.
_FORMS: Final = (
    (_DAY, gettext_lazy("%(days)s d %(hours)s h")),
    (_HOUR, gettext_lazy("%(hours)s h %(minutes)s min")),
    (_MINUTE, gettext_lazy("%(minutes)s min")),
    (0, gettext_lazy("%(seconds)s s")),
)


def length(seconds: float) -> str:
    """Return a length of time in its two largest units: 90,000 seconds are 1 d 1 h."""
    whole = max(0, int(seconds))
    form = next(form for least, form in _FORMS if whole >= least)
    return form % _units(whole)


def _units(seconds: int) -> dict[str, int]:
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    minutes = seconds % _HOUR // _MINUTE
    return {"days": days, "hours": hours, "minutes": minutes, "seconds": seconds % _MINUTE}


def exact(value: datetime) -> str:
    """Return a moment to the second, with the zone it is told in where it has one."""
    local = local_time(value)
    text = f"{local:%Y-%m-%d %H:%M:%S}"
    return f"{text} {local:%Z} (UTC{_offset(local)})" if local.tzinfo else text


def _offset(local: datetime) -> str:
    sign_and_digits = f"{local:%z}"  # %:z came with Python 3.12
    return f"{sign_and_digits[:3]}:{sign_and_digits[3:5]}"


def ago(value: datetime) -> SafeString:
    """Return how long ago a moment was, and when exactly."""
    seconds = (timezone.now() - value).total_seconds()
    return _told(value, seconds, _("%(time)s ago"), "up")


def left(until: datetime) -> SafeString:
    """Return the time that is left until a moment, which a script counts down, and the moment."""
    seconds = (until - timezone.now()).total_seconds()
    return _told(until, seconds, _("%(time)s left"), "down")


def _told(value: datetime, seconds: float, words: str, way: str) -> SafeString:
    moment = exact(value)
    return format_html(
        '<time class="lockout-span" datetime="{}" title="{}" dir="auto" data-seconds="{}"'
        ' data-way="{}" data-words="{}" data-forms="{}"><span>{}</span>'
        '<span class="lockout-said">, <bdi dir="ltr">{}</bdi></span></time>',
        value.isoformat(),
        set_apart(moment),
        max(0, int(seconds)),
        way,
        words % {"time": "@"},
        "|".join(_blank(form) for _least, form in _FORMS),
        words % {"time": length(seconds)},
        moment,
    )


def _blank(form: Any) -> str:
    """Return the words of a form, with marks that the script fills in."""
    return str(form % {"days": "#d", "hours": "#h", "minutes": "#m", "seconds": "#s"})
