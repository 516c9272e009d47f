"""One FilterSet a kind of record: the console, the export and the commands select the same rows.

A filter that is not valid selects nothing; django-filter on its own would leave it out, and so
select more than was asked for.
"""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..identity.subject import ACCOUNT_MAX_LENGTH, USERNAME_MAX_LENGTH
from ..models import AccountLock, FailedLogin, Incident, SuccessfulLogin
from ..models.accounts import of_accounts
from ..models.lookups import AmongThemStartsWith, StartsWith
from . import patterns
from .composition import of_incident
from .forms import FailureForm, LockForm, RecordForm, SuccessForm
from .inputs import ChoiceInFilter, HiddenKeyFilter, TechnicalInput
from .patterns import Finding
from .selection import RecordFilter, of_name
from .visits import VisitFilter

__all__ = [
    "ActiveLockFilter",
    "FailureFilter",
    "LockFilter",
    "RecordFilter",
    "SuccessFilter",
    "of_name",
]

_ANY = pgettext_lazy("no filter", "Any")
_YES_OR_NO = [("yes", _("Yes")), ("no", _("No"))]
#: So many failures on a name say from which addresses it is attacked.
_NEWEST_FAILURES = 1000
_SEES_FAILURES = "lockout_admin.view_failedlogin"
_SEES_INCIDENTS = "lockout_admin.view_incident"


class FailureFilter(VisitFilter):
    """The filters of failed logins."""

    account = django_filters.ChoiceFilter(
        label=_("Account"),
        method="by_account",
        choices=[("yes", _("exists")), ("no", _("no account of this spelling"))],
        empty_label=_ANY,
    )
    outcome = ChoiceInFilter(
        label=_("Outcome"), choices=FailedLogin.Outcome.choices, empty_label=_ANY, help_text=""
    )
    repeated = django_filters.ChoiceFilter(
        label=_("Repeated"),
        method="by_answer",
        choices=_YES_OR_NO,
        empty_label=_ANY,
        help_text=_("The same wrong password as before, from the same network"),
    )
    common = django_filters.ChoiceFilter(
        label=_("Common password"),
        method="by_answer",
        choices=_YES_OR_NO,
        empty_label=_ANY,
        help_text=_("The wrong password is on Django's list of common ones"),
    )
    pattern = django_filters.ChoiceFilter(
        label=_("Pattern"), method="with_others", choices=patterns.CHOICES, empty_label=_ANY
    )
    incident = HiddenKeyFilter(label=_("Incident"), method="by_incident")

    class Meta:
        model = FailedLogin
        form = FailureForm
        fields = (
            *("username", "match", "net", "pattern", "outcome", "repeated", "common", "account"),
            *("agent", "path", "time", "after", "before", "place", "incident"),
        )

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the rows that every filter selects; of these, the ones that make the pattern."""
        rows = super().filter_queryset(queryset)
        pattern = self.form.cleaned_data["pattern"]
        if not pattern:
            return rows
        self.findings: list[Finding] = patterns.find(pattern, rows)
        return patterns.select(pattern, rows, self.findings)

    def by_answer(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by a yes or a no."""
        return queryset.filter(**{name: value == "yes"})

    def by_incident(self, queryset: Any, name: str, value: int) -> Any:
        """Filter by what an incident is made of; by nothing for who may not see any."""
        may_see = self.request is None or self.request.user.has_perm(_SEES_INCIDENTS)
        incident = Incident.objects.fresh().whole(value) if may_see else None
        return queryset.none() if incident is None else of_incident(queryset, incident)

    def by_account(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by whether there is such an account."""
        has_account = of_accounts(queryset)
        return queryset.filter(has_account if value == "yes" else ~has_account)


class SuccessFilter(VisitFilter):
    """The filters of successful logins."""

    event = ChoiceInFilter(
        label=_("Event"), choices=SuccessfulLogin.Event.choices, empty_label=_ANY, help_text=""
    )
    account = django_filters.CharFilter(
        label=_("Account"),
        max_length=ACCOUNT_MAX_LENGTH,
        help_text=_("The primary key of an account, under whichever name it came in"),
        widget=TechnicalInput,
    )
    failed = django_filters.CharFilter(
        label=_("From addresses that failed on"),
        method="by_failures",
        max_length=USERNAME_MAX_LENGTH,
        help_text=_("A username: did they get in, there or elsewhere?"),
    )

    class Meta:
        model = SuccessfulLogin
        form = SuccessForm
        fields = (
            *("username", "match", "net", "failed", "event", "account"),
            *("agent", "path", "time", "after", "before", "place"),
        )

    def by_failures(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by addresses: those of the newest failures on a name, in the same time.

        Nothing for who may not see failures: letter by letter, the list would tell of them.
        """
        if self.request is not None and not self.request.user.has_perm(_SEES_FAILURES):
            return queryset.none()
        start = self.form.start
        failures = of_name(FailedLogin.objects.filter(ip_address__isnull=False), value)
        if start:
            failures = failures.filter(timestamp__gte=start)
        newest = failures.order_by("-timestamp").values_list("ip_address", flat=True)
        return queryset.filter(ip_address__in=set(newest[:_NEWEST_FAILURES]))


class ActiveLockFilter(RecordFilter):
    """The filters of open locks."""

    moment = "started_at"
    default_time = "all"
    name_field = "label"
    #: The open ones are few of all that there are, and have an index.
    begins: ClassVar[type[StartsWith]] = AmongThemStartsWith

    reason = ChoiceInFilter(
        label=_("Reason"), choices=AccountLock.Reason.choices, empty_label=_ANY, help_text=""
    )
    by = django_filters.CharFilter(
        label=_("Locked or unlocked by"),
        method="by_staff",
        max_length=USERNAME_MAX_LENGTH,
        help_text=_("The whole name"),
    )

    class Meta:
        model = AccountLock
        form = RecordForm
        fields: tuple[str, ...] = (
            *("username", "match", "reason", "by"),
            *("time", "after", "before"),
        )

    def by_staff(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by who locked or unlocked."""
        return queryset.filter(Q(locked_by=value) | Q(ended_by=value))


class LockFilter(ActiveLockFilter):
    """The filters of the lock history."""

    default_time = "30d"
    begins = StartsWith

    state = ChoiceInFilter(
        label=_("State"),
        choices=AccountLock.State.choices,
        method="by_state",
        empty_label=_ANY,
        help_text="",
    )

    class Meta(ActiveLockFilter.Meta):
        form = LockForm
        fields = ("username", "match", "state", "reason", "by", "time", "after", "before")

    def by_state(self, queryset: Any, name: str, value: list[str]) -> Any:
        """Filter by whether and how a lock ended."""
        return queryset.in_states(*filter(None, value))
