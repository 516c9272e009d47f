"""How incidents end, and what becomes of what they were made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from lockout_admin.evidence import retention
from lockout_admin.incidents import verbs
from lockout_admin.incidents.endings import silence_of
from lockout_admin.incidents.grouping import group
from lockout_admin.models import (
    Exemption,
    Incident,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    RefusedTries,
)

from .records import rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("minutes", "tries", "silence"), [(10, 100, 30), (600, 60, 40), (6000, 10, 360)]
)
def test_what_is_slow_is_over_later(minutes: int, tries: int, silence: int) -> None:
    begin = timezone.now()
    incident = Incident(
        started_at=begin, last_seen_at=begin + timedelta(minutes=minutes), evaluated=tries
    )
    assert silence_of(incident) == timedelta(minutes=silence)


def test_one_that_resumes_after_it_was_closed_is_open_again(clock: Any) -> None:
    rows(30)
    group()
    verbs.close(Incident.objects.get(), "attack", "sam")
    clock.tick(2 * 60 * 60)
    assert group().over == 1
    rows(5)
    group()
    one = Incident.objects.get()
    assert (one.state, one.is_over, one.evaluated) == ("open", False, 35)


def test_refusals_are_forgotten_after_two_days(clock: Any) -> None:
    RefusedTries.objects.create(subject=1, username="alice")
    clock.tick(3 * 24 * 60 * 60)
    RefusedTries.objects.create(subject=2, username="bob")
    group()
    assert RefusedTries.objects.get().username == "bob"


def test_old_incidents_are_pruned_and_what_they_taught_stays(clock: Any) -> None:
    rows(30)
    group()
    one = Incident.objects.get()
    verbs.close(one, "scanner", "sam")
    clock.tick(24 * 60 * 60)
    young = Incident.objects.create(
        kind="stuffing",
        started_at=timezone.now(),
        last_seen_at=timezone.now(),
        merged_into=one,
    )
    cutoff = timezone.now() - timedelta(hours=1)
    for step in retention.prune(cutoff, batch=10, dry_run=True):
        counts = step.counts
    assert counts.incidents == 1
    assert Incident.objects.count() == 2
    call_command("lockout_prune", days=1 / 24, verbosity=0)
    assert list(Incident.objects.all()) == [young]
    parts = (IncidentName, IncidentNetwork, IncidentEvent)
    assert not any(model.objects.exists() for model in parts)
    assert Exemption.objects.get().incident is None
    young.refresh_from_db()
    assert young.merged_into is None
