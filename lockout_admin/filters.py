"""One FilterSet a kind of record: the console, the export and the commands select the same rows.

A filter that is not valid selects nothing; django-filter on its own would leave it out, and so
select more than was asked for.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar

import django_filters
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from . import patterns
from .accounts import has_account
from .bounds import PRESETS, REACH, FailureForm, LockForm, RecordForm
from .client import GATEWAY_MAX_LENGTH, USER_AGENT_MAX_LENGTH
from .identity import USERNAME_MAX_LENGTH, Subject
from .inputs import ChoiceInFilter, MomentFilter, NetworksFilter, TechnicalInput
from .lookups import StartsWith
from .models import AccountLock, FailedLogin, UserAgent
from .patterns import Finding
from .querysets import UserAgentManager

_MATCHES = [("exact", _("is, in any spelling")), ("prefix", _("begins with")), ("contains", _("contains"))]
_STATES = [("open", _("locked now")), ("expired", _("ended by time")), ("released", _("unlocked"))]
_ANY = pgettext_lazy("no filter", "Any")
#: A username that was masked when it was stored holds the start of its subject.
_MASKED = re.compile("\N{LEFT-POINTING ANGLE BRACKET}([0-9a-f]{12})\N{RIGHT-POINTING ANGLE BRACKET}")
_QUOTED = re.compile('"(.+)"', re.DOTALL)
#: Up to this many user agents are named to the database one by one, so that it sees how rare they are.
_NAMED_AGENTS = 500


def of_name(rows: Any, username: str) -> Any:
    """Return the rows of a username in all its spellings, or of one that was masked when it was stored."""
    if masked := _MASKED.fullmatch(username):
        return rows.filter(subject__gte=masked[1], subject__lt=f"{masked[1]}g")
    return rows.filter(subject=Subject.of(username).key)


class RecordFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Whom a record is about, and when it was made."""

    #: The field of the time, and the preset that holds when no time is given.
    moment: ClassVar[str]
    default_time: ClassVar[str]

    username = django_filters.CharFilter(label=_("Username"), method="by_username", max_length=USERNAME_MAX_LENGTH)
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
    before = MomentFilter(label=_("To"), method="until")

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any = None, prefix: Any = None) -> None:
        super().__init__(self._with_time(data), queryset, request=request, prefix=prefix)

    @classmethod
    def _with_time(cls, data: Any) -> Any:
        data = dict(data or {}) if not hasattr(data, "getlist") else data.copy()
        given = data.getlist("time") if hasattr(data, "getlist") else [data.get("time")]
        if data.get("after") or data.get("before"):
            # A range that was typed goes before a preset, which a form sends in any case.
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
        return super().filter_queryset(queryset.filter(**{f"{self.moment}__gte": start}) if start else queryset)

    def by_username(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by the username, as ``match`` says; an exact one is found in all its spellings."""
        match self.form.cleaned_data["match"]:
            case "prefix":
                return queryset.filter(StartsWith(F("username"), value))
            case "contains":
                return queryset.filter(username__icontains=value)
        return of_name(queryset, value)

    def pinned(self) -> Any:
        """Return the parameters with the moment where the time range starts: that of a preset moves on."""
        data = self.data.copy()
        if self.is_valid() and self.form.start:
            data["time"], data["after"] = "all", self.form.start.isoformat()
        return data

    def until(self, queryset: Any, name: str, value: datetime) -> Any:
        """Filter by the end of the time range."""
        return queryset.filter(**{f"{self.moment}__lt": value})

    def with_others(self, queryset: Any, name: str, value: Any) -> Any:
        """Leave the rows alone: another filter reads this one."""
        return queryset


class FailureFilter(RecordFilter):
    """The filters of failed logins."""

    moment = "timestamp"
    default_time = "24h"

    net = NetworksFilter(
        label=_("Address or network"),
        max_length=2000,
        help_text=_("Several too: 203.0.113.0/24, 2001:db8::/32"),
        widget=TechnicalInput,
    )
    agent = django_filters.CharFilter(
        label=_("User agent contains"),
        method="by_agent",
        max_length=USER_AGENT_MAX_LENGTH + 2,
        help_text=_("In quotation marks: is exactly this"),
        widget=TechnicalInput,
    )
    gateway = django_filters.CharFilter(
        label=_("Gateway contains"),
        lookup_expr="icontains",
        max_length=GATEWAY_MAX_LENGTH,
        widget=TechnicalInput,
    )
    account = django_filters.ChoiceFilter(
        label=_("Account"),
        method="by_account",
        choices=[("yes", _("exists")), ("no", _("no account of this spelling"))],
        empty_label=_ANY,
    )
    outcome = ChoiceInFilter(label=_("Outcome"), choices=FailedLogin.Outcome.choices, empty_label=_ANY, help_text="")
    pattern = django_filters.ChoiceFilter(
        label=_("Pattern"), method="with_others", choices=patterns.CHOICES, empty_label=_ANY
    )

    class Meta:
        model = FailedLogin
        form = FailureForm
        fields = (
            *("username", "match", "net", "pattern", "outcome", "account", "agent", "gateway"),
            *("time", "after", "before"),
        )

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the rows that every filter selects, and of these the ones that make the pattern."""
        rows = super().filter_queryset(queryset)
        pattern = self.form.cleaned_data["pattern"]
        if not pattern:
            return rows
        self.findings: list[Finding] = patterns.find(pattern, rows)
        return patterns.select(pattern, rows, self.findings)

    def by_agent(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by the text of the user agent, or by all of it."""
        if exact := _QUOTED.fullmatch(value):
            return queryset.filter(user_agent=UserAgentManager.key_of(exact[1]))
        keys = UserAgent.objects.filter(text__icontains=value).values_list("pk", flat=True)
        named = list(keys[: _NAMED_AGENTS + 1])
        return queryset.filter(user_agent__in=named if len(named) <= _NAMED_AGENTS else keys)

    def by_account(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by whether there is such an account."""
        return queryset.filter(has_account() if value == "yes" else ~has_account())


class ActiveLockFilter(RecordFilter):
    """The filters of open locks."""

    moment = "started_at"
    default_time = "all"

    reason = ChoiceInFilter(label=_("Reason"), choices=AccountLock.Reason.choices, empty_label=_ANY, help_text="")
    by = django_filters.CharFilter(label=_("Locked or unlocked by"), method="by_staff", max_length=USERNAME_MAX_LENGTH)

    class Meta:
        model = AccountLock
        form = RecordForm
        fields: tuple[str, ...] = ("username", "match", "reason", "by", "time", "after", "before")

    def by_staff(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by who locked or unlocked."""
        return queryset.filter(Q(locked_by__iexact=value) | Q(ended_by__iexact=value))


class LockFilter(ActiveLockFilter):
    """The filters of all locks that were."""

    default_time = "30d"

    state = ChoiceInFilter(label=_("State"), choices=_STATES, method="by_state", empty_label=_ANY, help_text="")

    class Meta(ActiveLockFilter.Meta):
        form = LockForm
        fields = ("username", "match", "state", "reason", "by", "time", "after", "before")

    def by_state(self, queryset: Any, name: str, value: list[str]) -> Any:
        """Filter by whether and how a lock ended."""
        now = timezone.now()
        states = {
            "open": Q(ended_at=None, until__gt=now),
            "expired": Q(ended_at=None, until__lte=now),
            "released": Q(ended_at__isnull=False),
        }
        chosen = Q(pk__in=[])
        for state in value:
            chosen |= states.get(state, Q(pk__in=[]))
        return queryset.filter(chosen)
