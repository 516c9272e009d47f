"""The screen of the lock history."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import isolated
from ..evidence.filters import LockFilter
from ..exports.resources import AccountLockResource
from ..models import AccountLock
from . import cells, pills, times
from .columns import FIGURES, LockColumns, visible
from .exporting import ExportAdminMixin
from .finding import SearchPage
from .names import NamePage
from .origins import NetworkPage
from .policy import PolicyPage
from .trying import TrialPage

State = AccountLock.State


@admin.register(AccountLock)
class LockHistoryAdmin(
    ExportAdminMixin, TrialPage, PolicyPage, SearchPage, NamePage, NetworkPage, LockColumns
):
    """Every lock: what it was on, for how long, and how it ended."""

    filterset_class = LockFilter
    resource_classes = [AccountLockResource]
    actions = ("export_selected",)
    orderings = {
        "-started_at": ("-started_at", "-id"),
        "started_at": ("started_at", "id"),
        "ended_at": ("ended_at", "until", "id"),
        "-ended_at": ("-ended_at", "-until", "-id"),
    }
    ordering = ("-started_at", "-id")
    list_display = ("name", "about", "because", "began", "lasted", "ended", *FIGURES)
    list_display_links = ("name",)
    sortable_by = ("began", "ended")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all there is to say of a lock."""
        return [(None, {"fields": self._page(request, obj)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all of it: nothing here can be changed."""
        return self._page(request, obj)

    def _page(self, request: HttpRequest, obj: Any) -> list[str]:
        fields = ["linked_name", "has_account", "scope", "why", "since", "ends"]
        fields += ["lasted", "end", "led_by", "origins", "refusals", "recently", "enforcement"]
        if obj is not None and obj.state == State.OPEN and self.has_unlock_permission(request):
            fields.append("unlock_link")
        return visible(request, fields)

    @admin.display(description=gettext_lazy("lasted"))
    def lasted(self, row: AccountLock) -> str:
        """How long it lasted, or has lasted so far."""
        end = min(row.until, row.ended_at or timezone.now())
        return times.length(round((end - row.started_at).total_seconds()))

    @admin.display(description=gettext_lazy("ended"), ordering="ended_at")
    def ended(self, row: AccountLock) -> str:
        """How it ended, in one line; by whom and why when somebody points at it."""
        if row.state == State.OPEN:
            return pills.pill(pills.Tone.PLAIN, State.OPEN.label)
        if row.state == State.MONITORED:
            return pills.pill(pills.Tone.QUIET, State.MONITORED.label)
        if row.ended_at is None:
            return _("by itself")
        who = row.ended_by or _("a program")
        said = _("unlocked by %(who)s") % {"who": who}
        return pills.cut(f"{said}: {row.end_note}", isolated(who))

    @admin.display(description=gettext_lazy("ended"), ordering="ended_at")
    def end(self, row: AccountLock) -> str:
        """How it ended: by itself, or by whom and why."""
        if row.state == State.OPEN:
            return format_html('<strong class="lockout-open">{}</strong>', State.OPEN.label)
        if row.state == State.MONITORED:
            return format_html('<em class="lockout-monitored">{}</em>', State.MONITORED.label)
        if row.ended_at is None:
            return format_html("{}<br>{}", cells.moment(row.until), _("by itself"))
        who = _("unlocked by %(who)s") % {"who": row.ended_by or _("a program")}
        known = format_html("<br>{}: {}", _("identity confirmed"), row.get_confirmed_display())
        return format_html(
            "{}<br>{} {}{}",
            cells.moment(row.ended_at),
            isolated(who),
            cells.quoted(row.end_note),
            known if row.confirmed else "",
        )
