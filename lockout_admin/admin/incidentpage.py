"""What the page of an incident shows, as far as whoever looks may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst

from ..defences import sessions
from ..defences.matching import Networks
from ..engine.rules import ACCOUNT
from ..evidence import leads
from ..evidence.pictures import Picture
from ..incidents import remedies
from ..models import (
    AccountLock,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    UserAgent,
)
from ..models.fields import parse_network
from . import cells, times
from .actors import Actor
from .incidentpicture import picture_of
from .incidentsight import NEVER_TRIED, Sees, leave_out_the_untold

#: Rows of each list, lines of the time line, …
SHOWN: Final = 20
#: … and rows where all are asked for.
ALL: Final = 1_000
_SEES_LOCKS: Final = "lockout_admin.view_accountlock"
_SEES_RULES: Final = "lockout_admin.view_networkrule"
What = IncidentEvent.What
_OF_LOGINS: Final = (What.ENTERED, What.HELPED)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one incident."""

    incident: Incident
    title: str
    sees: Sees
    may: Actor
    #: Names that were entered, with the page of each, and when.
    entered: list[tuple[IncidentName, str, Any]]
    #: The subjects of those of them that are locked now, as far as that may be seen.
    locked: set[int]
    names: list[tuple[IncidentName, str]]
    #: Networks, with the page of each, and what a rule does to it as far as it may be seen.
    networks: list[tuple[IncidentNetwork, str, NetworkRule.Action | None]]
    #: How many there are beside those that are shown.
    more_names: int
    more_networks: int
    #: Whether all are asked for.
    is_all: bool
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
        is_all = "all" in request.GET
        most = ALL if is_all else SHOWN
        names = _first(IncidentName, incident, sees, most, F("entered_at").desc(nulls_last=True))
        networks = _first(IncidentNetwork, incident, sees, most, F("entered").desc())
        held = _held(networks) if request.user.has_perm(_SEES_RULES) else {}
        return cls(
            incident=incident,
            title=incident.title or capfirst(sees.title_of(incident)),
            sees=sees,
            may=may,
            entered=_entered(site, incident) if sees.logins else [],
            locked=_locked(request, incident) if sees.logins else set(),
            names=_named(site, names) if sees.names else [],
            networks=[
                (_shown(row, sees), leads.to_network(site, row.network), held.get(row.network))
                for row in networks
            ],
            more_names=max(0, incident.names - len(names)),
            more_networks=max(0, incident.networks - len(networks)),
            is_all=is_all,
            events=_events(incident, sees),
            agent=cells.agent_in_words(agent.text) if agent else "",
            picture=picture_of(incident) if sees.names else None,
            evidence=_evidence(site, incident) if sees.names else "",
            began=times.ago(incident.started_at),
            last=times.ago(incident.last_seen_at),
            others=_others(incident, sees) if may.changes and not incident.is_closed else [],
            can_end_sessions=sessions.can_end(),
            can_tell=remedies.can_tell(),
            verdict=str(incident.get_verdict_display()) if incident.verdict else "",
            verdicts=sees.verdicts,
        )


def _named(site: str, rows: list[IncidentName]) -> list[tuple[IncidentName, str]]:
    return [(row, leads.to_name(site, row.username)) for row in rows]


def _entered(site: str, incident: Incident) -> list[tuple[IncidentName, str, Any]]:
    rows = _named(site, remedies.entered(incident)[:SHOWN])
    return [(row, url, times.ago(row.entered_at)) for row, url in rows if row.entered_at]


def _locked(request: HttpRequest, incident: Incident) -> set[int]:
    if not request.user.has_perm(_SEES_LOCKS):
        return set()
    subjects = [row.subject for row in remedies.entered(incident)]
    locks = AccountLock.objects.fresh().open().filter(subject__in=subjects, scope=ACCOUNT.name)
    return set(locks.order_by().values_list("subject", flat=True))


def _first(model: Any, incident: Incident, sees: Sees, most: int, entered: Any) -> list[Any]:
    """Return the parts that a list shows: those by which somebody got in, then the busiest.

    What was never tried is there because somebody came in: not for who may not know of logins.
    """
    rows = model.objects.filter(incident=incident)
    busiest = ("-refused", "-evaluated", "pk")
    if sees.logins:
        return list(rows.order_by(entered, *busiest)[:most])
    return list(rows.exclude(NEVER_TRIED).order_by(*busiest)[:most])


def _held(rows: list[IncidentNetwork]) -> dict[str, NetworkRule.Action]:
    """Return what holds for each network by a rule for all of it, as attempts are told."""
    networks = {row.network: parse_network(row.network) for row in rows}
    known = Networks(NetworkRule.objects.fresh().holding(networks.values()))
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
        rows = rows.exclude(what__in=_OF_LOGINS).exclude(verdict=Incident.Verdict.PEOPLE)
    newest = list(rows.order_by("-when", "-pk")[: 2 * SHOWN])
    if not sees.logins:
        newest = _without_reopenings(newest)
    for row in newest:
        if not row.by and not (sees.names and sees.logins):
            # What the site wrote may name names.
            row.text = ""
    return [(times.ago(row.when), row) for row in newest]


def _without_reopenings(newest: list[IncidentEvent]) -> list[IncidentEvent]:
    """Return lines without what opened again that nobody saw closed: people had come in."""
    told: list[IncidentEvent] = []
    is_closed = False
    for row in reversed(newest):
        if row.what == What.REOPENED and not is_closed:
            continue
        is_closed = row.what == What.CLOSED or (is_closed and row.what != What.REOPENED)
        told.insert(0, row)
    return told


def _evidence(site: str, incident: Incident) -> str:
    if not incident.evaluated:
        # What is refused is no failure.
        return ""
    return leads.to_records(site, "failedlogin", incident=str(incident.pk))


def _others(incident: Incident, sees: Sees) -> list[tuple[int, str]]:
    rows = Incident.objects.fresh().open(sees_logins=sees.logins).exclude(pk=incident.pk)
    newest = rows.order_by("-last_seen_at", "-pk")[:SHOWN]
    return [(row.pk, f"#{row.pk} {sees.title_of(row)}") for row in newest]
