"""The filters of network rules."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..identity.subject import USERNAME_MAX_LENGTH
from ..models import NetworkRule
from ..models.networks import REASON_MAX_LENGTH, SOURCE_MAX_LENGTH, about
from .forms import RecordForm
from .inputs import NetworksFilter, TechnicalInput
from .selection import RecordFilter

_ANY = pgettext_lazy("no filter", "Any")


class RelatedNetworksFilter(NetworksFilter):
    """Rules that hold for any of several networks: of all of it, or of a part of it."""

    def filter(self, qs: Any, value: Any) -> Any:
        """Return the rules."""
        return qs.filter(reduce(or_, map(about, value))) if value else qs


class NetworkRuleFilter(RecordFilter):
    """The filters of network rules."""

    moment = "created_at"
    default_time = "all"
    name_field = "created_by"

    username = None
    match = None
    net = RelatedNetworksFilter(
        label=_("Address or network"),
        max_length=2000,
        help_text=_("The rules that hold for all of it, or for a part of it"),
        widget=TechnicalInput,
    )
    action = django_filters.ChoiceFilter(
        label=_("Action"), choices=NetworkRule.Action.choices, empty_label=_ANY
    )
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="by_state",
        choices=[("open", _("in force")), ("ended", _("ended by time"))],
        empty_label=_ANY,
    )
    reason = django_filters.CharFilter(
        label=_("Reason contains"), lookup_expr="icontains", max_length=REASON_MAX_LENGTH
    )
    by = django_filters.CharFilter(
        label=_("Created by"), field_name="created_by", max_length=USERNAME_MAX_LENGTH
    )
    source = django_filters.CharFilter(
        label=_("List"),
        method="by_source",
        max_length=SOURCE_MAX_LENGTH,
        help_text=_("The list that brought it; a dash: none, by hand"),
        widget=TechnicalInput,
    )

    class Meta:
        model = NetworkRule
        form = RecordForm
        fields = ("net", "action", "state", "reason", "by", "source", "time", "after", "before")

    def by_state(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by whether it holds."""
        return queryset.open() if value == "open" else queryset.ended()

    def by_source(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by the list."""
        return queryset.filter(source="" if value == "-" else value)
