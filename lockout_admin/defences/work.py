"""A proof of work, as ALTCHA has it: the browser looks for a number, and nobody reads pictures.

Needs the package `altcha`. The number is found by trying one after another; each try is a key of
PBKDF2 with `ROUNDS` rounds. To make a challenge costs the site one try, to check an answer none.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

import altcha
from django.utils.crypto import salted_hmac

from ..conf import conf
from .challenge import Challenge, Solved

ALGORITHM: Final = "PBKDF2/SHA-256"
#: Rounds of one try.
ROUNDS: Final = 1000
#: For how many seconds a challenge may be answered: a person types a password meanwhile.
LASTS: Final = 600
_SALT: Final = "lockout_admin.challenge"


class ProofOfWork(Challenge):
    """Its cost to the client is `CHALLENGE_DIFFICULTY`."""

    def ask(self) -> dict[str, Any]:
        """Return a challenge, signed by the site."""
        secret = conf.secrets[0]
        made = altcha.create_challenge(
            ALGORITHM,
            ROUNDS,
            counter=secrets.randbelow(conf.challenge_difficulty),
            expires_at=int(time.time()) + LASTS,
            hmac_secret=_key(secret, "challenge"),
            hmac_key_secret=_key(secret, "answer"),
        )
        return made.to_dict()

    def solved(self, answer: str) -> Solved | None:
        """Check the signature, the time and the number."""
        for secret in conf.secrets:
            result = altcha.verify_solution(
                answer, _key(secret, "challenge"), hmac_key_secret=_key(secret, "answer")
            )
            if result.verified:
                asked = altcha.Payload.from_base64(answer).challenge.parameters
                # Hosts' clocks may differ.
                return Solved(asked.nonce, 2 * LASTS)
        return None


def _key(secret: str | bytes, purpose: str) -> bytes:
    """Return a key that nothing else is signed with; sites that share a secret have their own."""
    salt = f"{_SALT}.{purpose}"
    return salted_hmac(salt, conf.namespace, secret=secret, algorithm="sha256").digest()
