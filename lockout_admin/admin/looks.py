"""What the first pages show of the overview, as far as whoever looks may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ..evidence import health, leads
from ..evidence.overview import CAP, Overview, open_incidents
from ..incidents import turns
from ..models import Incident
from . import times
from .incidentsight import Sees, leave_out_the_untold

_PERMISSIONS = ("lockout_admin.view_accountlock", "lockout_admin.view_failedlogin")


@dataclass(frozen=True, slots=True)
class Line:
    """One incident in a line."""

    title: str
    url: str
    since: Any
    is_over: bool
    names: int
    #: 0 for those who may not know.
    entered: int

    @property
    def is_urgent(self) -> bool:
        """Whether somebody has to look now."""
        return bool(self.entered) or not self.is_over

    @classmethod
    def of(cls, site: str, incident: Incident, sees: Sees) -> Line:
        """Return the line of an incident."""
        return cls(
            title=sees.title_of(incident),
            url=leads.to_incident(site, incident.pk),
            since=times.ago(incident.started_at),
            is_over=incident.is_over,
            names=incident.names,
            entered=incident.entered if sees.logins else 0,
        )


def headline(request: HttpRequest) -> dict[str, Any]:
    """Return the incident to look at first, and how many more there are."""
    if not request.user.has_perm("lockout_admin.view_incident"):
        return {}
    turns.group_if_due(batches=1)
    found = open_incidents(100, sees_logins=Sees.of(request).logins)
    first = next(iter(_lines(request, found[:1])), None)
    alike = sum(one.is_over == found[0].is_over for one in found)
    return {"may_see": True, "first": first, "more": alike - 1}


def overview(request: HttpRequest) -> dict[str, Any]:
    """Return the overview."""
    has_perm = request.user.has_perm
    site = _site(request)
    context = {
        "overview": None,
        "cap": CAP,
        "sees_policy": has_perm("lockout_admin.view_accountlock"),
        "sees_rules": False,
        "sees_incidents": has_perm("lockout_admin.view_incident"),
        "urls": {
            "policy": leads.to_policy(site),
            "locks": leads.to_page(site, "activelock_changelist"),
            "rules": leads.to_page(site, "networkrule_changelist", action="block", state="open"),
            "incidents": leads.to_page(site, "incident_changelist"),
        },
    }
    # One by one: a user model needs no more than has_perm() for the admin.
    if not all(map(has_perm, _PERMISSIONS)):
        return context
    sees_rules = has_perm("lockout_admin.view_networkrule")
    found = Overview.now(
        sees_logins=has_perm("lockout_admin.view_successfullogin"), sees_rules=sees_rules
    )
    return context | {
        "overview": found,
        "sees_rules": sees_rules,
        "health": health.findings(),
        "incidents": _lines(request, found.incidents),
        "names": [(one, leads.to_name(site, one.label)) for one in found.under_fire],
        "sources": [(one, leads.to_network(site, one.label)) for one in found.sources],
    }


def _lines(request: HttpRequest, incidents: list[Incident]) -> list[Line]:
    sees = Sees.of(request)
    leave_out_the_untold(incidents, sees)
    return [Line.of(_site(request), one, sees) for one in incidents]


def _site(request: HttpRequest) -> str:
    match = request.resolver_match
    return str(getattr(request, "current_app", "") or (match.namespace if match else "admin"))
