"""Incidents of a site of a benchmark, and how far its records have been read for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import models

from lockout_admin.incidents.remedies import MOST_BLOCKED
from lockout_admin.models import (
    FailedLogin,
    Incident,
    IncidentCursor,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    RefusedTries,
    SuccessfulLogin,
)
from lockout_admin.models.incidents import MOST_PARTS

from .cast import ADDRESSES, NAMES
from .writing import Writer

WHO: Final = f"JOIN bench_who who ON who.n = 2 + s.i % {NAMES}"
PLACE: Final = f"JOIN bench_place place ON place.n = 2 + s.i % {ADDRESSES}"
_READ: Final[dict[str, Any]] = {
    "failure": FailedLogin,
    "success": SuccessfulLogin,
    "refusal": RefusedTries,
}


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are of each kind."""

    failures: int
    successes: int
    locks: int
    incidents: int
    users: int
    #: One of so many rows is of the loud name, one of the loud network.
    loud: int = 10


class Happenings(Writer):
    """Fills what is found in records."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size

    @property
    def biggest(self) -> int:
        """How many names, and how many networks, the biggest incident has."""
        return min(MOST_PARTS, self.size.failures // 10)

    def incidents(self) -> None:
        """Write incidents; the newest is as big as they get."""
        count = self.size.incidents
        kinds = [kind.value for kind in Incident.Kind]
        cases = " ".join(f"WHEN {number} THEN '{kind}'" for number, kind in enumerate(kinds))
        self.insert(
            Incident,
            count,
            f"{WHO} {PLACE}",
            id="s.i",
            kind=f"CASE s.i % {len(kinds)} {cases} END",
            about="CASE WHEN s.i % 6 IN (1, 2) THEN place.cidr ELSE who.username END",
            state="CASE WHEN s.i % 3 = 0 THEN 'open' ELSE 'closed' END",
            started_at=self.moment(f"{self.age(count)} + 7200"),
            last_seen_at=self.spread(count),
            found_at=self.spread(count),
            over_at=f"CASE WHEN s.i > {count} - 5 THEN NULL ELSE {self.spread(count)} END",
            names="20",
            networks="20",
            evaluated="200",
            entered="CASE WHEN s.i % 10 = 0 THEN 1 ELSE 0 END",
        )
        # The newest is as big as incidents get, and the second has more than are blocked at once.
        most = self.biggest
        head = most + MOST_BLOCKED
        parts = 20 * (count - 1) + head
        part = f"(s.i - {head} - 1) {self.dialect.divided} 20"
        number = (
            f"CASE WHEN s.i <= {most} THEN {count} WHEN s.i <= {head} THEN 2 ELSE 1 + {part} END"
        )
        refused = "CASE WHEN s.i = 1 THEN 100000 ELSE s.i % 7 END"
        many = {"incident_id": number, "evaluated": "s.i % 100", "refused": refused}
        self.insert(
            IncidentName,
            parts,
            f"JOIN bench_who who ON who.n = CASE WHEN s.i = 1 THEN 0 ELSE 2 + s.i % {NAMES} END",
            subject="who.subject",
            username="who.username",
            exists="who.n % 2 = 0",
            entered_at=f"CASE WHEN s.i % 200 = 0 THEN {self.moment('60')} END",
            first_seen_at=self.moment("s.i"),
            account=f"CASE WHEN s.i % 200 = 0 THEN {self.dialect.text('1 + who.n')} ELSE '' END",
            **many,
        )
        self.insert(
            IncidentNetwork,
            parts,
            PLACE,
            network="place.cidr",
            number="place.network",
            **many,
        )
        events = {"incident_id": number, "when": self.moment("s.i % 7200"), "what": "'grew'"}
        self.insert(IncidentEvent, parts, **events)
        last = {
            name: model._default_manager.aggregate(last=models.Max("pk"))["last"] or 0
            for name, model in _READ.items()
        }
        IncidentCursor.objects.create(
            pk=1, **last, crowd_failure=last["failure"], crowd_refusal=last["refusal"]
        )
