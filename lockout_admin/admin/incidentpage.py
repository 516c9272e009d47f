"""What the page of an incident shows, as far as whoever looks may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from ..defences import sessions
from ..defences.matching import Networks
from ..evidence import leads
from ..evidence.pictures import Picture, Row
from ..evidence.slices import count_slices
from ..incidents import remedies
from ..models import (
    FailedLogin,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    UserAgent,
)
from ..models.fields import parse_network
from ..models.networks import around
from . import cells, times
from .actors import Actor
from .incidentsight import NEVER_TRIED, OF_NAMES, Sees, is_of_network, leave_out_the_untold

#: Rows of each list, and lines of the time line.
SHOWN: Final = 20
#: Slices of the picture, and failures of each that are counted.
_SLICES: Final = 48
_CAP: Final = 2_000
#: Names or networks whose failures are drawn.
_DRAWN: Final = 200
_SEES_RULES: Final = "lockout_admin.view_networkrule"
_OF_LOGINS: Final = (IncidentEvent.What.ENTERED, IncidentEvent.What.HELPED)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one incident."""

    incident: Incident
    title: str
    sees: Sees
    may: Actor
    #: Names that were entered, with the page of each, and when.
    entered: list[tuple[IncidentName, str, Any]]
    names: list[tuple[IncidentName, str]]
    #: Networks, with the page of each, and what a rule does to it as far as it may be seen.
    networks: list[tuple[IncidentNetwork, str, NetworkRule.Action | None]]
    #: How many there are beside those that are shown.
    more_names: int
    more_networks: int
    events: list[tuple[Any, IncidentEvent]]
    agent: Any
    picture: Picture | None
    #: The failures that it is made of, in the lists.
    evidence: str
    began: Any
    last: Any
    #: Others that it may be merged with.
    others: list[tuple[int, str]]
    can_end_sessions: bool
    can_tell: bool
    #: What it was, as far as it may be told.
    verdict: str
    verdicts: list[Any]

    @classmethod
    def of(cls, request: HttpRequest, incident: Incident) -> Page:
        """Return it."""
        sees = Sees.of(request)
        leave_out_the_untold([incident], sees)
        site = str(request.resolver_match.namespace if request.resolver_match else "admin")
        may = Actor.of(request)
        agent = UserAgent.objects.filter(pk=incident.agent).first() if incident.agent else None
        names = _first(IncidentName, incident, sees, F("entered_at").desc(nulls_last=True))
        networks = _first(IncidentNetwork, incident, sees, F("entered").desc())
        held = _held(networks) if request.user.has_perm(_SEES_RULES) else {}
        return cls(
            incident=incident,
            title=sees.title_of(incident),
            sees=sees,
            may=may,
            entered=_entered(site, incident) if sees.logins else [],
            names=_named(site, names) if sees.names else [],
            networks=[
                (_shown(row, sees), leads.to_network(site, row.network), held.get(row.network))
                for row in networks
            ],
            more_names=max(0, incident.names - len(names)),
            more_networks=max(0, incident.networks - len(networks)),
            events=_events(incident, sees),
            agent=cells.agent_in_words(agent.text) if agent else "",
            picture=_picture(incident) if sees.names else None,
            evidence=_evidence(site, incident) if sees.names else "",
            began=times.ago(incident.started_at),
            last=times.ago(incident.last_seen_at),
            others=_others(incident, sees) if may.changes else [],
            can_end_sessions=sessions.can_end(),
            can_tell=remedies.can_tell(),
            verdict=sees.verdict_of(incident),
            verdicts=[one for one in Incident.Verdict.choices if one[0]],
        )


def _named(site: str, rows: list[IncidentName]) -> list[tuple[IncidentName, str]]:
    return [(row, leads.to_name(site, row.username)) for row in rows]


def _entered(site: str, incident: Incident) -> list[tuple[IncidentName, str, Any]]:
    rows = _named(site, remedies.entered(incident)[:SHOWN])
    return [(row, url, times.ago(row.entered_at)) for row, url in rows if row.entered_at]


