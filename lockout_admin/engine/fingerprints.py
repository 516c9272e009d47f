"""Whether a wrong password is one that was tried before on this name from this network.

Such a repetition tells an attacker nothing, and is what an owner's mail client does all night. The
store keeps 16 bits of a keyed digest for a day: of some 65,536 passwords one looks like another,
and without SECRET_KEY none can be told apart.

Each spelling of a name has a set of them for each network, and for each trusted device. Whoever
may fail without a limit somewhere, as an account's own owner may, else filled the set of somebody
else's name, until each fresh guess there passed for a repetition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.views.decorators.debug import sensitive_variables

from ..identity.subject import Subject, digest
from .rules import ACCOUNT, DAY
from .store import Keys, store

if TYPE_CHECKING:
    from .attempt import Attempt

_BITS = 16
_PLAIN = (str, bytes, int, float)


@sensitive_variables()
def of(subject: Subject, network: str | None, password: Any, beside: Mapping[str, Any]) -> str:
    """Return what is kept of a password on a name from a network; empty where one is unknown.

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
    return f"{bits:04x}"


@sensitive_variables()
def guess_of(password: Any) -> int:
    """Return a keyed digest that a password has on every name; 0 for what is no text.

    It is for the memory of the process: what leaves it is cut, see `incidents.guesses`.
    """
    is_text = isinstance(password, str) and bool(password)
    return digest("lockout_admin.guess", password) if is_text else 0


def is_repeated(attempt: Attempt) -> bool:
    """Remember a wrong password for a day; tell whether it was remembered already."""
    if not attempt.fingerprint:
        return False
    subject = attempt.subject
    place = f"{subject.fine:x}\0{attempt.network}\0{attempt.device}"
    kept = f"{digest('lockout_admin.tried', place):x}:{attempt.fingerprint}"
    return store.add(Keys(ACCOUNT.name, subject.key).tried(kept), 1, DAY) is False
