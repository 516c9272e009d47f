"""The filters of what staff did. Who, and to what, are served by an index at any time."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..identity.subject import USERNAME_MAX_LENGTH
from ..models import AuditEntry
from .forms import RecordForm
from .inputs import ChoiceInFilter
from .selection import RecordFilter


class AuditFilter(RecordFilter):
    """The filters of audit entries."""

    moment = "timestamp"
    default_time = "all"
    name_field = "label"

    username = None
    match = None
    by = django_filters.CharFilter(
        label=_("Who"),
        field_name="actor",
        max_length=USERNAME_MAX_LENGTH,
        help_text=_("The whole name of a member of staff"),
    )
    on = django_filters.CharFilter(
        label=_("On"),
        field_name="label",
        max_length=USERNAME_MAX_LENGTH,
        help_text=_("The whole name, or the network"),
    )
    action = ChoiceInFilter(
        label=_("What"),
        choices=AuditEntry.Action.choices,
        empty_label=pgettext_lazy("no filter", "Any"),
        help_text="",
    )

    class Meta:
        model = AuditEntry
        form = RecordForm
        fields = ("by", "on", "action", "time", "after", "before")
