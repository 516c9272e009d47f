"""The link and the code of a message: signed, for a quarter of an hour, for one use.

Both stand for the row of the message. It is bound to the account as it was: its key, its name, its
address and its password. The link is void once one of them is another.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core import signing
from django.db.models import F
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from ..conf import conf
from ..identity.subject import account_of
from ..models import Outbox
from . import holders, notifiers

#: Seconds.
LASTS: Final = 15 * 60
#: Codes that may be tried on one message.
MOST_TRIES: Final = 5
_LINK: Final = "lockout_admin.link"
_ASKED: Final = "lockout_admin.asked"
_BOUND: Final = "lockout_admin.bound"
_CODE: Final = "lockout_admin.code"
#: The cookie of the browser that asked outlasts the code of a message that is late.
ASKED_LASTS: Final = 2 * 60 * 60
_OUT = (Outbox.State.SENDING, Outbox.State.SENT)


@dataclass(frozen=True, slots=True)
class Opening:
    """A message that was opened in time, and whose it is."""

    row: Outbox
    user: Any

    def spend(self) -> bool:
        """Use it up; of two who do so at once, one can."""
        unused = Outbox.objects.filter(nonce=self.row.nonce, used_at=None)
        return bool(unused.update(used_at=timezone.now()))


# -- Making -------------------------------------------------------------------------------------


def address_of(row: Outbox) -> str:
    """Return the address of the page that a message leads to; empty where the site has none.

    It begins as ``BASE_URL`` says: a stranger writes the ``Host`` header. Below which path the site
    is, only its requests and commands know, and no thread: that is in ``BASE_URL`` as well.
    """
    path = path_to("link", signing.dumps(row.nonce, salt=_LINK))
    below = path.removeprefix(get_script_prefix().rstrip("/"))
    return f"{conf.base_url.rstrip('/')}{below}" if path and conf.base_url else ""


def path_to(name: str, *args: str) -> str:
    """Return the path of one of our pages; empty where the site does not include them."""
    try:
        return reverse(f"lockout_admin:{name}", args=args)
    except NoReverseMatch:
        return ""


def ask_path() -> str:
    """Return where to ask for a mail; empty where none would be sent."""
    return path_to("ask") if notifiers.owners_are_told() else ""


def code_of(nonce: str) -> str:
    """Return the six digits of a message."""
    digest = salted_hmac(_CODE, nonce, algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8]) % 10**6:06}"


def bound_of(user: Any, subject: int) -> str:
    """Return a digest of an account as it is: another password makes it another."""
    parts = (account_of(user), str(subject), holders.address_of(user), user.password)
    return salted_hmac(_BOUND, "\0".join(parts), algorithm="sha256").hexdigest()


def asked_cookie(nonce: str) -> str:
    """Return what the browser keeps that asked."""
    return signing.dumps(nonce, salt=_ASKED)


def made_up() -> str:
    """Return the nonce of no message: for whoever is not sent one and must not see that."""
    return secrets.token_urlsafe(32)


# -- Opening ------------------------------------------------------------------------------------


def opened(token: str) -> Opening | None:
    """Return what a link opens; ``None``: forged, used, too old, or the account has changed."""
    nonce = _signed(token, _LINK, LASTS)
    return _opening(nonce) if nonce else None


def opened_by_code(cookie: str, code: str) -> Opening | None:
    """Return what a code opens, in the browser that asked; each call is one of the five tries."""
    nonce = _signed(cookie, _ASKED, ASKED_LASTS)
    if not nonce:
        return None
    left = Outbox.objects.filter(nonce=nonce, used_at=None, tries__lt=MOST_TRIES)
    tried = left.update(tries=F("tries") + 1)
    is_right = constant_time_compare(code_of(nonce), code)
    return _opening(nonce) if tried and is_right else None


def _opening(nonce: str) -> Opening | None:
    since = timezone.now() - timedelta(seconds=LASTS)
    row = (
        Outbox.objects.filter(nonce=nonce, state__in=_OUT, sent_at__gt=since, used_at=None)
        .exclude(bound="")
        .first()
    )
    user = holders.of_account(row.account) if row else None
    if row is None or user is None:
        return None
    is_as_it_was = constant_time_compare(bound_of(user, row.subject), row.bound)
    return Opening(row, user) if is_as_it_was else None


def _signed(token: str, salt: str, seconds: int) -> str:
    try:
        nonce = signing.loads(token, salt=salt, max_age=seconds)
    except (signing.BadSignature, ValueError):
        return ""
    return nonce if isinstance(nonce, str) else ""
