"""Makes incidents a part of another one: their names, networks and counts go over to it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F
from django.db.models.functions import Greatest

from ..models import Incident, IncidentName, IncidentNetwork
from . import varieties


def take_over(into: Incident, others: Sequence[Incident]) -> str:
    """Move all that others have; return which these are. For who is alone, in a transaction."""
    for other in others:
        _move(other, into)
        varieties.merge(into, other)
    into.save()
    # Not their titles: these may name names.
    return ", ".join(f"#{one.pk}" for one in others)


def _move(other: Incident, into: Incident) -> None:
    entered = _move_names(other, into)
    _move_networks(other, into)
    for count in ("evaluated", "refused", "common", "repeated"):
        setattr(into, count, getattr(into, count) + getattr(other, count))
    into.entered += other.entered - entered
    into.started_at = min(into.started_at, other.started_at)
    into.last_seen_at = max(into.last_seen_at, other.last_seen_at)
    into.over_at = None if None in (into.over_at, other.over_at) else into.over_at
    other.merged_into = into
    other.save(update_fields=["merged_into"])


def _move_names(other: Incident, into: Incident) -> int:
    """Move names; return how many were entered in both."""
    own = IncidentName.objects.filter(incident=into)
    known = {row.subject: row for row in own}
    both = 0
    for row in IncidentName.objects.filter(incident=other):
        twin = known.get(row.subject)
        if twin is None:
            into.names += 1
            into.names_existing += row.exists
            IncidentName.objects.filter(pk=row.pk).update(incident=into)
            continue
        both += bool(twin.entered_at and row.entered_at)
        if row.entered_at and not twin.entered_at:
            twin.entered_at, twin.account, twin.how = row.entered_at, row.account, row.how
        twin.told_at = twin.told_at or row.told_at
        twin.evaluated += row.evaluated
        twin.refused += row.refused
        twin.save()
    return both


def _move_networks(other: Incident, into: Incident) -> None:
    known = set(IncidentNetwork.objects.filter(incident=into).values_list("number", flat=True))
    for row in IncidentNetwork.objects.filter(incident=other):
        if row.number not in known:
            into.networks += 1
            IncidentNetwork.objects.filter(pk=row.pk).update(incident=into)
            continue
        IncidentNetwork.objects.filter(incident=into, number=row.number).update(
            evaluated=F("evaluated") + row.evaluated,
            refused=F("refused") + row.refused,
            entered=F("entered") + row.entered,
            # In both they may be the same people.
            honest=Greatest("honest", row.honest),
        )
