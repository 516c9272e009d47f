"""Text of one direction on a page of the other: no address is shown turned around."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi

#: A moment to the second.
SECONDS: Final = "%Y-%m-%d %H:%M:%S"
_JOINT = SafeString(":<wbr>")
#: An address or a network inside a sentence, whose full stop is not part of it.
_ADDRESS = r"[0-9a-f]+[.:][0-9a-f.:]*[0-9a-f:](?:/[0-9]+)?"
_CLOCK = r"[0-9]{2}(?::[0-9]{2})+(?:\.[0-9]+)?(?:[+-][0-9:]+)?"
_MOMENT = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[ T\u00a0]{_CLOCK})?"
_TECHNICAL = re.compile(rf"(?<![\w.:])(?:{_MOMENT}|{_ADDRESS})", re.IGNORECASE)


def isolated(text: str) -> SafeString:
    """Return what a stranger or a colleague typed, so that its direction is its own."""
    return format_html("<bdi>{}</bdi>", text)


def technical(text: str) -> SafeString:
    """Return an address, a path, a user agent: from left to right, with breaks at its joints."""
    return format_html(
        '<bdi dir="ltr">{}</bdi>',
        format_html_join(_JOINT, "{}", ((part,) for part in text.split(":"))),
    )


def set_apart(text: str) -> str:
    """Return a name or an address so that its direction is its own, where no markup can be."""
    return f"\u2068{text}\u2069" if text and get_language_bidi() else text


def clock(moment: datetime, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a moment as the reader's clock has it, in one piece in a sentence of any language."""
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    text = f"{local:{form}}"
    return set_apart(text.replace(" ", "\u00a0")) if get_language_bidi() else text


def with_addresses(sentence: str) -> SafeString:
    """Return a sentence whose addresses and moments are written from left to right."""
    return SafeString(_TECHNICAL.sub(r'<bdi dir="ltr">\g<0></bdi>', conditional_escape(sentence)))
