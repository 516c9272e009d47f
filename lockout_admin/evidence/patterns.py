"""The patterns of an attack: one source and many names, one name and many sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext_lazy as _

from ..models import FailedLogin, UserAgent

#: A pattern has at least so many names, or addresses.
MINIMUM = 5
_MOST_FINDINGS = 50

CHOICES = [
    ("names", _("One address, many names")),
    ("addresses", _("One name, many addresses")),
    ("agents", _("One user agent, many names")),
]
#: Pattern -> the field it groups by, and the field it counts.
_FIELDS = {
    "names": ("ip_address", "subject"),
    "addresses": ("subject", "ip_address"),
    "agents": ("user_agent", "subject"),
}
#: The filter that selects one finding.
_FILTERS = {"names": "net", "addresses": "username", "agents": "agent"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One source or name: how often it failed, on how many names or from how many addresses."""

    key: Any
    label: str
    distinct: int
    failures: int
    #: The filter that selects it.
    parameter: str

    @property
    def value(self) -> str:
        """The value for the filter; a user agent in full, in quotation marks."""
        return f'"{self.label}"' if self.parameter == "agent" else self.label


def find(pattern: str, failures: QuerySet[FailedLogin]) -> list[Finding]:
    """Return what matches `pattern` among `failures`, the widest spread first."""
    by, many = _FIELDS[pattern]
    groups = (
        failures.exclude(**{f"{by}__isnull": True})
        .order_by()
        .values(by)
        .annotate(distinct=Count(many, distinct=True), failures=Count("pk"), name=Max("username"))
        .filter(distinct__gte=MINIMUM)
        .order_by("-distinct", by)[:_MOST_FINDINGS]
    )
    rows = [(row[by], row["name"], row["distinct"], row["failures"]) for row in groups]
    labels = _labels(pattern, [key for key, *_ in rows])
    return [
        Finding(key, labels.get(key, name), distinct, failures, _FILTERS[pattern])
        for key, name, distinct, failures in rows
    ]


def select(
    pattern: str, failures: QuerySet[FailedLogin], findings: list[Finding]
) -> QuerySet[FailedLogin]:
    """Return the failures that the findings are made of."""
    return failures.filter(**{f"{_FIELDS[pattern][0]}__in": [finding.key for finding in findings]})


def _labels(pattern: str, keys: list[Any]) -> dict[Any, str]:
    if pattern == "agents":
        return {pk: agent.text for pk, agent in UserAgent.objects.in_bulk(keys).items()}
    return {key: key for key in keys} if pattern == "names" else {}
