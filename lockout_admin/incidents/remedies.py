"""What is done about an incident: block where it came from, help whose accounts were entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.utils import timezone

from .. import lockout
from ..defences import arrivals, dangers, rulebook, sessions
from ..evidence.places import Places
from ..identity.subject import account_of
from ..models import (
    AuditEntry,
    Incident,
    IncidentCursor,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    Outbox,
    SuccessfulLogin,
)
from ..models.fields import Network, parse_network
from ..notifications import due, holders, notifiers
from .tries import chunks

Action = NetworkRule.Action

#: Networks that are blocked at once.
MOST_BLOCKED: Final = arrivals.FEW
#: Accounts that are helped at once.
MOST_HELPED: Final = 500
BLOCK_FOR: Final = timedelta(days=7)
LOCK_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which networks of an incident would be blocked, and which not, for their honest people."""

    block: list[Network]
    #: Networks, and why each is left out: how many accounts came in from there, or `Danger`.
    left_out: list[tuple[str, int | dangers.Danger]]
    #: How many are blocked by hand already.
    blocked: int
    #: Whether there are more networks than were looked at.
    is_cut: bool

    @classmethod
    def of(cls, incident: Incident, own: str | None) -> Plan:
        """Return the plan; `own` is the address of who makes it."""
        rows = IncidentNetwork.objects.using(router.db_for_write(IncidentNetwork))
        rows = rows.filter(incident=incident).order_by("number")
        every = list(rows.values_list("network", "honest"))
        blocked = _blocked_by_hand([network for network, _honest in every])
        others = [(network, honest) for network, honest in every if network not in blocked]
        left_out: list[tuple[str, int | dangers.Danger]] = [one for one in others if one[1]]
        unknown = [network for network, honest in others if not honest]
        # Whoever got in is no reason to leave out where they came from.
        guests = {one.account for one in entered(incident)} - {""}
        found: list[Network] = []
        looked = 0
        while looked < len(unknown) and len(found) < MOST_BLOCKED:
            some = [parse_network(one) for one in unknown[looked : looked + MOST_BLOCKED]]
            planned = [dangers.Planned(one, Action.BLOCK) for one in some]
            dangerous = {one.network: one for one in dangers.of(planned, own, guests)}
            found += [one for one in some if str(one) not in dangerous]
            left_out += dangerous.items()
            looked += len(some)
        is_cut = looked < len(unknown) or len(found) > MOST_BLOCKED
        return cls(found[:MOST_BLOCKED], left_out, len(blocked), is_cut)


def _blocked_by_hand(networks: Sequence[str]) -> set[str]:
    """Return which are blocked; what is so by a list is not any more, once the list drops it."""
    rules = NetworkRule.objects.fresh().open().filter(action=Action.BLOCK, source="")
    return {
        cidr
        for some in chunks(networks)
        for cidr in rules.filter(cidr__in=some).order_by().values_list("cidr", flat=True)
    }


def block(
    networks: Sequence[Network], incident: Incident, by: str, length: timedelta = BLOCK_FOR
) -> int:
    """Block networks for some time, all or none; return how many there are."""
    until = timezone.now() + length
    reason = f"incident {incident.pk}: {incident.kind}"
    with transaction.atomic(using=router.db_for_write(NetworkRule)):
        for one in networks:
            rulebook.put(one, Action.BLOCK, reason=reason, until=until, actor=by)
    return len(networks)


def entered(incident: Incident) -> list[IncidentName]:
    """Return the names whose accounts were entered, those entered last first."""
    rows = IncidentName.objects.filter(incident=incident, entered_at__isnull=False)
    return list(rows.order_by("-entered_at", "pk")[:MOST_HELPED])


def users_of(names: Sequence[IncidentName]) -> list[Any]:
    """Return the accounts that were entered, as far as they are there."""
    model: Any = get_user_model()
    keys = [_key(model, name.account) for name in names]
    return list(model._base_manager.filter(pk__in=[key for key in keys if key is not None]))


def _key(model: Any, account: str) -> Any:
    try:
        return model._meta.pk.to_python(account) if account else None
    except Exception:  # noqa: BLE001 - fields are anybody's, and so is what they raise
        return None


def names_of(incident: Incident) -> list[str]:
    """Return the names by which the accounts that were entered are locked."""
    names = entered(incident)
    own = {str(user.get_username()) for user in users_of(names)}
    return sorted({name.username for name in names} | own)


