"""The screen of network rules: who is blocked and allowed, why, until when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..defences import rulebook
from ..evidence.bidi import SECONDS, clock, isolated, set_apart, technical
from ..evidence.inputs import without_port
from ..evidence.networks import NetworkRuleFilter
from ..exports.networks import NetworkRuleResource
from ..figures import grouped
from ..models import AuditEntry, NetworkRule
from ..models.fields import parse_network
from ..models.networks import about
from . import times
from .consent import ConsentAdmin
from .exporting import ExportAdminMixin
from .importing import ImportAdminMixin
from .networkforms import NetworkRuleForm
from .records import RecordAdmin
from .selections import Selected

_DELETE: Any = delete_selected


@admin.register(NetworkRule)
class NetworkRuleAdmin(ConsentAdmin, ImportAdminMixin, ExportAdminMixin, RecordAdmin):
    """The rules, newest first."""

    import_export_change_list_template = "admin/import_export/change_list_import_export.html"
    resource_classes = [NetworkRuleResource]
    actions = ("export_selected", "delete_selected")
    form = NetworkRuleForm
    filterset_class = NetworkRuleFilter
    orderings = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "first": ("first", "id"),
        "-first": ("-first", "-id"),
    }
    ordering = ("-created_at", "-id")
    list_display = ("network", "what", "why", "ends", "made")
    list_display_links = ("network",)
    sortable_by = ("network", "made")
    search_help_text = gettext_lazy("An address, a network, a reason, a list")

    # -- Permissions: Django's own -------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may block and allow."""
        return self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may change a rule; that of a list, its next load would undo."""
        return self.may(request, "change") and not (obj and obj.source)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may delete rules."""
        return self.may(request, "delete")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the user may see the rules."""
        return self.may(request, "view") or self.may(request, "change")

    # -- The list ------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read where it is decided."""
        rows: Any = super().get_queryset(request)
        return rows.fresh()

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find the rules about an address or network; else a reason, a list, a name."""
        term = search_term.strip()
        if "\0" in request.GET.get("q", "") or len(term) > 255:
            return queryset.none(), False
        if not term:
            return queryset, False
        try:
            found = about(parse_network(without_port(term).replace("%", "?")))
        except ValidationError:
            found = Q(reason__icontains=term) | Q(source=term) | Q(created_by=term)
        return queryset.filter(found), False

    @admin.display(description=gettext_lazy("network"), ordering="first")
    def network(self, row: NetworkRule) -> str:
        """The network."""
        return format_html('<span data-copy="{}">{}</span>', row.cidr, technical(row.cidr))

    @admin.display(description=gettext_lazy("action"))
    def what(self, row: NetworkRule) -> str:
        """Whether it is blocked or allowed, or was."""
        kind = "ended" if row.has_ended else row.action
        return format_html(
            '<span class="lockout-rule-{}">{}</span>', kind, row.get_action_display()
        )

    @admin.display(description=gettext_lazy("reason"))
    def why(self, row: NetworkRule) -> str:
        """Why, and which list brought it."""
        reason = isolated(row.reason) if row.reason else "-"
        if not row.source:
            return reason
        return format_html("{} <small>{}</small>", reason, technical(row.source))

    @admin.display(description=gettext_lazy("until"))
    def ends(self, row: NetworkRule) -> str:
        """When it ends, and the time that is left."""
        if row.until is None:
            return _("for ever")
        return times.ago(row.until) if row.has_ended else times.left(row.until)

    @admin.display(description=gettext_lazy("created"), ordering="created_at")
    def made(self, row: NetworkRule) -> str:
        """When, and by whom."""
        by = isolated(row.created_by or "-")
        return format_html("{} <small>{}</small>", times.ago(row.created_at), by)

    # -- One rule ------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the questions, or all there is to say of a rule."""
        asked = ["cidr", "action", "duration", "at", "reason", "anyway"]
        if obj is None:
            return [(None, {"fields": asked})]
        if self.has_change_permission(request, obj):
            return [(None, {"fields": [*asked, "made"]})]
        return [(None, {"fields": list(self.list_display)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what is said and not asked."""
        if obj is None:
            return []
        return ["made"] if self.has_change_permission(request, obj) else list(self.list_display)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form, which knows where it is filled in."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.request = request
        return form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Block or allow."""
        title = {"title": _("Block or allow a network"), "show_save_and_continue": False}
        return super().add_view(request, form_url, {**title, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it, with who did."""
        if not change:
            obj.created_by = str(request.user.get_username())
        rulebook.clear_the_way(obj)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Say what holds now."""
        if "_save" not in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, _said(obj))
        return self.response_post_save_add(request, obj)

    # -- What was done -------------------------------------------------------------------------

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write the audit entry beside Django's."""
        self._record(request, obj.action, [obj])
        return super().log_addition(request, obj, rulebook.described(obj))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write the audit entry beside Django's."""
        self._record(request, AuditEntry.Action.CHANGE, [obj])
        return super().log_change(request, obj, rulebook.described(obj))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write an audit entry for each, beside Django's."""
        self._record(request, AuditEntry.Action.DELETE, queryset)
        return super().log_deletions(request, queryset)

    @admin.action(description=_DELETE.short_description, permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask, then delete what was shown; Django's own page has a field for each row."""
        selected = Selected(request, "delete_selected", queryset, "pk")
        if (confirmed := selected.confirmed()) is not None:
            count = sum(self._delete(request, chunk) for chunk in selected.chunks(confirmed))
            messages.success(request, _said_of_deletion(count))
            if not selected.paused:
                return HttpResponseRedirect(request.get_full_path())
        question = selected.question()
        if not question["total"]:
            messages.warning(request, _("None of these is there any more."))
            return None
        context = {
            **self.admin_site.each_context(request),
            **question,
            "title": _("Delete network rules"),
            "opts": self.opts,
            "media": self.media,
        }
        return TemplateResponse(request, "lockout_admin/delete.html", context)

    def _delete(self, request: HttpRequest, keys: list[Any]) -> int:
        rules = NetworkRule.objects.fresh().filter(pk__in=keys).order_by("pk")
        with transaction.atomic(using=rules.db):
            self.log_deletions(request, rules)
            return rules.delete()[0]

    def _record(self, request: HttpRequest, action: str, rules: Iterable[NetworkRule]) -> None:
        rulebook.record(str(request.user.get_username()), action, rules)


def _said_of_deletion(count: int) -> str:
    said = ngettext(
        "%(count)s network rule was deleted.", "%(count)s network rules were deleted.", count
    )
    return said % {"count": grouped(count)}


def _said(rule: NetworkRule) -> str:
    is_blocked = rule.action == NetworkRule.Action.BLOCK
    if rule.until is None:
        said = _("%(network)s is blocked.") if is_blocked else _("%(network)s is allowed.")
        return said % {"network": set_apart(rule.cidr)}
    said = (
        _("%(network)s is blocked until %(until)s.")
        if is_blocked
        else _("%(network)s is allowed until %(until)s.")
    )
    until = clock(rule.until, SECONDS)
    return said % {"network": set_apart(rule.cidr), "until": until}
