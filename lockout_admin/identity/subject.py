"""From the string typed as username to the subject that attempts are counted for."""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils.crypto import salted_hmac

from ..conf import conf
from .field import canonical
from .text import REPLACEMENT, ascii_lower, cleaned, encodable

#: Characters of a username that are stored. No account has a longer name (Django: 150, an e-mail
#: address: 254, RFC 5321), so all longer ones are one subject and cost no normalisation.
USERNAME_MAX_LENGTH = 255
#: Characters of the primary key of an account that are stored.
ACCOUNT_MAX_LENGTH = 255
_OVERLONG = "\N{HORIZONTAL ELLIPSIS}"

#: The bits of the digest of a spelling.
_FINE = 2**31 - 1
_OPEN = "\N{LEFT-POINTING ANGLE BRACKET}"
_CLOSE = "\N{RIGHT-POINTING ANGLE BRACKET}"
_MASKED = re.compile(f"{_OPEN}([0-9a-f]{{16}}){_CLOSE}")

#: Database collations ignore these, though they are neither marks nor controls: fillers, ornaments.
_IGNORABLE = frozenset(
    "\u00b7\u0640\u06de\u07fa\u0824\u0828\u115f\u1160\u180a\u1cd3\u1cf2\u1cf3\u3164\ufe73\uffa0"
    + REPLACEMENT
)
#: Latin letters with a stroke, a hook, a frame: LATIN SMALL LETTER O WITH STROKE.
_LATIN = re.compile(r"\bLATIN (?:[A-Z]{2,} )*([A-Z])\b")
#: Letters of the two Japanese alphabets, small ones too: HIRAGANA LETTER SMALL TU.
_KANA = re.compile(
    r"(?:HIRAGANA|KATAKANA) LETTER (?:SMALL )?([AIUEO]|[KGSZTDNHBPMR][AIUEO]|Y[AUO]|W[AIEO]|N|VU)"
)
#: Latin letters that are not named after the one they sort as.
_ALIKE = {
    "æ": "ae",
    "œ": "oe",
    "ð": "d",
    "\u1dd9": "d",
    "þ": "th",
    "ꝺ": "d",
    "ꞛ": "a",
    "ꟁ": "a",
    "ꞝ": "o",
    "ꞟ": "u",  # noqa: RUF001
}
_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an attempt is for: the cleaned username, and digests of its fold and of this spelling.

    The digests are keyed with ``SECRET_KEY``: of the fold 63 bits, of the spelling 31. While
    ``SECRET_KEY_FALLBACKS`` has older keys, the digests by these are known too: locks and counts
    outlive a rotation.
    """

    username: str
    #: By each secret of the site, the present one first: what all spellings share.
    keys: tuple[int, ...]
    #: Likewise: what this spelling shares with itself only.
    fines: tuple[int, ...]

    @classmethod
    def of(cls, username: object) -> Subject:
        """Return the subject of a username as it was typed; any object and any text will do."""
        name = canonical(username)
        return cls(
            cleaned(str(username).strip(), USERNAME_MAX_LENGTH),
            digests("lockout_admin.subject", folded(name)),
            tuple(digest & _FINE for digest in digests("lockout_admin.spelling", _exact(name))),
        )

    @property
    def key(self) -> int:
        """The digest that all spellings share."""
        return self.keys[0]

    @property
    def fine(self) -> int:
        """The digest of this one spelling."""
        return self.fines[0]

    @property
    def masked(self) -> str:
        """A name for the subject that does not give away what was typed."""
        return f"{_OPEN}{self.key:016x}{_CLOSE}"


def account_of(user: Any) -> str:
    """Return the primary key of an account as text; empty for what is no account.

    One of another model than ``AUTH_USER_MODEL`` has the label of its model before it: a customer
    and a member of staff may have the same number.
    """
    pk = getattr(user, "pk", None)
    if pk is None:
        return ""
    text = str(pk) if is_user(user) else f"{user._meta.label_lower}:{pk}"
    return cleaned(text, ACCOUNT_MAX_LENGTH)


def is_user(account: Any) -> bool:
    """Tell whether an account is one of ``AUTH_USER_MODEL``, and not of a model beside it."""
    if not isinstance(account, Model):
        return True  # what stands for a user, as the token of one does
    model = get_user_model()
    return isinstance(account, model) or issubclass(model, account.__class__)


def spellings_of(subject: Subject) -> tuple[int, ...]:
    """Return the digests that a name shares with itself in any letter case.

    Of ASCII: neither of two accounts that differ otherwise may have a device for the other.
    """
    name = ascii_lower(subject.username)
    return tuple(digest & _FINE for digest in digests("lockout_admin.any_case", name))


def digests(salt: str, text: str) -> tuple[int, ...]:
    """Return a number of 63 bits for `text` by each secret of the site, the present one first."""
    value = _value(text)
    return tuple([_digest(salt, value, secret) for secret in conf.secrets])


def digest(salt: str, text: str) -> int:
    """Return the number of 63 bits for `text` by the site's present secret."""
    return _digest(salt, _value(text), conf.secrets[0])


def key_in_mask(username: str) -> int | None:
    """Return the digest in a name that was masked; ``None`` for every other text."""
    match = _MASKED.fullmatch(username)
    return int(match[1], 16) if match else None


def _value(text: str) -> bytes:
    return f"{conf.namespace}{conf.isolation}\0{text}".encode(errors="surrogatepass")


def _digest(salt: str, value: bytes, secret: str | bytes) -> int:
    mac = _keyed(salt, secret).copy()
    mac.update(value)
    return int.from_bytes(mac.digest()[:8]) >> 1


@lru_cache(maxsize=64)
def _keyed(salt: str, secret: str | bytes) -> hmac.HMAC:
    """Return Django's HMAC for a salt; the key is derived once and not with each attempt."""
    return salted_hmac(salt, "", secret, algorithm="sha256")


def _exact(username: object) -> str:
    return encodable(str(username))


def fold_of(username: object) -> str:
    """Return what all spellings of a username have in common, those of its field included."""
    return folded(canonical(username))


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
    if text.isascii() and text.isalnum():
        return text.lower().replace("ss", "s")
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text).replace(
            "\N{COMBINING GREEK YPOGEGRAMMENI}", ""
        )
        text = unicodedata.normalize("NFKD", decomposed.casefold())
    return "".join(map(_base, text.lower())).replace("ss", "s")


@lru_cache(maxsize=4096)
def _base(char: str) -> str:
    """Return the ASCII that a character stands for, nothing for an invisible one, else itself."""
    if char.isascii():
        return char if char.isprintable() and char != " " else ""
    name, category = unicodedata.name(char, ""), unicodedata.category(char)[0]
    if category in "CZ":
        return ""
    if category == "N" and (digit := _digit(char, name)):
        return digit
    if char in _ALIKE:
        return _ALIKE[char]
    if match := _KANA.fullmatch(name):
        return unicodedata.lookup(f"HIRAGANA LETTER {match[1]}")
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
