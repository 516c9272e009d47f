"""The screen of exemptions: what staff have taught, and a way to take it back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..evidence import leads
from ..evidence.bidi import isolated, technical
from ..incidents import verbs
from ..models import AuditEntry, Exemption
from . import cells, times
from .paging import CappedPaginator
from .records import CONSOLE_CSS, CONSOLE_JS, ScreenAdmin, check_keys


@admin.register(Exemption)
class ExemptionAdmin(ScreenAdmin):
    """Networks and user agents that raise no incident, newest first."""

    list_display = ("source", "agent", "verdict", "taught_by", "since", "who", "state")
    list_display_links = None
    sortable_by = ()
    actions = ("undo",)
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = CONSOLE_CSS
        js = CONSOLE_JS

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An incident that is closed teaches; nobody makes one up."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody change one in a form."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody delete one: it is ended."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may view exemptions."""
        return bool(request.user.has_perm("lockout_admin.view_exemption"))

    def has_undo_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may end them."""
        may_change = request.user.has_perm("lockout_admin.change_exemption")
        return self.has_view_permission(request) and bool(may_change)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out incidents for those who may not see them."""
        hidden = () if request.user.has_perm("lockout_admin.view_incident") else ("taught_by",)
        return [name for name in super().get_list_display(request) if name not in hidden]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list under its name."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Refuse what is no key before a database stumbles over it."""
        check_keys(request)
        return super().response_action(request, queryset, *args, **kwargs)

    @admin.action(description=gettext_lazy("End the selected exemptions"), permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: Any) -> None:
        """Take back what was taught: from now on it may raise incidents."""
        by = request.user.get_username()
        rows = list(queryset.filter(ended_at=None)[:1000])
        for row in rows:
            verbs.undo(row, by)
        AuditEntry.objects.bulk_create(
            AuditEntry(
                actor=by,
                action=AuditEntry.Action.CHANGE,
                label=row.network,
                details=f"Exemption ended ({row.verdict}).",
            )
            for row in rows
        )
        said = ngettext("%(count)s exemption ended.", "%(count)s exemptions ended.", len(rows))
        messages.success(request, said % {"count": len(rows)})

    @admin.display(description=gettext_lazy("network"))
    def source(self, row: Exemption) -> str:
        """The network; any where none is named."""
        return technical(row.network) if row.network else _("any")

    @admin.display(description=gettext_lazy("user agent"))
    def agent(self, row: Exemption) -> str:
        """What the client calls itself."""
        return technical(cells.cut(row.user_agent)) if row.user_agent else _("any")

    @admin.display(description=gettext_lazy("incident"))
    def taught_by(self, row: Exemption) -> str:
        """The incident that taught it, as long as that is kept."""
        if row.incident_id is None:
            return "-"
        number = f"#{row.incident_id}"
        url = leads.to_incident(self.admin_site.name, row.incident_id)
        return format_html('<a href="{}">{}</a>', url, number) if url else number

    @admin.display(description=gettext_lazy("since"))
    def since(self, row: Exemption) -> str:
        """When it was taught."""
        return times.ago(row.created_at)

    @admin.display(description=gettext_lazy("by"))
    def who(self, row: Exemption) -> str:
        """Who taught it."""
        return isolated(row.by)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Exemption) -> str:
        """Whether it holds."""
        if row.ended_at is None:
            return _("in force")
        return format_html("{} {}", _("ended"), times.ago(row.ended_at))
