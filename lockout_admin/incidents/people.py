"""People beside an attack: those who share its network, and owners who come from elsewhere.

What an attack's lock refuses of theirs is not the attack's. They are told by their user agents: it
is one that people come in with, and not the attack's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Count

from ..models import SuccessfulLogin
from .tries import Homes, Try, chunks

Place = tuple[int | None, int | None]

#: How long people are remembered where they came in.
WEEK: Final = timedelta(days=7)
#: From so many accounts on, a network is shared.
SHARED: Final = 3
#: Nobody mistypes so often before it is right.
TOO_MANY: Final = 10
#: People who are counted at a network; more are as many.
_MOST: Final = 5_000
#: Logins that are looked at for each of those who have to be found.
_LOGINS_EACH: Final = 20
#: Tries of each who comes in.
TRIES_EACH: Final = 3
#: An agent that so many have come in with is no attacker's own.
_OWN: Final = 3
#: So many logins of a week tell what people have.
_KNOWN: Final = 100
#: New places that an owner tries to come in from within a few minutes, and in a day.
_PLACES: Final = 2
_PLACES_OF_A_DAY: Final = 5
_MINUTES: Final = timedelta(minutes=5)


def of_network(number: int, since: datetime, end: datetime) -> Counter[int | None]:
    """Return how many accounts came in from a network, by user agent."""
    return Counter(agent for _subject, agent in _here(number, since, end))


def _here(number: int, since: datetime, end: datetime) -> set[tuple[int, int | None]]:
    rows = came_in(since, end).filter(network=number)
    return set(rows.order_by("-timestamp").values_list("subject", "user_agent")[:_MOST])


def some_of_network(number: int, since: datetime, end: datetime, enough: int) -> int:
    """Return how many accounts came in from a network; more than `enough` may be as many.

    Of the newest logins: a network of thousands is not read for a handful.
    """
    rows = came_in(since, end).filter(network=number).order_by("-timestamp")
    return len(set(rows.values_list("subject", flat=True)[: _LOGINS_EACH * enough]))


def without_neighbours(found: Sequence[Try], own: int | None, end: datetime) -> list[Try]:
    """Return tries without those of people who share their networks.

    `own`: the user agent of the attack; ``None``: it has many, and nobody can be told from it.
    """
    others: dict[Place, list[Try]] = defaultdict(list)
    for one in found:
        if own is not None and one.agent != own:
            others[one.network, one.agent].append(one)
    if not others:
        return list(found)
    people = _at_places(others, end)
    honest = {place for place, group in others.items() if _are_no_more(group, people.get(place, 0))}
    return [one for one in found if (one.network, one.agent) not in honest]


def without_owners(found: Iterable[Try], homes: Homes, most: int = _PLACES) -> list[Try]:
    """Return tries on names without those of their owners, who come from a new place.

    Where a user agent of theirs comes from more new places than `most`, it is the attack's as well.
    """
    found = list(found)
    places: dict[tuple[int, int | None], set[int | None]] = defaultdict(set)
    times: Counter[Place] = Counter()
    for one in found:
        places[one.subject, one.agent].add(one.network)
        times[one.subject, one.network] += one.times
    return [
        one
        for one in found
        if not homes.has_come_with(one)
        or len(places[one.subject, one.agent]) > most
        or times[one.subject, one.network] >= TOO_MANY
    ]


def without_owners_of_a_day(found: Iterable[Try], homes: Homes, end: datetime) -> set[Try]:
    """Return the tries of a day likewise: those of its last minutes, and all of it."""
    found = list(found)
    lately = without_owners((one for one in found if one.when > end - _MINUTES), homes)
    return {*lately, *without_owners(found, homes, _PLACES_OF_A_DAY)}


def tried_by_a_guest(
    found: Iterable[Try], number: int, agent: int | None, before: datetime
) -> list[Try]:
    """Return the tries with a user agent that nobody had come in with: whoever lives there.

    `agent`: that of an attack; ``None``: it has many.
    """
    if agent is None or of_network(number, before - WEEK, before)[agent]:
        return []
    return [one for one in found if one.agent == agent]


def who_came_in(found: Iterable[Try], now: datetime) -> set[int]:
    """Return the names that came in after a try with its user agent, wherever: it was their owner.

    Telephones have a new network at each try.
    """
    first: dict[tuple[int, int | None], datetime] = {}
    for one in found:
        pair = one.subject, one.agent
        first[pair] = min(one.when, first.get(pair, one.when))
    names: set[int] = set()
    since = min(first.values(), default=now)
    for chunk in chunks({subject for subject, _agent in first}):
        rows = came_in(since, now).filter(subject__in=chunk)
        for subject, agent, when in rows.values_list("subject", "user_agent", "timestamp"):
            if (subject, agent) in first and when > first[subject, agent]:
                names.add(subject)
    return names


def is_rare(agent: int | None, since: datetime, until: datetime, names: int) -> bool:
    """Tell whether nobody to speak of comes in with a user agent, but who may have guessed right.

    `names`: on how many it was tried. Of a hundred leaked passwords one or two are right.
    """
    if agent is None:
        return False
    rows = SuccessfulLogin.objects.fresh().filter(user_agent=agent)
    rows = rows.filter(timestamp__lte=until, timestamp__gt=since - WEEK)
    most = _OWN + names // 20
    return len(rows.values_list("pk")[: most + 1]) <= most


def _is_a_tool(agent: int | None, since: datetime, until: datetime, names: int) -> bool:
    """Tell whether people have other user agents, at a site that knows them."""
    if not is_rare(agent, since, until, names):
        return False
    others = came_in(since - WEEK, until).exclude(user_agent=agent)
    return len(others.values_list("pk")[:_KNOWN]) >= _KNOWN


class More(NamedTuple):
    """Names, and tries, that are more than the people of a place explain."""

    names: int
    tries: int


def unexplained(
    found: Iterable[Try],
    number: int,
    homes: Homes,
    since: datetime,
    everybody: Mapping[int | None, int],
) -> More:
    """Return what fails at a network beyond what its people explain, in a span of time.

    Names of people who have come in elsewhere: by those who came in from here as newcomers too. An
    office has few; a conference, or a provider's gateway, has nobody else. Other names: by all who
    came in. Whom a lock of the network refuses can't come in, whatever he types: of those whose
    passwords were never compared there may be as many as `everybody` within a week.

    `everybody`: accounts that came in from there within a week, by user agent.
    """
    here = _here(number, since, homes.end)
    newcomers = _newcomers(here, number, since, homes.end)
    parts: list[More] = []
    for agent, group in by_agent(found).items():
        people = sum(one == agent for _subject, one in here)
        if people and _is_a_tool(agent, since, homes.end, len(group)):
            # Who came in with it has guessed right: that speaks for nobody.
            parts.append(_beyond(group, 0))
            continue
        known = [one for one in group if one.subject in homes.people]
        rest = [one for one in group if one.subject not in homes.people]
        compared = {one.subject for one in rest if not one.is_refused}
        # Nobody speaks for two names.
        others = everybody.get(agent, 0) - min(people, len(compared))
        parts += [
            _beyond(known, newcomers[agent]),
            _beyond([one for one in rest if one.subject in compared], people),
            _beyond([one for one in rest if one.subject not in compared], others),
        ]
    return More(sum(one.names for one in parts), sum(one.tries for one in parts))


def by_agent(found: Iterable[Try]) -> dict[int | None, list[Try]]:
    """Return tries by their user agent."""
    groups: dict[int | None, list[Try]] = defaultdict(list)
    for one in found:
        groups[one.agent].append(one)
    return groups


def _beyond(group: Sequence[Try], people: int) -> More:
    names, tries = len({one.subject for one in group}), sum(one.times for one in group)
    return More(max(0, names - people), max(0, tries - TRIES_EACH * people))


def _newcomers(
    here: Iterable[tuple[int, int | None]], number: int, since: datetime, end: datetime
) -> Counter[int | None]:
    """Return how many of those who came in had not within a week before, by user agent."""
    here = list(here)
    known: set[int] = set()
    for chunk in chunks({subject for subject, _agent in here}):
        rows = came_in(end - WEEK, since).filter(network=number, subject__in=chunk)
        known.update(rows.order_by().values_list("subject", flat=True).distinct())
    return Counter(agent for subject, agent in here if subject not in known)


def _are_no_more(group: Iterable[Try], people: int) -> bool:
    """Tell whether no more fail than come in."""
    group = list(group)
    is_by_few = len({one.subject for one in group}) <= people
    return is_by_few and sum(one.times for one in group) <= TRIES_EACH * people


def _at_places(places: Iterable[Place], end: datetime) -> dict[Place, int]:
    """Return how many accounts came in within a week, by network and user agent."""
    found: dict[Place, int] = {}
    for chunk in chunks({network for network, _agent in places}):
        rows = came_in(end - WEEK, end).filter(network__in=chunk)
        counted = rows.order_by().values_list("network", "user_agent")
        for network, agent, people in counted.annotate(people=Count("subject", distinct=True)):
            found[network, agent] = people
    return found


def came_in(since: datetime, end: datetime) -> Any:
    """Return the logins of a span of time; the logouts not."""
    rows = SuccessfulLogin.objects.fresh().exclude(event=SuccessfulLogin.Event.LOGOUT)
    return rows.filter(timestamp__gt=since, timestamp__lte=end)
