"""The demo's attacks over real HTTP: what the site finds is what the attacker's program knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from demo.ledger import KINDS
from demo.management.commands import attack
from lockout_admin.incidents.crowds import PATIENCE_SECS
from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident

from ..demo.conftest import people, site
from ..incidents.player import entered_of, incidents, names_of, networks_of

__all__ = ["people", "site"]

#: Each of ten names twenty times.
ATTEMPTS = 200

#: From then on all is judged: what fails where nobody comes in gets a little patience.
SETTLED = timedelta(seconds=PATIENCE_SECS + 10)

#: What a lock refuses is not looked at: a dictionary on a locked name is brute force.
HIDDEN = {"dictionary": ("brute-force",)}

Launch = Callable[[str], dict[str, Any]]


@pytest.fixture
def launch(live_server: LiveServer, tmp_path: Path, site: None, people: None) -> Launch:
    """Let an attack run, honest people beside it; return what its program knows."""

    def launch(kind: str) -> dict[str, Any]:
        path = tmp_path / "knows.json"
        bounds = [f"--attempts={ATTEMPTS}", "--rate=1000", "--connections=1"]
        call_command(
            attack.Command(),
            *(kind, "--url", live_server.url, *bounds, "--knows", str(path)),
            stdout=StringIO(),
        )
        knows: dict[str, Any] = json.loads(path.read_text())
        settled = datetime.fromisoformat(knows["ended"]) + SETTLED
        while not group(settled).is_caught_up:
            pass
        return knows

    return launch


@pytest.mark.parametrize("kind", KINDS)
def test_an_attack_of_the_demo_becomes_one_incident(kind: str, launch: Launch) -> None:
    knows = launch(kind)
    found = incidents()
    assert len(found) == 1, [f"{one.kind} {one.about}: {one.because}" for one in found]
    one = found[0]
    assert one.kind == knows["kind"]
    assert names_of(one) == set(knows["names"])
    assert networks_of(one) == set(knows["networks"])
    assert (one.evaluated, one.refused) == (knows["evaluated"], knows["refused"])
    assert set(entered_of(one)) == set(knows["entered"])
    ended = datetime.fromisoformat(knows["ended"])
    assert one.found_at - ended < timedelta(seconds=60)


def test_the_honest_people_beside_it_are_not_taken_for_entered(launch: Launch) -> None:
    """Four of them log in from the attacker's own address, and one mistypes before."""
    launch("spray")
    assert Incident.objects.get().entered == 0


def test_one_after_the_other_each_is_an_incident_of_its_own(launch: Launch) -> None:
    """On the same name, and on others: nobody who was let in beside them is taken for entered."""
    for kind in ("stuffing", "distributed", "dictionary", "brute", "malice"):
        known = {one.pk for one in incidents()}
        knows = launch(kind)
        (one,) = (one for one in incidents() if one.pk not in known)
        assert one.kind in (knows["kind"], *HIDDEN.get(kind, ()))
        assert names_of(one) == set(knows["names"])
        assert networks_of(one) == set(knows["networks"])
        assert (one.evaluated, one.refused) == (knows["evaluated"], knows["refused"])
        assert set(entered_of(one)) == set(knows["entered"])
    entered = {name for one in incidents() for name in entered_of(one)}
    assert entered == {"carol"}
