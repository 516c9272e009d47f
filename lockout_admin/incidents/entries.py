"""Entered: who came in from the networks of an attack, with its guess, or after it on the name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from ..models import (
    FailedLogin,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    RefusedTries,
    SuccessfulLogin,
    TrustedDevice,
)
from . import people, tries
from .agents import is_known_by_agent
from .growing import Growth
from .members import Members
from .people import SHARED, WEEK
from .suspicion import DAY
from .tries import Homes, Login, chunks

NETWORK, GUESS, NAME, AGENT = "network", "guess", "name", "agent"
#: Came in from where the name had failed, with what it had failed with: see `returning`.
RETURNED: Final = "returned"
#: Tries on a name, after which a success from elsewhere is more than chance.
_TRIED: Final = 3
#: Tries from a network, with a user agent, that are looked at.
_LOOKED_AT: Final = 200


def mark(members: Members, logins: Iterable[Login], growth: Growth) -> None:
    """Mark the accounts that were entered by any of these logins."""
    claimed = _claimed(members, list(logins)) if members.incidents else []
    trusted_since = _trusted_since(login.device for login, _pk, _how in claimed)
    homes: dict[int, Homes] = {}
    for login, pk, how in claimed:
        incident = members.incidents[pk]
        since = trusted_since.get(login.device)
        if login.when < incident.started_at or (since is not None and since < login.when):
            continue
        if pk not in homes:
            homes[pk] = Homes({one.subject for one, *_ in claimed}, incident.started_at)
        is_entry = homes[pk].is_strange(login) or _is_of_a_guest(incident, login, how, homes[pk])
        if is_entry and (how := _how(incident, login, how)):
            enter(incident, login, how, growth)


def _is_of_a_guest(incident: Incident, login: Login, how: str, homes: Homes) -> bool:
    """Tell whether it is with the attack's user agent, which nobody had where the name lives."""
    if how != NETWORK or login.agent is None or login.agent != incident.agent:
        return False
    before = incident.started_at
    at_home = people.of_network(login.network or 0, before - WEEK, before)
    return not at_home[login.agent] and not homes.is_own_agent(login)


def _claimed(members: Members, found: Sequence[Login]) -> list[tuple[Login, int, str]]:
    """Return the logins that have something in common with an incident, that, and what."""
    places = {**_with_its_tool(members, found), **members.holders(found)}
    names = members.on_names({login.subject for login in found})
    agents = _agents(members, found)
    claimed = []
    for login in found:
        if pk := places.get((login.network, login.agent)):
            claimed.append((login, pk, NETWORK))
        elif pk := agents.get(login.agent):
            claimed.append((login, pk, AGENT))
        elif pk := names.get(login.subject):
            claimed.append((login, pk, NAME))
    return claimed


def _with_its_tool(members: Members, found: Sequence[Login]) -> dict[Any, int]:
    """Return the incidents from whose networks, and with whose user agent, logins came."""
    networks = members.networks(login.network for login in found)
    return {
        (login.network, login.agent): pk
        for login in found
        if login.agent is not None
        and (pk := networks.get(login.network or 0))
        and members.incidents[pk].agent == login.agent
    }


def _trusted_since(devices: Iterable[int | None]) -> dict[int | None, datetime]:
    """Return when devices were seen first: a login has one that it has made itself, as well."""
    found: dict[int | None, datetime] = {}
    for chunk in chunks({device for device in devices if device is not None}):
        rows = TrustedDevice.objects.fresh().filter(pk__in=chunk)
        found |= dict(rows.values_list("pk", "first_seen"))
    return found


def _agents(members: Members, found: Iterable[Login]) -> dict[int | None, int]:
    """Return the incidents that user agents of logins belong to, as nobody else has them."""
    agents = {login.agent for login in found}
    return {
        one.agent: pk
        for pk, one in members.incidents.items()
        if one.agent in agents and is_known_by_agent(one)
    }


