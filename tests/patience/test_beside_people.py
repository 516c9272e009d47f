"""Attacks on a company while its people log in: one incident each, and of their tries alone."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ..incidents import traces
from ..incidents.crowds import PASSWORD, Site
from ..incidents.judging import judge
from ..incidents.player import Player, incidents
from ..incidents.traces import HOUR
from .test_truth import ATTACKS

pytestmark = pytest.mark.django_db

Play = Callable[..., Player]

#: Those that are worth the time: the slow ones, which people's tries are most like.
BESIDE_PEOPLE = [
    "brute force, a guess in twenty minutes",
    "spraying, a name in ten minutes",
    "spraying that gets in",
    "stuffing, a pair in five minutes",
    "distributed, a guess in five minutes",
    "keeping ten people out",
]
if os.environ.get("LONG"):
    BESIDE_PEOPLE += [
        "brute force, a guess a second",
        "brute force that gets in",
        "stuffing from forty addresses",
        "a dictionary, a word a minute",
        "two kinds by one hand",
        "a pause of two hours",
    ]


@pytest.mark.parametrize("label", BESIDE_PEOPLE)
def test_an_attack_on_a_company_becomes_one_incident_beside_its_people(
    label: str, company: Site, play: Play
) -> None:
    attack = ATTACKS[label](company)
    # Nobody who is attacked comes: his tries would be in the same locks.
    beside = traces.passers_by(
        company.names[200:700], PASSWORD, min(attack.tries[-1].at, 2 * HOUR), 2000 / 86_400
    )
    judge(attack, play(attack, beside))
    assert len(incidents()) == 1
