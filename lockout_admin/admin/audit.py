"""The screen of what staff did: it outlives their accounts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..evidence.bidi import isolated
from ..models import AuditEntry
from . import cells
from .paging import CappedList, CappedPaginator, in_theme
from .records import ScreenAdmin


@admin.register(AuditEntry)
class AuditAdmin(ScreenAdmin):
    """Who locked, unlocked and exported what, newest first."""

    list_display = ("when", "who", "action", "on", "details")
    list_display_links = None
    list_filter = ("action",)
    sortable_by = ()
    search_fields = ("actor",)
    search_help_text = _("The whole name of a member of staff, or of what was locked")
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list under its name."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        """Return the changelist of the theme with ours in front of it."""
        return in_theme(CappedList, super().get_changelist(request, **kwargs))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let nobody make up evidence, not even superusers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change evidence, not even superusers."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete evidence, not even superusers."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find what somebody did, or what was done to a name."""
        term = search_term.strip()
        found = Q(actor=term) | Q(label=term)
        return (queryset.filter(found) if term else queryset), False

    @admin.display(description=_("when"))
    def when(self, row: AuditEntry) -> str:
        """The moment, to the second."""
        return cells.moment(row.timestamp)

    @admin.display(description=_("who"))
    def who(self, row: AuditEntry) -> str:
        """The name of who acted, whether or not the account is still there."""
        return isolated(row.actor)

    @admin.display(description=_("on"))
    def on(self, row: AuditEntry) -> str:
        """What it was done to."""
        return isolated(row.label)
