"""What is an attack, and what is an office on a Monday: judges a network, a name, a crowd.

A try is *strange* if its name has never come in from there. What counts are strange tries, not
repetitions: a mail client repeats what it has. Where people come in, as many names may fail as
come in, with the same user agent, before it is suspicious: typos, new names, expired passwords.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Final

from ..models import Incident
from ..models.accounts import existing
from . import people
from .people import SHARED, TOO_MANY, WEEK
from .thresholds import Thresholds
from .tries import MOST, Extent, Homes, Try, agent_of, chunks

#: Asked for tries: those that no other attack claims.
Free = Callable[[Sequence[Try]], Sequence[Try]]

Sign = Incident.Sign

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
#: So many times its usual pause is a long one, at least so long.
_PAUSES: Final = 10
_PAUSE: Final = 120.0
#: More names are a list.
_LIST: Final = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """What gave an attack away, how much of it there was, and what it was measured by."""

    sign: Incident.Sign
    counted: int
    threshold: float = 0

    @property
    def least(self) -> int:
        """The least number that reaches the threshold."""
        return ceil(self.threshold)


@dataclass(frozen=True, slots=True)
class Finding:
    """Tries that belong together, and why."""

    tries: list[Try]
    reason: Reason
    #: Whether it comes from many networks, of which each says little.
    is_crowd: bool = False

    @property
    def agent(self) -> int | None:
        """The user agent of nearly all of it."""
        return agent_of(self.tries)

    @property
    def networks(self) -> set[int]:
        """Where it comes from."""
        return {one.network for one in self.tries if one.network is not None}


def counting(found: Iterable[Try], homes: Homes) -> list[Try]:
    """Return the tries that tell an attacker something, or are meant to lock."""
    by_pair: dict[tuple[int, int | None], list[Try]] = defaultdict(list)
    for one in found:
        by_pair[one.subject, one.network].append(one)
    pairs = [pair for pair in by_pair.values() if _is_strange(pair, homes)]
    return [one for pair in pairs for one in _telling(pair, homes)]


def news(found: Sequence[Try], end: datetime) -> list[Try]:
    """Return those of new tries that may make a network, or a name, suspicious.

    What is done at home does not, nor what a machine without an account repeats, however often.
    """
    homes = Homes({one.subject for one in found}, end)
    return [
        one
        for one in found
        if (homes.is_strange(one) or homes.is_new(one))
        and not (one.repeated and one.subject not in homes.people)
    ]


def _is_strange(pair: Sequence[Try], homes: Homes) -> bool:
    """Tell whether a name is not at home there: it has never come in, or after far too many tries.

    Whoever has guessed right may go on to guess.
    """
    if homes.is_strange(pair[0]):
        return True
    fresh = sum(one.times for one in pair if not one.repeated)
    return fresh >= TOO_MANY and homes.is_new(pair[0])


def _telling(pair: Sequence[Try], homes: Homes) -> Sequence[Try]:
    repeated = sum(one.repeated for one in pair)
    fresh = [one for one in pair if not one.repeated and not one.is_refused]
    if not repeated or len(fresh) > repeated:
        return [one for one in pair if not one.repeated]
    # The same password again and again: an owner's client, or somebody who wants the lock.
    is_of_a_person = pair[0].subject in homes.people
    is_hostile = is_of_a_person and not any(homes.is_own_agent(one) for one in pair)
    return pair if is_hostile else fresh[:1]


# -- A network ------------------------------------------------------------------------------------


def of_network(
    extent: Extent, number: int, end: datetime, limits: Thresholds, free: Free
) -> Finding | None:
    """Judge a network by its last hour, then by its last day; `free`: tries of no other attack."""
    found = free(extent.newest(end - DAY, end, network=number))
    if not found:
        return None
    homes = Homes({one.subject for one in found}, end)
    strange = counting(found, homes)
    for span in (HOUR, DAY):
        recent = [one for one in strange if one.when > end - span]
        if reason := _against(recent, number, homes, span, end, limits):
            return _of_one_hand(Finding(_together(strange), reason), found, number, end)
    return None


def _of_one_hand(finding: Finding, found: Iterable[Try], number: int, end: datetime) -> Finding:
    """Return what is found without tries of people there, with those on people there."""
    agent, tries = finding.agent, finding.tries
    tries = _together({*tries, *people.tried_by_a_guest(found, number, agent, tries[0].when)})
    return replace(finding, tries=people.without_neighbours(tries, agent, end))


def _together(strange: Iterable[Try]) -> list[Try]:
    """Return the latest tries, back to a pause that is long for their pace.

    What somebody mistyped a while before an attack from his network is no part of it.
    """
    found = strange_in_order(strange)
    gaps = [(later.when - one.when).total_seconds() for one, later in pairwise(found)]
    longest = max(_PAUSE, _PAUSES * (median(gaps) if gaps else _PAUSE))
    breaks = [place for place, gap in enumerate(gaps, 1) if gap > longest]
    parts = [found[place:] for place in reversed(breaks)]
    # A part that nobody would have called an attack is none.
    return next((part for part in parts if _times(part) >= TOO_MANY), found)


def _times(found: Iterable[Try]) -> int:
    return sum(one.times for one in found)


def strange_in_order(strange: Iterable[Try]) -> list[Try]:
    """Return tries by when they came."""
    return sorted(strange, key=lambda one: (one.when, one.is_refused, one.id))


def _against(
    recent: list[Try],
    number: int,
    homes: Homes,
    span: timedelta,
    end: datetime,
    limits: Thresholds,
) -> Reason | None:
    """Say which threshold is passed within a span of time; ``None``: none."""
    times = sum(one.times for one in recent)
    if times < min(limits.tries_per_network, limits.names_per_network):
        return None
    everybody = people.of_network(number, end - WEEK, end)
    margin = limits.margin if sum(everybody.values()) >= SHARED else 0
    names, excess = people.unexplained(recent, number, homes, end - span, everybody)
    if names >= limits.names_per_network + margin:
        sign = Sign.NAMES_IN_AN_HOUR if span == HOUR else Sign.NAMES_IN_A_DAY
        return Reason(sign, names, limits.names_per_network + margin)
    if excess >= limits.tries_per_network + margin and _is_hammered(recent, limits):
        sign = Sign.TRIES_IN_AN_HOUR if span == HOUR else Sign.TRIES_IN_A_DAY
        return Reason(sign, times, limits.tries_per_network + margin)
    return None


def _is_hammered(recent: Iterable[Try], limits: Thresholds) -> bool:
    """Tell whether it is more than a typo each."""
    counts: Counter[int] = Counter()
    for one in recent:
        counts[one.subject] += one.times
    return max(counts.values()) > 3 or len(counts) >= limits.names_per_network


# -- A name ---------------------------------------------------------------------------------------


def of_name(
    extent: Extent, subject: int, end: datetime, limits: Thresholds, free: Free
) -> Finding | None:
    """Judge a name by its last day; `free`: what is of no other attack."""
    found = free(extent.newest(end - DAY, end, subject=subject))
    found = _without_lists(found, extent, end)
    if not found:
        return None
    homes = Homes({subject}, end)
    strange = strange_in_order(people.without_owners(counting(found, homes), homes))
    times = sum(one.times for one in strange)
    if times < limits.tries_per_name or len({one.network for one in strange}) < 2:
        return None
    kept = _together(strange)
    if sum(one.times for one in kept) < limits.tries_per_name:
        kept = strange
    return Finding(kept, Reason(Sign.TRIES_ON_A_NAME, times, limits.tries_per_name))


def _without_lists(found: Sequence[Try], extent: Extent, end: datetime) -> list[Try]:
    """Leave out networks that go through a list: they are not after this name.

    But where somebody has it and most of it comes from such: they may be after all of theirs.
    """
    names: dict[int, set[int]] = defaultdict(set)
    for chunk in chunks({one.network for one in found}):
        where = {"network__in": chunk, "timestamp__gt": end - DAY, "timestamp__lte": end}
        for rows in (extent.failures(**where), extent.refusals(**where)):
            pairs = rows.order_by().values_list("network", "subject").distinct()
            for network, subject in pairs[:MOST]:
                names[network].add(subject)
    kept = [one for one in found if len(names[one.network or 0]) <= _LIST]
    is_by_lists = 2 * _times(kept) <= _times(found) and exist(found)
    return list(found) if is_by_lists else kept


def exist(found: Iterable[Try]) -> set[str]:
    """Return those names of tries that an account has."""
    return existing({one.username for one in found})
