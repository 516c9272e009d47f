"""From the string typed as username to the subject that attempts are counted for."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils.crypto import salted_hmac

from .conf import conf
from .text import REPLACEMENT, cleaned

#: Characters of a username that are stored. No account has a longer name (Django: 150, an e-mail
#: address: 254, RFC 5321), so all longer ones are one subject and cost no normalisation.
USERNAME_MAX_LENGTH = 255
_OVERLONG = "\N{HORIZONTAL ELLIPSIS}"

#: Ignored by database collations though neither marks nor controls: fillers, lengtheners, ornaments.
_IGNORABLE = frozenset(
    "\u00b7\u0640\u06de\u07fa\u0824\u0828\u115f\u1160\u180a\u1cd3\u1cf2\u1cf3\u3164\ufe73\uffa0" + REPLACEMENT
)
#: Latin letters with a stroke, a hook, a frame: LATIN SMALL LETTER O WITH STROKE, COMBINING LATIN SMALL LETTER R BELOW.
_LATIN = re.compile(r"\bLATIN (?:[A-Z]{2,} )*([A-Z])\b")
#: Latin letters that are not named after the one they sort as.
_ALIKE = {"æ": "ae", "œ": "oe", "ð": "d", "\u1dd9": "d", "þ": "th", "ꝺ": "d", "ꞛ": "a", "ꟁ": "a", "ꞝ": "o", "ꞟ": "u"}  # noqa: RUF001
_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an attempt is for: the cleaned username, and the digest that all its spellings share."""

    username: str
    key: str

    @classmethod
    def of(cls, username: object) -> Subject:
        """Return the subject of a username as it was typed; any object and any text will do."""
        namespace = f"{conf.namespace}{conf.isolation}\0{folded(_canonical(username))}"
        key = salted_hmac("lockout_admin.subject", namespace, algorithm="sha256").hexdigest()[:32]
        return cls(cleaned(str(username).strip(), USERNAME_MAX_LENGTH), key)

    @property
    def masked(self) -> str:
        """A name for the subject that does not give away what was typed."""
        return f"\N{LEFT-POINTING ANGLE BRACKET}{self.key[:12]}\N{RIGHT-POINTING ANGLE BRACKET}"


def folded(username: object) -> str:
    """Return what all spellings of a username have in common.

    A database may find one account under many spellings: to one collation or another, letter case,
    compatibility forms, accents, strokes, the digits of other scripts, doubled s, padding and
    invisible characters are all the same. Each spelling with a budget of its own is a way around
    the limit (Vault, CVE-2025-6004), so the fold is coarser than any of them. It is never used to
    look up an account.
    """
    text = str(username).strip()
    if len(text) >= USERNAME_MAX_LENGTH:
        return _OVERLONG
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text).replace("\N{COMBINING GREEK YPOGEGRAMMENI}", "")
        text = unicodedata.normalize("NFKD", decomposed.casefold())
    return "".join(map(_base, text.lower())).replace("ss", "s")


def _canonical(username: object) -> object:
    """Return the one spelling of a username that is no text: ``007``, ``+7`` and ``7`` are one number."""
    field: Any = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
    if not isinstance(field, models.CharField | models.TextField):
        with suppress(Exception):  # fields are anybody's, and so is what they raise
            return field.to_python(str(username).strip())
    return username


@lru_cache(maxsize=4096)
def _base(char: str) -> str:
    """Return the letters or digit of ASCII that a character stands for, nothing for an invisible one, else itself."""
    if char.isascii():
        return char if char.isprintable() and char != " " else ""
    name, category = unicodedata.name(char, ""), unicodedata.category(char)[0]
    if category in "CZ":
        return ""
    if category == "N" and (digit := _digit(char, name)):
        return digit
    if char in _ALIKE:
        return _ALIKE[char]
    if match := _LATIN.search(name):
        return match[1].lower()
    is_accent = category == "M" and (unicodedata.combining(char) or "VOWEL SIGN" not in name)
    return "" if is_accent or char in _IGNORABLE else char


def _digit(char: str, name: str) -> str:
    number = unicodedata.numeric(char)
    if number in range(10):
        return str(int(number))
    # TIBETAN DIGIT HALF THREE and its like sort as the digit they are named after.
    word = name.rpartition(" ")[2]
    return str(_DIGITS.index(word)) if word in _DIGITS else ""
