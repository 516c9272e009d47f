"""From a user agent to words of ours, such as "Chrome on Windows".

Whoever fails a login writes the header himself, and the text of a phishing mail fits into it: what
owners are told is picked from two short lists, and nothing is quoted.
"""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext

#: In the order in which they are looked for: most claim to be several of them.
_BROWSERS: Final = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\b(?:OPR|Opera|OPiOS)/")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|Chromium)/")),
    ("Safari", re.compile(r"\bVersion/.*\bSafari/")),
)
_SYSTEMS: Final = (
    ("iOS", re.compile(r"\b(?:iPhone|iPad|iPod)\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMac OS X\b|\bMacintosh\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
)
_JOINT: Final = "/"


def family_of(user_agent: str) -> str:
    """Return what a user agent claims to be: ``Chrome/Windows``, either part may be empty."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    return f"{browser}{_JOINT}{system}" if browser or system else ""


def words_of(family: str) -> str:
    """Return a family in words, in the active language."""
    browser, _, system = family.partition(_JOINT)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if browser or system:
        return browser or system
    return gettext("a program, or a browser that is not known")


def _first(known: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str:
    return next((name for name, pattern in known if pattern.search(text)), "")
