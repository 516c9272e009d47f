"""Whether a wrong password is one that was tried before on this name from this network.

Such a repetition tells an attacker nothing, and is what an owner's mail client does all night. The
store keeps 16 bits of a keyed digest for a day: of some 65,536 passwords one looks like another,
and without SECRET_KEY none can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.views.decorators.debug import sensitive_variables

from ..identity.subject import Subject, digest
from .rules import ACCOUNT, DAY
from .store import Keys, store

_BITS = 16
_PLAIN = (str, bytes, int, float)


@sensitive_variables()
def of(subject: Subject, network: str | None, password: Any, beside: Mapping[str, Any]) -> str:
    """Return the store's key of a password on a name from a network; empty where one is unknown.

    What is sent beside the password is part of it: with another code from an app it is another
    guess. What is no text and no number can't be told from others, and is never a repetition.
    """
    if network is None or not password:
        return ""
    if not all(isinstance(one, _PLAIN) for one in beside.values()):
        return ""
    # Of this spelling: another one may be wrong for every password.
    text = f"{subject.key:x}\0{subject.fine:x}\0{network}\0{password}"
    text += "".join(f"\0{name}\0{one}" for name, one in sorted(beside.items()))
    bits = digest("lockout_admin.fingerprint", text) & ((1 << _BITS) - 1)
    return Keys(ACCOUNT.name, subject.key).tried(f"{bits:04x}")


def is_repeated(fingerprint: str) -> bool:
    """Remember a wrong password for a day; tell whether it was remembered already."""
    return bool(fingerprint) and store.add(fingerprint, 1, DAY) is False
