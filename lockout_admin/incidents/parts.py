"""The names and the networks of an incident: rows that count what was tried."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from ..models import FailedLogin, Incident, IncidentName, IncidentNetwork, RefusedTries
from .tries import Try, chunks


def rows_of(model: Any, incident: Incident, column: str, values: Iterable[Any]) -> dict[Any, Any]:
    """Return the rows that an incident has of names, or networks, by what is asked for."""
    rows: dict[Any, Any] = {}
    for chunk in chunks(values):
        found = model.objects.filter(incident=incident, **{f"{column}__in": chunk})
        rows |= {getattr(row, column): row for row in found}
    return rows


def seen(incident: Incident, column: str, values: Iterable[int], before: datetime) -> set[int]:
    """Return those of names, or networks, that were tried since an incident began, before now."""
    found: set[int] = set()
    for chunk in chunks(values):
        where = {f"{column}__in": chunk, "timestamp__lt": before}
        for model in (FailedLogin, RefusedTries):
            rows = model.objects.fresh().filter(**where, timestamp__gte=incident.started_at)
            found |= set(rows.order_by().values_list(column, flat=True).distinct())
    return found


def count(row: Any, one: Try) -> None:
    """Add a try to a name, or a network."""
    if one.is_refused:
        row.refused += one.times
    else:
        row.evaluated += one.times


def missing(incident: Incident, found: Iterable[Try]) -> list[Try]:
    """Return what an incident has not counted of tries: of each name the first ones."""
    found = sorted(found, key=lambda one: (one.subject, one.is_refused, one.when, one.id))
    names = rows_of(IncidentName, incident, "subject", {one.subject for one in found})
    lacking: list[Try] = []
    for (subject, is_refused), group in groupby(found, lambda one: (one.subject, one.is_refused)):
        of_name = list(group)
        row = names.get(subject)
        counted = (row.refused if is_refused else row.evaluated) if row else 0
        room = sum(one.times for one in of_name) - counted
        for one in of_name:
            room -= one.times
            if room < 0:
                break
            lacking.append(one)
    return lacking


def has(source: IncidentNetwork, one: Try) -> bool:
    """Tell whether a network has counted a try, as far as can be known."""
    return (source.refused if one.is_refused else source.evaluated) >= one.times


def uncount(row: Incident | IncidentName | IncidentNetwork, one: Try) -> None:
    """Take a try back."""
    if one.is_refused:
        row.refused = max(0, row.refused - one.times)
    else:
        row.evaluated = max(0, row.evaluated - 1)


def is_empty(row: IncidentName | IncidentNetwork) -> bool:
    """Tell whether nothing is left of a name, or a network."""
    is_entered = row.entered_at if isinstance(row, IncidentName) else row.entered
    return not (row.evaluated or row.refused or is_entered)


def keep(rows: Iterable[IncidentName | IncidentNetwork]) -> int:
    """Save what has lost tries; forget what has none left, and return how many these are."""
    rows = list(rows)
    empty = [row for row in rows if is_empty(row)]
    update(row for row in rows if not is_empty(row))
    for chunk in chunks(row.pk for row in empty):
        type(empty[0])._base_manager.filter(pk__in=chunk).delete()
    return len(empty)


def update(rows: Iterable[Any]) -> None:
    """Save what rows of one kind have counted."""
    rows = list(rows)
    if rows:
        type(rows[0]).objects.bulk_update(rows, ["evaluated", "refused"], batch_size=500)
