"""How wide tries are spread: from many networks that nobody comes in from, a try or two each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ..models import Incident
from .people import by_agent
from .suspicion import Finding, Reason, strange_in_order
from .thresholds import Thresholds
from .tries import Try

#: A crowd comes from more networks than a person has.
_SEVERAL: Final = 5
#: Of what makes a crowd, so much is enough for one that goes on.
_SHARE_TO_GO_ON: Final = 0.25


def least_of(limits: Thresholds, going_on: Collection[int | None]) -> float:
    """Return how many tries there are at least in a crowd; `going_on`: see `of_crowd`."""
    return limits.lonely_networks * (_SHARE_TO_GO_ON if going_on else 1)


def of_crowd(
    found: Sequence[Try],
    limits: Thresholds,
    logged_in: int,
    going_on: Collection[int | None],
    people: Collection[int] = (),
) -> list[Finding]:
    """Judge tries from networks that nobody comes in from: many of them fail at once.

    `going_on`: the user agents of crowds that are known: a quarter is enough to go on.
    `people`: names that came in afterwards, which do not make it a crowd.
    """
    limit = limits.of_crowd(logged_in)
    findings = []
    rest: list[Try] = []
    for agent, group in by_agent(found).items():
        least = limit * _SHARE_TO_GO_ON if agent in going_on else limit
        if _is_wide(group, least, people):
            findings.append(_crowd(group, least, limits))
        else:
            rest += group
    if _is_wide(rest, 2 * limit, people):
        findings.append(_crowd(rest, 2 * limit, limits))
    return findings


def _crowd(found: Iterable[Try], limit: float, limits: Thresholds) -> Finding:
    found = strange_in_order(found)
    sign = Incident.Sign.CROWD_OF_A_DAY if limits.is_of_a_day else Incident.Sign.CROWD
    reason = Reason(sign, _width(found), limit)
    return Finding(found, reason, is_crowd=True)


def _is_wide(found: Iterable[Try], least: float, people: Collection[int]) -> bool:
    strangers = [one for one in found if one.subject not in people]
    return _width(strangers) >= least and _is_on_many(strangers)


def _is_on_many(found: Iterable[Try]) -> bool:
    """Tell whether it is on more than a name or two, which are judged by themselves."""
    return len({one.subject for one in found}) > 2


def _width(found: Iterable[Try]) -> int:
    """Return how many networks there are, or names, where these are more."""
    found = list(found)
    networks = len({one.network for one in found})
    return max(networks, len({one.subject for one in found})) if networks >= _SEVERAL else 0
