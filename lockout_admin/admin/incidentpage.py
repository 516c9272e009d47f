"""What the page of an incident shows, as far as whoever looks may see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from ..defences import sessions
from ..evidence import leads
from ..evidence.bidi import set_apart
from ..evidence.pictures import Picture, Row
from ..evidence.slices import count_slices
from ..incidents import remedies
from ..models import (
    FailedLogin,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    UserAgent,
)
from ..models.fields import parse_network
from . import times
from .actors import Actor

#: Rows of each list, and lines of the time line.
SHOWN: Final = 20
#: Networks or names by which failures are drawn, slices, and failures of each that are counted.
_DRAWN: Final = 20
_SLICES: Final = 48
_CAP: Final = 2_000
Kind = Incident.Kind
_OF_NAMES: Final = (Kind.BRUTE_FORCE, Kind.DISTRIBUTED, Kind.DICTIONARY, Kind.KEEPING_OUT)
#: Of a name or a network of an incident.
NEVER_TRIED: Final = Q(evaluated=0, refused=0)
_OF_LOGINS: Final = (IncidentEvent.What.ENTERED, IncidentEvent.What.HELPED)


@dataclass(frozen=True, slots=True)
class Sees:
    """What of an incident somebody may see beside that it is there."""

    #: Which names were tried, and which of them exist.
    names: bool
    #: Whether somebody got in, and into which accounts.
    logins: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Sees:
        """Return it."""
        has_perm = request.user.has_perm
        return cls(
            has_perm("lockout_admin.view_failedlogin"),
            has_perm("lockout_admin.view_successfullogin"),
        )

    def title_of(self, incident: Incident) -> str:
        """Return its title, without a name that is not for everybody."""
        if incident.title:
            return incident.title
        about = incident.about if self.names or _is_of_network(incident) else ""
        return f"{Kind(incident.kind).label} {set_apart(about)}".strip()


def leave_out_the_untold(incidents: Iterable[Incident], sees: Sees) -> None:
    """Take out of the numbers who is there only because somebody came in; see `NEVER_TRIED`."""
    found = [one for one in incidents if one.entered or one.verdict == Incident.Verdict.PEOPLE]
    if sees.logins or not found:
        return
    by_key = {one.pk: one for one in found}
    names = IncidentName.objects.filter(NEVER_TRIED, incident__in=by_key).order_by()
    counts = {"count": Count("pk"), "existing": Count("pk", filter=Q(exists=True))}
    for pk, count, existing in names.values_list("incident").annotate(**counts):
        by_key[pk].names -= count
        by_key[pk].names_existing -= existing
    sources = IncidentNetwork.objects.filter(NEVER_TRIED, incident__in=by_key).order_by()
    for pk, count in sources.values_list("incident").annotate(Count("pk")):
        by_key[pk].networks -= count


def _is_of_network(incident: Incident) -> bool:
    """Tell whether what an incident is about can be no name: of a list, one may stand out."""
    if incident.kind in _OF_NAMES:
        return False
    try:
        parse_network(incident.about)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one incident."""

    incident: Incident
    title: str
    sees: Sees
    may: Actor
    #: Names that were entered, with the page of each.
    entered: list[tuple[IncidentName, str]]
    names: list[tuple[IncidentName, str]]
    networks: list[tuple[IncidentNetwork, str]]
    events: list[tuple[Any, IncidentEvent]]
    agent: str
    picture: Picture | None
    #: The failures that it is made of, in the lists.
    evidence: str
    began: Any
    last: Any
    #: Others that it may be merged with.
    others: list[tuple[int, str]]
    can_end_sessions: bool
    can_tell: bool
    verdicts: list[Any]

    @classmethod
    def of(cls, request: HttpRequest, incident: Incident) -> Page:
        """Return it."""
        sees = Sees.of(request)
        leave_out_the_untold([incident], sees)
        site = str(request.resolver_match.namespace if request.resolver_match else "admin")
        may = Actor.of(request)
        agent = UserAgent.objects.filter(pk=incident.agent).first() if incident.agent else None
        return cls(
            incident=incident,
            title=sees.title_of(incident),
            sees=sees,
            may=may,
            entered=_named(site, remedies.entered(incident)[:SHOWN]) if sees.logins else [],
            names=_named(site, _busiest(IncidentName, incident, sees)) if sees.names else [],
            networks=[
                (_shown(row, sees), leads.to_network(site, row.network))
                for row in _busiest(IncidentNetwork, incident, sees)
            ],
            events=_events(incident, sees),
            agent=agent.text if agent else "",
            picture=_picture(incident) if sees.names else None,
            evidence=_evidence(site, incident) if sees.names else "",
            began=times.ago(incident.started_at),
            last=times.ago(incident.last_seen_at),
            others=_others(incident, sees) if may.changes else [],
            can_end_sessions=sessions.can_end(),
            can_tell=remedies.can_tell(),
            verdicts=[one for one in Incident.Verdict.choices if one[0]],
        )


