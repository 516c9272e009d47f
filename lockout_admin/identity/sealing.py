"""Names in the addresses of pages: no log of requests tells them, and nobody can make one up.

What is typed as a username may be a password. The address holds it encrypted: the first half of a
keyed digest of the name, and the name under a stream that the digest chooses (the construction of
RFC 5297, a synthetic initialisation vector, with HMAC-SHA256). One name has one address, so that a
link can be kept; the secrets of a rotation open those that they sealed.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterator
from typing import Final

from django.utils.crypto import salted_hmac

from ..conf import conf

_DIGEST_SALT: Final = "lockout_admin.sealing.digest"
_STREAM_SALT: Final = "lockout_admin.sealing.stream"
#: Bytes of the digest that stand in front.
_FRONT: Final = 16


def sealed(text: str) -> str:
    """Return `text` as a part of an address."""
    plain, secret = text.encode(), conf.secrets[0]
    front = _digest(plain, secret)
    return urlsafe_b64encode(front + _mixed(plain, front, secret)).decode().rstrip("=")


def unsealed(part: str) -> str | None:
    """Return the text that was sealed; ``None`` for whatever else an address holds."""
    try:
        given = urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except (Error, ValueError):
        return None
    front, hidden = given[:_FRONT], given[_FRONT:]
    for secret in conf.secrets:
        plain = _mixed(hidden, front, secret)
        if hmac.compare_digest(_digest(plain, secret), front):
            return plain.decode()
    return None


def _digest(plain: bytes, secret: str | bytes) -> bytes:
    return salted_hmac(_DIGEST_SALT, plain, secret, algorithm="sha256").digest()[:_FRONT]


def _mixed(text: bytes, front: bytes, secret: str | bytes) -> bytes:
    stream = _stream(front, secret)
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))


def _stream(front: bytes, secret: str | bytes) -> Iterator[int]:
    block = 0
    while True:
        value = front + block.to_bytes(4)
        yield from salted_hmac(_STREAM_SALT, value, secret, algorithm="sha256").digest()
        block += 1
