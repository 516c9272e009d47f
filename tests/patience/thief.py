"""Somebody with a copy of the database and of the store, and with everything but SECRET_KEY.

He has the code, the names, their addresses and a list of a million passwords, and he knows that the
wrong passwords of his victims are among them. He tries whatever is in the copy as the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Any

from django.apps import apps
from django.test import override_settings

from lockout_admin.identity.subject import Subject

from .attacks import word_list

#: From a key and a password to sixteen bits.
Mark = Callable[[str], int]


def million() -> list[str]:
    """Return a million passwords, the common ones first: each with the endings people add."""
    words = word_list()
    endings = ["", *map(str, range(60)), "!", "?", "123", "2025", "2026"]
    different = dict.fromkeys(f"{word}{end}" for end in endings for word in words)
    return list(islice(different, 1_000_000))


def dump() -> list[dict[str, Any]]:
    """Return each row of each table of the app, the store's among them."""
    models = apps.get_app_config("lockout_admin").get_models()
    return [row for model in models for row in model._default_manager.values()]


def texts(rows: Collection[dict[str, Any]]) -> list[str]:
    """Return everything in a copy that could be a key: values, and the parts of values."""
    found: dict[str, None] = {}
    for row in rows:
        for value in row.values():
            for text in _parts(value):
                found[text] = None
    return list(found)


def _parts(value: Any) -> Iterator[str]:
    text = str(value)
    yield text
    if isinstance(value, int):
        yield f"{value:x}"
    try:
        decoded = json.loads(text)
    except ValueError:
        decoded = None
    if isinstance(decoded, str):
        yield decoded
    elif isinstance(decoded, (list, dict)):
        inner = decoded.values() if isinstance(decoded, dict) else decoded
        for one in inner:
            yield str(one)
    for part in text.replace("{", ":").replace("}", ":").split(":"):
        if len(part) >= 8:
            yield part


def marks(rows: Collection[dict[str, Any]]) -> set[int]:
    """Return every sixteen bits in a copy: numbers, and what reads as four hexadecimal digits."""
    found = set()
    for text in texts(rows):
        found |= {int(one, 16) for one in text.replace("{", ":").split(":") if _is_mark(one)}
        if text.isascii() and text.isdigit() and int(text) < 1 << 16:
            found.add(int(text))
    for row in rows:
        for value in row.values():
            found |= {int(one, 16) for one in str(value).split(":") if _is_mark(one)}
    return found


def _is_mark(text: str) -> bool:
    return len(text) == 4 and all(char in "0123456789abcdef" for char in text)


def constructions(key: str) -> list[Mark]:
    """Return what somebody might think of who has not read the code, under a key."""
    secret = key.encode()

    def keyed(password: str) -> int:
        return _cut(hmac.digest(secret, password.encode(), "sha256"))

    def salted(password: str) -> int:
        return _cut(hashlib.sha256(secret + password.encode()).digest())

    def old(password: str) -> int:
        return _cut(hashlib.sha1(secret + password.encode()).digest())

    return [keyed, salted, old]


def _cut(digest: bytes) -> int:
    return int.from_bytes(digest[:2])


def share(passwords: Collection[str], mark: Mark, known: Collection[int]) -> float:
    """Return the share of passwords whose marks are in a copy."""
    return sum(mark(password) in known for password in passwords) / len(passwords)


def with_secret(secret: str) -> Any:
    """Run the product's own code under a guessed secret."""
    return override_settings(SECRET_KEY=secret or "empty", SECRET_KEY_FALLBACKS=[])


def subject_in(row: dict[str, Any]) -> Subject:
    """Return a subject as the copy of a failure has it: its digests need no secret."""
    return Subject(row["username"], (row["subject"],), (row["fine"],))
