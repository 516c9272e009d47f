"""What an alert says: what happened, why that is told, and which page has more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..conf import conf
from ..figures import grouped
from ..models import Incident, Outbox

Kind = Outbox.Kind


@dataclass(frozen=True, slots=True)
class Wording:
    """An alert in the active language. Nothing that strangers typed is in it."""

    title: str
    reason: str
    #: What to do, in a sentence.
    remedy: str
    #: The absolute address of a page; empty where the site has no admin.
    page: str

    @classmethod
    def of(cls, row: Outbox, *, sees_names: bool = True) -> Wording | None:
        """Return what to say of a message; ``None``: what it was about is settled.

        How many of the names have accounts is for those who see names.
        """
        return _WORDINGS[Kind(row.kind)](row, sees_names)


def page_of(name: str, *args: Any, **query: Any) -> str:
    """Return the absolute address of a page of the console."""
    try:
        path = reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""
    filters = f"?{urlencode(query)}" if query else ""
    return f"{conf.base_url.rstrip('/')}{path}{filters}" if conf.base_url else ""


def incident_of(row: Outbox) -> Incident | None:
    """Return the incident that an alert is about, if somebody has to look at it still."""
    number = row.topic.split(":")[1] if row.topic.startswith("incident:") else ""
    found = Incident.objects.fresh().open().filter(pk=number) if number.isdecimal() else None
    return found.first() if found is not None else None


def _told(incident: Incident, *, sees_names: bool) -> str:
    """Return why an incident was raised, and what it is made of so far."""
    return f"{incident.because} {counted(incident, sees_names=sees_names)}".strip()


def counted(incident: Incident, *, sees_names: bool) -> str:
    """Return what an incident is made of, in a sentence."""
    parts = {
        "names": grouped(incident.names),
        "existing": grouped(incident.names_existing),
        "networks": grouped(incident.networks),
        "evaluated": grouped(incident.evaluated),
        "refused": grouped(incident.refused),
    }
    said = (
        _(
            "Names: %(names)s, of accounts: %(existing)s; networks: %(networks)s; guesses"
            " evaluated: %(evaluated)s, refused: %(refused)s."
        )
        if sees_names
        else _(
            "Names: %(names)s; networks: %(networks)s; guesses evaluated: %(evaluated)s, refused:"
            " %(refused)s."
        )
    )
    return said % parts


def _incident(row: Outbox, sees_names: bool) -> Wording | None:
    incident = incident_of(row)
    if incident is None:
        return None
    return Wording(
        _("An attack on logins, %(kind)s so far") % {"kind": incident.get_kind_display()},
        _told(incident, sees_names=sees_names),
        _("Look at the incident, and say there what it is."),
        page_of("lockout_admin_incident_change", incident.pk),
    )


def _entry(row: Outbox, sees_names: bool) -> Wording | None:
    incident = incident_of(row)
    if incident is None:
        return None
    title = ngettext(
        "%(count)s account was entered in an attack",
        "%(count)s accounts were entered in an attack",
        incident.entered,
    )
    return Wording(
        title % {"count": grouped(incident.entered)},
        f"{incident.get_kind_display()}. {_told(incident, sees_names=sees_names)}",
        _("End their sessions, have their passwords changed, and tell their owners."),
        page_of("lockout_admin_incident_change", incident.pk),
    )


def _staff(row: Outbox, _sees_names: bool) -> Wording:
    reason = _(
        "The account “%(name)s” of a member of staff takes no password from strangers:"
        " %(count)s wrong ones were entered."
    )
    return Wording(
        _("An account of staff is locked"),
        reason % {"name": row.username, "count": grouped(row.failures)},
        _("Ask its owner whether it was them. If not, look from where it came."),
        page_of("lockout_admin_accountlock_changelist", username=row.username, time="7d"),
    )


def _degraded(row: Outbox, _sees_names: bool) -> Wording:
    reason = _("The cache “%(name)s” does not answer: %(why)s. The database has taken over.")
    return Wording(
        _("A cache of the login protection is down"),
        reason % {"name": row.username, "why": row.reason},
        _("All limits hold. Logins cost more of the database until the cache is back."),
        page_of("app_list", "lockout_admin"),
    )


def _well(row: Outbox, _sees_names: bool) -> Wording:
    return Wording(
        _("The cache of the login protection is back"),
        _("The cache “%(name)s” answers again.") % {"name": row.username},
        _("There is nothing to do."),
        page_of("app_list", "lockout_admin"),
    )


_WORDINGS: Final[dict[Kind, Callable[[Outbox, bool], Wording | None]]] = {
    Kind.INCIDENT: _incident,
    Kind.ENTRY: _entry,
    Kind.STAFF: _staff,
    Kind.DEGRADED: _degraded,
    Kind.WELL: _well,
}
