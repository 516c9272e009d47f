"""The one place where text from strangers is made fit to store, to log and to compare."""

from __future__ import annotations

import unicodedata
from string import ascii_lowercase, ascii_uppercase

#: Stands for every character that no database can store or no reader should meet.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def cleaned(value: object, max_length: int) -> str:
    """Return `value` as one line of at most `max_length` printable characters.

    NUL, lone surrogates, newlines, controls, and the invisible characters that reorder or hide
    text on a screen (Trojan Source, CVE-2021-42574) become U+FFFD: what was typed is still seen to
    have been odd, and nothing is stored that a database refuses or a log line would break at.
    """
    text = str(value)[:max_length]
    if text.isascii() and text.isprintable():
        return text
    return "".join(REPLACEMENT if is_unprintable(char) else char for char in text)


def encodable(value: str) -> str:
    """Return `value` without lone surrogates, which no database and no hasher can encode."""
    if value.isascii():
        return value
    return "".join(REPLACEMENT if "\ud800" <= char <= "\udfff" else char for char in value)


def storable(value: str) -> str:
    """Return `value` as any database can be asked for it: without lone surrogates and NUL."""
    return encodable(value).replace("\0", REPLACEMENT)


def ascii_lower(value: str) -> str:
    """Return `value` with the letters of ASCII in lower case, and no others.

    All databases that know letter case agree on these. Of others, two accounts may have names that
    ``casefold`` takes for one, ``strauß`` and ``strauss``: neither may have what is the other's.
    """
    return value.translate(_LOWER)


def is_unprintable(char: str) -> bool:
    """Tell whether `char` can't be seen (category C) or breaks a line.

    The joiners that Persian names and emoji are written with are left alone.
    """
    if char in "\u200c\u200d":
        return False
    return unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"
