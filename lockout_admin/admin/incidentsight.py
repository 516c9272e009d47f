"""What somebody may see of incidents, and which ones a name or a network belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.http import HttpRequest

from ..evidence import leads
from ..evidence.bidi import set_apart
from ..identity.network import network_of, number_of
from ..models import Incident, IncidentName, IncidentNetwork
from ..models.fields import Network, parse_network

Kind, Verdict = Incident.Kind, Incident.Verdict
#: The URL of an incident, and its title.
Lead = tuple[str, str]
OF_NAMES: Final = (Kind.BRUTE_FORCE, Kind.DISTRIBUTED, Kind.DICTIONARY, Kind.KEEPING_OUT)
#: Of a name or a network of an incident.
NEVER_TRIED: Final = Q(evaluated=0, refused=0)
#: Incidents that the page of a name or a network leads to.
_LED_TO: Final = 5
#: The numbers of IPv4, see `number_of`.
_OF_IPV4: Final = (number_of("0.0.0.0"), number_of("255.255.255.255"))  # noqa: S104


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

    @property
    def verdicts(self) -> list[tuple[str, Any]]:
        """What they may say that it was."""
        untold = {Verdict.NONE} if self.logins else {Verdict.NONE, Verdict.PEOPLE}
        return [one for one in Verdict.choices if one[0] not in untold]

    def title_of(self, incident: Incident) -> str:
        """Return its title, without a name that is not for everybody."""
        if incident.title:
            return incident.title
        about = incident.about if self.names or is_of_network(incident) else ""
        return f"{Kind(incident.kind).label} {set_apart(about)}".strip()


def leave_out_the_untold(incidents: Iterable[Incident], sees: Sees) -> None:
    """Take out of rows that are shown what only who sees logins may know.

    Who is there only because somebody came in is not counted, see `NEVER_TRIED`. What was closed
    because people came in is open.
    """
    found = [one for one in incidents if one.entered or one.verdict == Verdict.PEOPLE]
    if sees.logins or not found:
        return
    for one in found:
        if one.verdict == Verdict.PEOPLE:
            one.state, one.verdict = Incident.State.OPEN, Verdict.NONE
    by_key = {one.pk: one for one in found}
    names = IncidentName.objects.filter(NEVER_TRIED, incident__in=by_key).order_by()
    counts = {"count": Count("pk"), "existing": Count("pk", filter=Q(exists=True))}
    for pk, count, existing in names.values_list("incident").annotate(**counts):
        by_key[pk].names -= count
        by_key[pk].names_existing -= existing
    sources = IncidentNetwork.objects.filter(NEVER_TRIED, incident__in=by_key).order_by()
    for pk, count in sources.values_list("incident").annotate(Count("pk")):
        by_key[pk].networks -= count


def is_of_network(incident: Incident) -> bool:
    """Tell whether what an incident is about can be no name: of a list, one may stand out."""
    if incident.kind in OF_NAMES and not _is_from_one_place(incident):
        return False
    try:
        parse_network(incident.about)
    except ValidationError:
        return False
    return True


def _is_from_one_place(incident: Incident) -> bool:
    """Tell whether it is about its only network, though few names are tried: see `Growth`."""
    if incident.networks != 1 or incident.names == 1:
        return False
    tried = IncidentName.objects.filter(incident=incident, username=incident.about)
    sources = IncidentNetwork.objects.filter(incident=incident, network=incident.about)
    return bool(sources.exists()) and not tried.exists()


# -- From a name or a network to its incidents ----------------------------------------------------


def of_name(request: HttpRequest, site: str, subjects: Iterable[int]) -> dict[str, list[Lead]]:
    """Return the incidents that a name is in, as far as who asks may see.

    "entered": those in which it was, until somebody closes them; "incidents": others that go on.
    """
    sees = Sees.of(request)
    if not (sees.names and request.user.has_perm("lockout_admin.view_incident")):
        return {}
    names = IncidentName.objects.filter(subject__in=subjects)
    if not sees.logins:
        names = names.exclude(NEVER_TRIED)
    rows = Incident.objects.fresh().unmerged().filter(pk__in=names.order_by().values("incident"))
    entered = names.filter(entered_at__isnull=False) if sees.logins else names.none()
    rows = rows.annotate(is_inside=Exists(entered.filter(incident=OuterRef("pk"))))
    unsettled = Q(is_inside=True) & ~Q(state=Incident.State.CLOSED)
    newest = rows.filter(unsettled | Q(over_at=None)).order_by("-last_seen_at", "-pk")
    found: dict[str, list[Lead]] = {"entered": [], "incidents": []}
    for row in newest[:_LED_TO]:
        is_unsettled = row.is_inside and not row.is_closed
        found["entered" if is_unsettled else "incidents"].append(_lead(row, site, sees))
    return found


def of_network(request: HttpRequest, site: str, network: Network) -> list[Lead]:
    """Return the incidents that go on and come from a network, or from one inside of it.

    However wide it is: what goes on is little, and each of it is looked up in an index of its own.
    """
    sees = Sees.of(request)
    if not request.user.has_perm("lockout_admin.view_incident"):
        return []
    parts = IncidentNetwork.objects.filter(_is_inside(network), incident=OuterRef("pk")).order_by()
    if not sees.logins:
        parts = parts.exclude(NEVER_TRIED)
    # No Exists: some databases make one join of that, and read all networks of the range for it.
    rows = Incident.objects.fresh().going_on().alias(part=Subquery(parts.values("pk")[:1]))
    newest = rows.exclude(part=None).order_by("-last_seen_at", "-pk")[:_LED_TO]
    return [_lead(row, site, sees) for row in newest]


def _is_inside(network: Network) -> Q:
    """Return what selects the networks of incidents in another, or that it is in; by an index."""
    first, last = str(network[0]), str(network[-1])
    inside = Q(number__range=[number_of(network_of(end) or end) for end in (first, last)])
    if network.version == 4:
        return inside
    # The numbers have a sign: all of IPv6 is no range of them. Those of IPv4 are in between.
    return (inside if network.prefixlen else Q()) & ~Q(number__range=_OF_IPV4)


def _lead(row: Incident, site: str, sees: Sees) -> Lead:
    return leads.to_incident(site, row.pk), f"#{row.pk} {sees.title_of(row)}"
