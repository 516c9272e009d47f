"""The screen of failed logins."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..evidence.entered import CAP, Entered
from ..evidence.filters import FailureFilter
from ..exports.resources import FailedLoginResource
from ..figures import counted
from ..models import FailedLogin
from ..models.accounts import existing
from . import cells, pills
from .visits import VisitAdmin, may_see


@admin.register(FailedLogin)
class FailedLoginAdmin(VisitAdmin):
    """Every wrong password, newest first."""

    filterset_class = FailureFilter
    resource_classes = [FailedLoginResource]
    target = cells.FAILURES
    list_display = (
        "how_long_ago",
        "name",
        "has_account",
        "source",
        "agent",
        "short_path",
        "became",
    )
    fields = (
        *("when", "name", "has_account", "source", "located", "agent_in_full", "way_in", "became"),
        "see_also",
    )
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Show the list; of a name or a network, say whether anybody got in."""
        if request.method == "GET" and may_see(request, cells.SUCCESSES):
            filterset = self.filterset_class(request.GET, queryset=FailedLogin.objects.none())
            if entered := Entered.beside(filterset):
                self._tell(request, entered)
        return super().changelist_view(request, extra_context)

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out which of the names have an account, all at once."""
        super().look_up(request, rows)
        accounts = existing({row.username for row in rows})
        for row in rows:
            row.has_account = row.username in accounts

    def _tell(self, request: HttpRequest, entered: Entered) -> None:
        if not entered.count:
            messages.info(request, _("In this time, nobody logged in from these addresses."))
            return
        text = ngettext(
            "In this time, there was %(count)s login from these addresses.",
            "In this time, there were %(count)s logins from these addresses.",
            entered.count,
        ) % {"count": counted(entered.count, CAP)}
        url = cells.SUCCESSES.url(self.admin_site.name, **entered.filters)
        messages.warning(request, format_html('{} <a href="{}">{}</a>', text, url, _("Show")))

    @admin.display(description=gettext_lazy("account"))
    def has_account(self, row: FailedLogin) -> str:
        """Whether there is such an account."""
        return pills.account(row.has_account)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("outcome"))
    def became(self, row: FailedLogin) -> str:
        """What became of it, and what is known of the password."""
        known = [(_("repeated"),)] if row.repeated else []
        known += [(_("common password"),)] if row.common else []
        lines = format_html_join("", ' <small class="lockout-known">{}</small>', known)
        words = [row.get_outcome_display(), *(word for (word,) in known)]
        return pills.cut(", ".join(map(str, words)), SafeString(words[0] + lines))
