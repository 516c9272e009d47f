"""What all filters of records share: whom a record is about, and when it was made."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..identity.subject import USERNAME_MAX_LENGTH, Subject, key_in_mask
from ..models.fields import Network, parse_network
from ..models.lookups import StartsWith
from .forms import PRESETS, REACH
from .inputs import MomentFilter, without_port

_MATCHES = [
    ("exact", _("is, in any spelling")),
    ("prefix", _("begins with")),
    ("contains", _("contains")),
]


@dataclass(frozen=True, slots=True)
class Search:
    """What was typed into the search box of a list."""

    term: str
    #: The addresses that are meant; ``None``: the term is a name.
    network: Network | None

    @classmethod
    def of(cls, term: str, *, has_addresses: bool) -> Search | None:
        """Return what is searched for; ``None``: nothing. Some records have no addresses."""
        term = term.strip()
        network = None
        if has_addresses and "%" not in term:
            with suppress(ValidationError):
                network = parse_network(without_port(term))
        return cls(term, network) if term else None

    def among(self, rows: Any, filterset_class: type[RecordFilter]) -> Any:
        """Return the rows of a username, in any spelling or by its beginning, or of a network."""
        if "\0" in self.term or len(self.term) > USERNAME_MAX_LENGTH:
            return rows.none()
        if self.network is not None:
            return rows.filter(ip_address__net=self.network)
        begins = filterset_class.begins(F(filterset_class.name_field), self.term)
        return rows.filter(Q(subject__in=Subject.of(self.term).keys) | Q(begins))


def of_name(rows: Any, username: str) -> Any:
    """Return the rows of a username, in any spelling, or masked."""
    return rows.filter(subject__in=subjects_of(username))


def subjects_of(username: str) -> tuple[int, ...]:
    """Return the digests of a username: by each secret of the site, or the one in a mask."""
    masked = key_in_mask(username)
    return Subject.of(username).keys if masked is None else (masked,)


class RecordFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Whom a record is about, and when it was made."""

    #: The field of the time, and the preset that holds when no time is given.
    moment: ClassVar[str]
    default_time: ClassVar[str]
    #: The field of the name as it was typed.
    name_field: ClassVar[str]
    #: How rows are found by the beginning of a name.
    begins: ClassVar[type[StartsWith]] = StartsWith
    #: Rows of the range that are read for filters which no index serves; ``None``: all of them.
    most: int | None = None
    #: Since when these are; ``None``: all of the range was read.
    since: datetime | None = None

    username = django_filters.CharFilter(
        label=_("Username"), method="by_username", max_length=USERNAME_MAX_LENGTH
    )
    match = django_filters.ChoiceFilter(
        label=_("Username match"), method="with_others", choices=_MATCHES, empty_label=None
    )
    time = django_filters.ChoiceFilter(
        label=_("Time"),
        method="with_others",
        choices=[(name, label) for name, label, _reach in PRESETS],
        empty_label=None,
    )
    after = MomentFilter(label=_("From"), method="with_others")
    before = MomentFilter(label=_("To"), method="until", is_end=True)

    def __init__(
        self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: Any = None
    ) -> None:
        super().__init__(self._with_time(data), queryset, request=request, prefix=prefix)

    @classmethod
    def _with_time(cls, data: Any) -> Any:
        data = dict(data or {}) if not hasattr(data, "getlist") else data.copy()
        given = data.getlist("time") if hasattr(data, "getlist") else [data.get("time")]
        if data.get("after") or data.get("before"):
            # A typed range beats a preset, which the form always sends.
            if not any(given) or (len(given) == 1 and given[0] in REACH):
                data["time"] = "all"
        elif not any(given):
            data["time"] = cls.default_time
        return data

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the filters; each is one parameter."""
        return list(cls.base_filters)

    @property
    def qs(self) -> Any:
        """The selected rows; none when a filter is not valid."""
        if not hasattr(self, "_qs"):
            rows = self.queryset.all()
            self._qs = self.filter_queryset(rows) if self.is_valid() else rows.none()
        return self._qs

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the rows that every filter selects."""
        start = self.form.start
        rows = queryset.filter(**{f"{self.moment}__gte": start}) if start else queryset
        return super().filter_queryset(self._newest(rows))

    def _newest(self, rows: Any) -> Any:
        """Return as many as are read, the newest; all of them for filters that an index serves."""
        if self.most is None or not self.form.scans:
            return rows
        before = self.form.cleaned_data.get("before")
        inside = self.until(rows, "before", before) if before else rows
        newest = inside.order_by(f"-{self.moment}").values_list(self.moment, flat=True)
        last = list(newest[self.most - 1 : self.most + 1])
        if len(last) < 2:
            return rows
        self.since = last[0]
        return rows.filter(**{f"{self.moment}__gte": self.since})

    def by_username(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by the username, as ``match`` says; an exact one is found in all its spellings."""
        match self.form.cleaned_data["match"]:
            case "prefix":
                return queryset.filter(self.begins(F(self.name_field), value))
            case "contains":
                return queryset.filter(**{f"{self.name_field}__icontains": value})
        return of_name(queryset, value)

    def pinned(self) -> Any:
        """Return the parameters with a fixed start of the time range: that of a preset moves on."""
        data = self.data.copy()
        if self.is_valid() and self.form.start:
            data["time"] = "all"
            data["after"] = self.form.start.isoformat()
        return data

    def until(self, queryset: Any, name: str, value: datetime) -> Any:
        """Filter by the end of the time range."""
        return queryset.filter(**{f"{self.moment}__lt": value})

    def with_others(self, queryset: Any, name: str, value: Any) -> Any:
        """Leave the rows alone: another filter reads this one."""
        return queryset