def lock(incident: Incident, by: str, reason: str) -> int:
    """Lock the accounts that were entered, by hand and for a day; return how many names."""
    names = names_of(incident)
    for one in names:
        # Who sees locks may not know who was entered: what they see does not name the incident.
        lockout.lock_account(one, int(LOCK_FOR.total_seconds()), by=by, note=reason)
        _audit(by, AuditEntry.Action.LOCK, one, f"{reason} (incident {incident.pk})")
    return len(names)


def is_left_out(user: Any, *, is_root: bool) -> bool:
    """Tell whether an account is a superuser's: those change superusers (`is_root`) alone."""
    return bool(getattr(user, "is_superuser", False)) and not is_root


def expire_passwords(incident: Incident, by: str, reason: str, *, is_root: bool) -> int:
    """Give the accounts passwords that nobody knows: their sessions end, and owners choose anew.

    Returns how many there were; see `is_left_out`.
    """
    users = [user for user in users_of(entered(incident)) if not is_left_out(user, is_root=is_root)]
    for user in users:
        # A usable one: Django sends no mail to accounts without.
        user.set_password(token_urlsafe(32))
        user.save(update_fields=["password"])
        note = f"password expired: {reason} (incident {incident.pk})"
        _audit(by, AuditEntry.Action.CHANGE, str(user.get_username()), note)
    return len(users)


def end_sessions(incident: Incident, by: str, reason: str) -> tuple[int, bool]:
    """End the sessions of the accounts that were entered; return how many, and whether all."""
    users = users_of(entered(incident))
    ended, is_all = sessions.end({account_of(user) for user in users})
    for user in users:
        note = f"sessions ended: {reason} (incident {incident.pk})"
        _audit(by, AuditEntry.Action.CHANGE, str(user.get_username()), note)
    return ended, is_all


# -- Owners ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody whose account was entered, and who is told, or why not."""

    user: Any
    #: The name by which it was entered last.
    row: IncidentName
    #: Empty: a mail can go out; else "told", "inactive" or "address".
    why_not: str


def owners(incident: Incident) -> list[Owner]:
    """Return the owners of the accounts that were entered."""
    names = entered(incident)
    told = {name.account for name in names if name.told_at}
    rows = {name.account: name for name in reversed(names)}
    found = [(user, rows[account_of(user)]) for user in users_of(names)]
    return [Owner(user, row, _why_not(user, row.account in told)) for user, row in found]


def _why_not(user: Any, is_told: bool) -> str:
    if is_told:
        return "told"
    if not getattr(user, "is_active", True):
        return "inactive"
    return "" if holders.address_of(user) else "address"


def can_tell() -> bool:
    """Tell whether the site has what tells owners."""
    return notifiers.owners_are_told(Outbox.Kind.ENTERED)


def tell_owners(incident: Incident, by: str, reason: str) -> int:
    """Have each owner told by mail, once an incident and account; return how many are."""
    count = 0
    for owner in owners(incident):
        if owner.why_not or not _claim(incident, owner.row):
            continue
        due.account_was_entered(owner.user, owner.row.entered_at, _country_of(owner.row))
        note = f"{reason} (incident {incident.pk})"
        _audit(by, AuditEntry.Action.TELL, str(owner.user.get_username()), note)
        count += 1
    return count


def _claim(incident: Incident, row: IncidentName) -> bool:
    """Mark all names of an account; of two who do so at once, one can."""
    names = IncidentName.objects.filter(incident=incident, account=row.account)
    untold = names.filter(entered_at__isnull=False, told_at=None)
    with transaction.atomic(using=router.db_for_write(IncidentName)):
        # Who merges or groups has read the names, and writes them again.
        IncidentCursor.objects.hold()
        return bool(untold.update(told_at=timezone.now()))


def _country_of(row: IncidentName) -> str:
    """Return where somebody came in from, in two letters; empty where the site can't know."""
    logins = SuccessfulLogin.objects.fresh().filter(account=row.account, timestamp=row.entered_at)
    login = logins.first()
    return Places().of(login.ip_address).country if login else ""


# -- The audit ------------------------------------------------------------------------------------


def _audit(by: str, action: str, label: str, details: str) -> None:
    AuditEntry.objects.using(router.db_for_write(AuditEntry)).create(
        actor=by, action=action, label=label[:255], details=details
    )
