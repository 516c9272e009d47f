"""How many mails go to one mailbox, however many accounts have its address.

Whoever may register may register with somebody else's address, a hundred times. The first account
of an address has its own limits alone, so that those who came after it can't use up what its owner
is told; all the others share one count. The address is kept as a keyed digest.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, Value
from django.db.models.functions import Replace, Upper
from django.utils import timezone

from ..conf import conf
from ..identity.field import is_plain
from ..identity.subject import account_of, digests
from ..models import Outbox
from . import holders

#: Mails of one kind in a day to all accounts of a mailbox but the first.
MOST_A_DAY: Final = 6
_SALT: Final = "lockout_admin.mailbox"

#: By mailbox: the account that had the address first.
Firsts = dict[int, str]


def keys_of(user: Any) -> tuple[int, ...]:
    """Return the digests of an account's mailbox, by each secret of the site."""
    return digests(_SALT, folded(holders.address_of(user)))


def folded(address: str) -> str:
    """Return what addresses have in common that many servers put into one mailbox.

    Letter case, dots, what follows a plus, and how a domain is written that mail goes to as another
    one: full-width letters, soft hyphens (IDNA, RFC 3490).
    """
    local, _at, domain = address.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{_ascii(domain)}".replace(".", "")


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain


def is_full(row: Outbox, user: Any, states: Collection[str], firsts: Firsts) -> bool:
    """Tell whether a mailbox has had its mails of the day; never for its first account."""
    keys = keys_of(user)
    rows = Outbox.objects.filter(
        mailbox__in=keys,
        kind=row.kind,
        notifier=row.notifier,
        state__in=states,
        sent_at__gt=timezone.now() - timedelta(days=1),
    ).exclude(pk=row.pk)
    most = max(MOST_A_DAY, conf.asked_mails_per_account)
    account = account_of(user)
    if rows.count() < most or not rows.exclude(account=account).exists():
        return False
    if keys[0] not in firsts:
        firsts[keys[0]] = _first(user)
    first = firsts[keys[0]]
    return account != first and rows.exclude(account=first).count() >= most


def _first(user: Any) -> str:
    """Return the account that had the address first; one scan of the accounts."""
    mine = folded(holders.address_of(user))
    for one in _alike(user, mine):
        if folded(holders.address_of(one)) == mine and getattr(one, "is_active", True):
            return account_of(one)
    return account_of(user)


def _alike(user: Any, mine: str) -> Any:
    model: Any = get_user_model()
    field = getattr(user, "get_email_field_name", lambda: "email")()
    try:
        column = model._meta.get_field(field)
    except FieldDoesNotExist:
        return ()
    if not is_plain(column):
        return ()
    local, _at, domain = mine.upper().rpartition("@")
    users = model._base_manager.alias(
        lockout_mailbox=Replace(Upper(field), Value("."), Value("")),
    ).filter(
        Q(lockout_mailbox=f"{local}@{domain}")
        | Q(lockout_mailbox__startswith=f"{local}+", lockout_mailbox__endswith=f"@{domain}")
    )
    names = {each.name for each in model._meta.fields}
    return users.order_by("date_joined" if "date_joined" in names else "pk", "pk")
