"""The filters of what came in with a request: from where, with what."""

from __future__ import annotations

import re
from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _

from ..identity.client import PATH_MAX_LENGTH, USER_AGENT_MAX_LENGTH
from ..models import UserAgent
from ..models.querysets import UserAgentManager
from .inputs import NetworksFilter, TechnicalInput
from .places import Places
from .selection import RecordFilter

_QUOTED = re.compile('"(.+)"', re.DOTALL)
#: Up to so many user agents the database gets as a list, and so sees how rare they are.
_NAMED_AGENTS = 500
#: So many addresses are looked up for a place.
_MOST_PLACED = 10_000
_TOO_MANY = _("There are too many addresses in this time. Choose a shorter one.")
_NO_PLACES = _("The site has no file that says where networks are: see GEO_DATABASES.")


class VisitFilter(RecordFilter):
    """The filters of what came in with a request."""

    moment = "timestamp"
    default_time = "24h"
    name_field = "username"

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
    path = django_filters.CharFilter(
        label=_("Path contains"),
        lookup_expr="icontains",
        max_length=PATH_MAX_LENGTH,
        widget=TechnicalInput,
    )

    place = django_filters.CharFilter(
        label=_("Country or network owner"),
        method="by_place",
        max_length=80,
        help_text=_("DE, AS64500, or a part of the owner's name"),
    )

    def get_form_class(self) -> Any:
        """Return the form; without the site's files of networks nobody is asked for a place."""
        form: Any = super().get_form_class()
        if not (self.data.get("place") or Places()):
            del form.base_fields["place"]
        return form

    def filter_queryset(self, queryset: Any) -> Any:
        """Return the rows that every filter selects; say why a place selects none."""
        self._unplaced: Any = None
        rows = super().filter_queryset(queryset)
        if self._unplaced:
            self.form.add_error("place", self._unplaced)
        return rows

    def by_place(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by where the addresses are; by none of them where there are too many to look up.

        Selecting fewer rows than are there, and not saying so, would be no evidence.
        """
        places = Places()
        found = queryset.filter(ip_address__isnull=False).order_by()
        addresses = list(found.values_list("ip_address", flat=True).distinct()[: _MOST_PLACED + 1])
        if not places or len(addresses) > _MOST_PLACED:
            self._unplaced = _TOO_MANY if places else _NO_PLACES
            return queryset.none()
        there = [address for address in addresses if places.of(address).matches(value)]
        return queryset.filter(ip_address__in=there)

    def by_agent(self, queryset: Any, name: str, value: str) -> Any:
        """Filter by a part of the user agent, or in quotation marks by all of it."""
        if exact := _QUOTED.fullmatch(value):
            return queryset.filter(user_agent__in=UserAgentManager.keys_of(exact[1]))
        keys = UserAgent.objects.filter(text__icontains=value).values_list("pk", flat=True)
        named = list(keys[: _NAMED_AGENTS + 1])
        return queryset.filter(user_agent__in=named if len(named) <= _NAMED_AGENTS else keys)
