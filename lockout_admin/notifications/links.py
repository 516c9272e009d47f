"""The link and the code of a message: signed, for a quarter of an hour, for one use.

Both stand for the row of the message. It is bound to the account as it was: its key, its name, its
address and its password. The link is void once one of them is another.

Each mail has a second link, for a month: it opens nothing, and has another mail sent. Only whoever
reads the owner's mails has it, so that no stranger uses up what is counted for it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core import signing
from django.db.models import F, QuerySet
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from ..conf import conf
from ..identity.subject import account_of
from ..models import Outbox
from . import holders, notifiers

#: Seconds.
LASTS: Final = 15 * 60
#: Of a mail that nobody waits for, and that a mere quarter of an hour would waste.
ENTERED_LASTS: Final = 3 * 24 * 60 * 60
#: Codes that may be tried on one message.
MOST_TRIES: Final = 5
#: Likewise, of the link that has another mail sent.
FRESH_LASTS: Final = 30 * 24 * 60 * 60
_LINK: Final = "lockout_admin.link"
_ASKED: Final = "lockout_admin.asked"
_FRESH: Final = "lockout_admin.fresh"
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
    return _absolute(path_to("link", signing.dumps(row.nonce, salt=_LINK)))


def fresh_address_of(user: Any) -> str:
    """Return the address, likewise, of the page that has another mail sent to an account."""
    return _absolute(fresh_path_of(user))


def fresh_path_of(user: Any) -> str:
    """Return its path."""
    content = [account_of(user), _states_of(user)[0]]
    return path_to("fresh", signing.dumps(content, salt=_FRESH))


def _absolute(path: str) -> str:
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


def bound_of(user: Any, row: Outbox) -> str:
    """Return a digest of an account as it is: another password makes it another.

    Not for who is told that somebody was in: whoever was may have changed the password.
    """
    password = "" if row.kind == Outbox.Kind.ENTERED else user.password
    parts = (account_of(user), str(row.subject), holders.address_of(user), password)
    return salted_hmac(_BOUND, "\0".join(parts), algorithm="sha256").hexdigest()


def _states_of(user: Any) -> list[str]:
    """Return digests of an account as it is, by each secret of the site: a month is long."""
    text = "\0".join((account_of(user), holders.address_of(user), user.password))
    return [
        salted_hmac(_FRESH, text, secret=secret, algorithm="sha256").hexdigest()[:32]
        for secret in conf.secrets
    ]


def asked_cookie(nonce: str) -> str:
    """Return what the browser keeps that asked."""
    return signing.dumps(nonce, salt=_ASKED)


def made_up() -> str:
    """Return the nonce of no message: for whoever is not sent one and must not see that."""
    return secrets.token_urlsafe(32)


# -- Opening ------------------------------------------------------------------------------------


def opened(token: str) -> Opening | None:
    """Return what a link opens; ``None``: forged, used, too old, or the account has changed."""
    nonce = _signed(token, _LINK, ENTERED_LASTS)
    return _opening(nonce) if nonce else None


def whose(token: str) -> Any:
    """Return the account for which a mail had a link to another; ``None``: it has changed."""
    content = _loaded(token, _FRESH, FRESH_LASTS)
    if not isinstance(content, list):
        return None
    account, state = content
    user = holders.of_account(account)
    return user if user is not None and state in _states_of(user) else None


def path_after(token: str) -> str:
    """Return where to ask for another mail after a link that is over.

    Whoever has it reads the owner's mails, while the account is as it was.
    """
    nonce = _signed(token, _LINK, FRESH_LASTS)
    row = _rows(nonce).first() if nonce else None
    user = _owner_of(row) if row else None
    return ask_path() if user is None else fresh_path_of(user)


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
    row = _rows(nonce).filter(used_at=None).first()
    user = _owner_of(row) if row and _is_in_time(row) else None
    return Opening(row, user) if row and user is not None else None


def _is_in_time(row: Outbox) -> bool:
    lasts = ENTERED_LASTS if row.kind == Outbox.Kind.ENTERED else LASTS
    return row.sent_at is not None and row.sent_at > timezone.now() - timedelta(seconds=lasts)


def _rows(nonce: str) -> QuerySet[Outbox]:
    return Outbox.objects.filter(nonce=nonce, state__in=_OUT).exclude(bound="")


def _owner_of(row: Outbox) -> Any:
    """Return whose a message is; ``None``: the account is another by now."""
    user = holders.of_account(row.account)
    is_as_it_was = user is not None and constant_time_compare(bound_of(user, row), row.bound)
    return user if is_as_it_was else None


def _signed(token: str, salt: str, seconds: int) -> str:
    nonce = _loaded(token, salt, seconds)
    return nonce if isinstance(nonce, str) else ""


def _loaded(token: str, salt: str, seconds: int) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=seconds)
    except (signing.BadSignature, ValueError):
        return None