def _busiest(rows: Any, *before: Any, most: int = SHOWN) -> list[Any]:
    """Return the parts of an incident with the most in them; it has `MOST_PARTS` at most."""
    return list(rows.order_by(*before, "-refused", "-evaluated", "pk")[:most])


def _first(model: Any, incident: Incident, sees: Sees, entered: Any) -> list[Any]:
    """Return the parts that a list shows: those by which somebody got in, then the busiest.

    What was never tried is there because somebody came in: not for who may not know of logins.
    """
    rows = model.objects.filter(incident=incident)
    return _busiest(rows, entered) if sees.logins else _busiest(rows.exclude(NEVER_TRIED))


def _held(rows: list[IncidentNetwork]) -> dict[str, NetworkRule.Action]:
    """Return what holds for each network by a rule for all of it, as attempts are told."""
    networks = {row.network: parse_network(row.network) for row in rows}
    every = {cidr for network in networks.values() for cidr in around(network)}
    rules = NetworkRule.objects.fresh().open().filter(cidr__in=every).order_by()
    known = Networks(rules.values_list("cidr", "action", "until", "source"))
    now = timezone.now().timestamp()
    found = {text: known.find(one.network_address, now) for text, one in networks.items()}
    actions = NetworkRule.Action
    return {
        text: actions.ALLOW if match.is_allowed else actions.BLOCK
        for text, match in found.items()
        if match
    }


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
        if row.verdict == Incident.Verdict.PEOPLE and not sees.logins:
            row.verdict = ""
    return [(times.ago(row.when), row) for row in newest]


def _failures_of(incident: Incident) -> tuple[Any, Any]:
    """Return failures on its busiest names, else from its busiest networks, and what these are."""
    rows = FailedLogin.objects.all()
    if incident.kind in OF_NAMES:
        tried = IncidentName.objects.filter(incident=incident)
        names = _busiest(tried, "-evaluated", most=_DRAWN)
        said = _("failures on the %(count)d names with the most")
        found = rows.filter(subject__in=[row.subject for row in names])
        return found, _drawn(said, len(names), incident.names)
    sources = IncidentNetwork.objects.filter(incident=incident)
    networks = _busiest(sources, "-evaluated", most=_DRAWN)
    said = _("failures from the %(count)d networks with the most")
    found = rows.filter(network__in=[row.number for row in networks])
    return found, _drawn(said, len(networks), incident.networks)


def _drawn(said: str, drawn: int, all_there_are: int) -> str:
    return said % {"count": drawn} if drawn < all_there_are else _("failures")


def _picture(incident: Incident) -> Picture:
    until = timezone.now() if not incident.is_over else incident.last_seen_at
    length = (until - incident.started_at) / _SLICES
    starts = [incident.started_at + length * number for number in range(_SLICES)]
    # The last slice has the last failure in it.
    ends = [*starts[1:], _end(until)]
    rows, said = _failures_of(incident)
    counts = count_slices(rows, "timestamp", list(zip(starts, ends, strict=True)), _CAP)
    return Picture.of(starts, [Row("failures", said, counts, _CAP)])


def _end(until: Any) -> Any:
    # An end is left out of its slice.
    return until + timedelta(microseconds=1)


def _evidence(site: str, incident: Incident) -> str:
    span = {
        "after": incident.started_at.isoformat(),
        "before": _end(incident.last_seen_at).isoformat(),
    }
    if incident.about:
        span["net" if is_of_network(incident) else "username"] = incident.about
    return leads.to_page(site, "failedlogin_changelist", **span)


def _others(incident: Incident, sees: Sees) -> list[tuple[int, str]]:
    rows = Incident.objects.fresh().open().exclude(pk=incident.pk)
    newest = rows.order_by("-last_seen_at", "-pk")[:SHOWN]
    return [(row.pk, f"#{row.pk} {sees.title_of(row)}") for row in newest]
