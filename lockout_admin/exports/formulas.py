"""Cells that a spreadsheet would run as a formula, made harmless in a way that can be undone.

OWASP ("CSV Injection") and ASVS 5.0, 1.2.10: a cell that begins with one of ``= + - @``, TAB, CR,
LF or NUL gets a single quote in front. Three things are added to that rule. A cell that begins with
blanks gets one too, for programs that trim. A cell that begins with a quote gets another, so that
``restored`` always finds what was typed. And the same is done behind ``;``, ``,``, ``|`` and ``:``
inside a cell, with blanks and double quotes in between or not: where a spreadsheet expects another
separator than the file has (``;`` in most of Europe), a cell of its own begins there.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SEPARATORS: Final = ";,|:\t\r\n"
#: With the full-width forms, which East Asian spreadsheets treat alike.
_TRIGGERS: Final = "'=+-@\uff1d\uff0b\uff0d\uff20"
_BLANKS: Final = (
    "".join(map(chr, range(33)))
    + "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff\u200b\u200c\u200d\u2060"
) + "".join(map(chr, range(0x2000, 0x200B)))

#: Where a quote goes, in a syntax that Python and PostgreSQL share (but for NUL, which it has not).
STARTS: Final = (
    f"^(?=[{re.escape(_TRIGGERS)}{re.escape(_BLANKS)}])"
    f'|(?<=[{re.escape(_SEPARATORS)}])(?=[{re.escape(_BLANKS)}"]*[{re.escape(_TRIGGERS)}])'
)
_STARTS = re.compile(STARTS)
_QUOTES = re.compile(f"(?:^|(?<=[{re.escape(_SEPARATORS)}]))'")


def escaped(text: str | None) -> str | None:
    """Return `text` as a spreadsheet shows it and does not run it."""
    return text if text is None or text.isalnum() else _escaped(text)


def restored(cell: str) -> str:
    """Return the text that was `escaped`."""
    return _QUOTES.sub("", cell)


@lru_cache(maxsize=4096)
def _escaped(text: str) -> str:
    # User agents and paths are few and come again and again.
    return _STARTS.sub("'", text)
