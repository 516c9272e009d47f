"""The columns and filters of the list of incidents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import isolated
from ..figures import grouped
from ..models import Incident
from . import times
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
        return self.select(queryset, self.value()) if self.value() in known else queryset.none()

    def select(self, queryset: Any, value: Any) -> Any:
        """Return what a value selects."""
        return queryset.filter(**{self.parameter_name or "": value})


class StateFilter(Choice):
    """Open, acknowledged, closed."""

    title = gettext_lazy("staff")
    parameter_name = "state"
    choices_of = State.choices


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

    def select(self, queryset: Any, value: Any) -> Any:
        """Return those that go on, or are over."""
        return queryset.filter(over_at__isnull=value == "yes")


class IncidentColumns(ScreenAdmin):
    """A screen of incidents; what its rows say follows from `lockout_sees`, which each has."""

    @admin.display(description=gettext_lazy("incident"))
    def what(self, row: Any) -> str:
        """Its title or kind, and whom or what it is about."""
        return isolated(row.lockout_sees.title_of(row))

    @admin.display(description=gettext_lazy("state"))
    def going(self, row: Any) -> str:
        """Whether it goes on, and what staff have said of it."""
        mark = pill(Tone.QUIET, _("over")) if row.is_over else pill(Tone.URGENT, _("goes on"))
        said = [str(row.get_state_display()), row.lockout_sees.verdict_of(row)]
        return format_html("{} <small>{}</small>", mark, ": ".join(filter(None, said)))

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