def _named(site: str, rows: list[IncidentName]) -> list[tuple[IncidentName, str]]:
    return [(row, leads.to_name(site, row.username)) for row in rows]


def _busiest(model: Any, incident: Incident, sees: Sees | None = None) -> list[Any]:
    """Return the rows of an incident with the most in them; it has `MOST_PARTS` at most.

    What was never tried is there because somebody came in: not for who may not know of logins.
    """
    rows = model.objects.filter(incident=incident)
    if sees and not sees.logins:
        rows = rows.exclude(NEVER_TRIED)
    return list(rows.order_by("-refused", "-evaluated", "pk")[:SHOWN])


def _shown(row: IncidentNetwork, sees: Sees) -> IncidentNetwork:
    if not sees.logins:
        row.entered = row.honest = 0
    return row


def _events(incident: Incident, sees: Sees) -> list[tuple[Any, IncidentEvent]]:
    rows = IncidentEvent.objects.filter(incident=incident)
    if not sees.logins:
        rows = rows.exclude(what__in=_OF_LOGINS)
    newest = list(rows.order_by("-when", "-pk")[: 2 * SHOWN])
    for row in newest:
        if not row.by and not (sees.names and sees.logins):
            # What the site wrote may name names.
            row.text = ""
    return [(times.ago(row.when), row) for row in newest]


def _failures_of(incident: Incident) -> Any:
    """Return failures of an incident: on its busiest names, else from its busiest networks."""
    rows = FailedLogin.objects.all()
    if incident.kind in _OF_NAMES:
        keys = [row.subject for row in _busiest(IncidentName, incident)[:_DRAWN]]
        return rows.filter(subject__in=keys)
    keys = [row.number for row in _busiest(IncidentNetwork, incident)[:_DRAWN]]
    return rows.filter(network__in=keys)


def _picture(incident: Incident) -> Picture:
    until = timezone.now() if not incident.is_over else incident.last_seen_at
    length = (until - incident.started_at) / _SLICES
    starts = [incident.started_at + length * number for number in range(_SLICES)]
    # The last slice has the last failure in it.
    ends = [*starts[1:], _end(until)]
    counts = count_slices(
        _failures_of(incident), "timestamp", list(zip(starts, ends, strict=True)), _CAP
    )
    return Picture.of(starts, [Row("failures", _("failures"), counts)])


def _end(until: Any) -> Any:
    # An end is left out of its slice.
    return until + timedelta(microseconds=1)


def _evidence(site: str, incident: Incident) -> str:
    span = {
        "after": incident.started_at.isoformat(),
        "before": _end(incident.last_seen_at).isoformat(),
    }
    if incident.about:
        span["net" if _is_of_network(incident) else "username"] = incident.about
    return leads.to_page(site, "failedlogin_changelist", **span)


def _others(incident: Incident, sees: Sees) -> list[tuple[int, str]]:
    rows = Incident.objects.fresh().open().exclude(pk=incident.pk)
    newest = rows.order_by("-last_seen_at", "-pk")[:SHOWN]
    return [(row.pk, f"#{row.pk} {sees.title_of(row)}") for row in newest]