def _how(incident: Incident, login: Login, common: str) -> str:
    """Return how a login is thought to have entered; empty: it has not."""
    if common == AGENT:
        return AGENT
    row = IncidentName.objects.filter(incident=incident, subject=login.subject).first()
    tried = row.evaluated + row.refused if row else 0
    if common == NAME:
        return NAME if tried >= _TRIED and not _others_live_there(login) else ""
    # Whose name the attack never tried has mistyped it himself.
    if tried and _has_failed_there(login):
        return RETURNED
    is_alike = incident.agent is not None and incident.agent == login.agent
    if tried or is_alike:
        return NETWORK
    source = IncidentNetwork.objects.filter(incident=incident, number=login.network).first()
    is_shared = source is not None and source.honest >= SHARED
    return "" if is_shared or _is_of_a_neighbour(incident, login) else NETWORK


def _has_failed_there(login: Login) -> bool:
    """Tell whether the name failed from the same network, with the same user agent, before."""
    where: dict[str, Any] = {
        "subject": login.subject,
        "network": login.network,
        "user_agent": login.agent,
    }
    where |= {"timestamp__gt": login.when - DAY, "timestamp__lt": login.when}
    return any(m.objects.fresh().filter(**where).exists() for m in (FailedLogin, RefusedTries))


def _is_of_a_neighbour(incident: Incident, login: Login) -> bool:
    """Tell whether people came in from there before, with a user agent that is not the attack's."""
    before = incident.started_at
    if not people.of_network(login.network or 0, before - WEEK, before)[login.agent]:
        return False
    subjects: set[int] = set()
    for model in (FailedLogin, RefusedTries):
        rows = model.objects.fresh().filter(network=login.network, timestamp__gte=before)
        rows = rows.filter(user_agent=login.agent).order_by("timestamp")
        subjects |= set(rows.values_list("subject", flat=True)[:_LOOKED_AT])
    return not IncidentName.objects.filter(incident=incident, subject__in=subjects).exists()


def _others_live_there(login: Login) -> bool:
    """Tell whether other people come in from there: an owner has gone to a café."""
    others = people.of_network(login.network or 0, login.when - WEEK, login.when)
    return sum(others.values()) > SHARED


def look_back(members: Members, incident: Incident, numbers: Iterable[int], growth: Growth) -> None:
    """Mark who was entered from networks before they were known to be of the attack."""
    rows = SuccessfulLogin.objects.fresh().filter(timestamp__gte=incident.started_at)
    for chunk in chunks(numbers):
        found = rows.filter(network__in=chunk).order_by("timestamp")
        mark(members, tries.logins(found[: tries.MOST]), growth)


def look_back_by_agent(members: Members, incident: Incident, growth: Growth) -> None:
    """Mark who was entered with the user agent of a crowd, before that was known to be one."""
    if is_known_by_agent(incident):
        rows = SuccessfulLogin.objects.fresh().filter(timestamp__gte=incident.started_at)
        found = rows.filter(user_agent=incident.agent).order_by("timestamp")
        mark(members, tries.logins(found[: tries.MOST]), growth)


def enter(incident: Incident, login: Login, how: str, growth: Growth) -> None:
    """Mark an account as entered, once."""
    row = IncidentName.objects.filter(incident=incident, subject=login.subject).first()
    if row is None:
        row = IncidentName(
            incident=incident,
            subject=login.subject,
            username=login.username,
            exists=True,
            first_seen_at=login.when,
        )
        incident.names += 1
        incident.names_existing += 1
    if row.entered_at is not None:
        return
    row.account = login.account
    row.how = how
    is_of_people = incident.verdict == Incident.Verdict.PEOPLE
    if how == RETURNED and is_of_people and row.evaluated + row.refused < people.TOO_MANY:
        row.save()
        return
    row.entered_at = login.when
    row.save()
    _came_from(incident, login, growth)
    incident.entered += 1
    growth.judge(incident)
    growth.tell(incident, IncidentEvent.What.ENTERED, login.username)


def _came_from(incident: Incident, login: Login, growth: Growth) -> None:
    if login.network is None:
        return
    sources = growth.networks_of(incident, {login.network: login.cidr}, login.when)
    if source := sources.get(login.network):
        source.entered += 1
        source.save(update_fields=["entered"])


def entered_by(growth: Growth) -> int:
    """Return how many accounts were entered in this turn."""
    return sum(told.what == IncidentEvent.What.ENTERED for told in growth.told)
