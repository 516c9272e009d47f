"""What is done with a password before it is verified, and nothing is kept of."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from django.views.decorators.debug import sensitive_variables

from .text import encodable

#: Of this process only: what is made with it can't be taken elsewhere.
_KEY = secrets.token_bytes(32)


@sensitive_variables()
def digest_of(password: Any) -> bytes:
    """Return what tells a password from another in this process; empty for what is none."""
    if not password or not isinstance(password, str | bytes):
        return b""
    return hashlib.blake2b(as_bytes(password), key=_KEY, digest_size=16).digest()


@sensitive_variables()
def as_bytes(password: str | bytes) -> bytes:
    """Return a password as a hasher takes it."""
    return password.encode(errors="surrogatepass") if isinstance(password, str) else password


@sensitive_variables()
def hashable(password: Any) -> Any:
    """Return a password that a hasher can take; for what is no text, one that nobody has."""
    if isinstance(password, str):
        return encodable(password)
    if password is None or isinstance(password, bytes):
        return password
    return secrets.token_urlsafe(32)
