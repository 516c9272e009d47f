"""The screen of what staff did: it outlives their accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..evidence.bidi import isolated
from ..evidence.deeds import AuditFilter
from ..models import AuditEntry
from . import times
from .records import RecordAdmin


@admin.register(AuditEntry)
class AuditAdmin(RecordAdmin):
    """Who locked, unlocked and exported what, newest first."""

    filterset_class = AuditFilter
    orderings = {"-timestamp": ("-timestamp", "-id")}
    ordering = ("-timestamp", "-id")
    list_display = ("when", "who", "action", "on", "details")
    list_display_links = None
    sortable_by = ()
    search_fields = ("actor",)
    search_help_text = _("The whole name of a member of staff, or of what was locked")

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find what somebody did, or what was done to a name."""
        term = search_term.strip()
        if "\0" in request.GET.get("q", ""):
            return queryset.none(), False
        found = Q(actor=term) | Q(label=term)
        return (queryset.filter(found) if term else queryset), False

    @admin.display(description=_("when"))
    def when(self, row: AuditEntry) -> str:
        """How long ago it was."""
        return times.ago(row.timestamp)

    @admin.display(description=_("who"))
    def who(self, row: AuditEntry) -> str:
        """The name of who acted, whether or not the account is still there."""
        return isolated(row.actor)

    @admin.display(description=_("on"))
    def on(self, row: AuditEntry) -> str:
        """What it was done to."""
        return isolated(row.label)
