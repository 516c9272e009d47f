"""The columns and filters of the list of incidents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import isolated
from ..figures import grouped
from ..models import Incident
from . import times
from .incidentsight import Sees
from .pills import Tone, pill
from .records import ScreenAdmin

State = Incident.State


class Choice(admin.SimpleListFilter):
    """A filter whose wrong values select nothing."""

    choices_of: Any = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return list(self.choices_of)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return what the choice selects."""
        if self.value() is None:
            return queryset
        known = {name for name, _label in self.choices_of}
        if self.value() not in known:
            return queryset.none()
        return queryset.filter(self.condition(request, self.value()))

    def condition(self, request: HttpRequest, value: Any) -> Q:
        """Return what selects what a value means, for who asks."""
        return Q(**{self.parameter_name or "": value})


class StateFilter(Choice):
    """Open, acknowledged, closed."""

    title = gettext_lazy("staff")
    parameter_name = "state"
    choices_of = State.choices

    def condition(self, request: HttpRequest, value: Any) -> Q:
        """Return what selects those of a state, as far as who asks may know of it."""
        closed = Incident.closed(sees_logins=Sees.of(request).logins)
        if value == State.OPEN:
            # So is what is closed and may not be told.
            return ~closed & ~Q(state=State.ACKNOWLEDGED)
        return closed if value == State.CLOSED else super().condition(request, value)


class KindFilter(Choice):
    """The kind of attack."""

    title = gettext_lazy("kind")
    parameter_name = "kind"
    choices_of = Incident.Kind.choices


class OverFilter(Choice):
    """Whether it goes on."""

    title = gettext_lazy("state")
    parameter_name = "going"
    choices_of = (("yes", gettext_lazy("goes on")), ("no", gettext_lazy("over")))

    def condition(self, request: HttpRequest, value: Any) -> Q:
        """Return what selects those that go on, or are over."""
        return Q(over_at__isnull=value == "yes")


class IncidentColumns(ScreenAdmin):
    """A screen of incidents; what its rows say follows from `lockout_sees`, which each has."""

    @admin.display(description=gettext_lazy("incident"))
    def what(self, row: Any) -> str:
        """Its title or kind, and whom or what it is about."""
        return isolated(row.lockout_sees.title_of(row))

    @admin.display(description=gettext_lazy("state"))
    def going(self, row: Any) -> str:
        """Whether it goes on, and what staff have said of it."""
        tone = Tone.QUIET if row.is_over or row.is_closed else Tone.URGENT
        mark = pill(tone, _("over") if row.is_over else _("goes on"))
        verdict = row.get_verdict_display() if row.verdict else ""
        said = ": ".join(filter(None, (row.get_state_display(), verdict)))
        return format_html("{} <small>{}</small>", mark, said)

    @admin.display(description=gettext_lazy("since"))
    def began(self, row: Any) -> str:
        """When it began."""
        return times.ago(row.started_at)

    @admin.display(description=gettext_lazy("names, networks"))
    def figures(self, row: Any) -> str:
        """How many names, and networks."""
        return f"{grouped(row.names)} · {grouped(row.networks)}"

    @admin.display(description=gettext_lazy("evaluated, refused"))
    def guesses(self, row: Any) -> str:
        """How many guesses were looked at, and refused."""
        return f"{grouped(row.evaluated)} · {grouped(row.refused)}"

    @admin.display(description=gettext_lazy("entered"))
    def inside(self, row: Any) -> str:
        """How many accounts were entered."""
        return pill(Tone.URGENT, grouped(row.entered)) if row.entered else "0"
