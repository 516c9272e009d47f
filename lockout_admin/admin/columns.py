"""What can be said of a lock, open or ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..bidi import isolated
from ..conf import conf
from ..models import AccountLock
from . import cells
from .facts import facts_of, look_up
from .records import SEARCH_HELP, RecordAdmin


class LockColumns(RecordAdmin):
    """The columns of the screens of locks."""

    search_help_text = SEARCH_HELP

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out what the rows themselves do not say, for all at once."""
        look_up(rows)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Let those unlock who may, and who may see whom."""
        return self.has_view_permission(request) and self.may(request, "unlock")

    @admin.display(description=gettext_lazy("username"))
    def name(self, row: AccountLock) -> str:
        """Whom it is on."""
        return isolated(row.username or _("empty"))

    @admin.display(description=gettext_lazy("username"))
    def linked_name(self, row: AccountLock) -> str:
        """The same, with all failures on it a click away."""
        return cells.name_link(self.admin_site.name, row.username)

    @admin.display(description=gettext_lazy("account"))
    def has_account(self, row: AccountLock) -> str:
        """Whether there is such an account."""
        return cells.account(facts_of(row).has_account)

    @admin.display(description=gettext_lazy("scope and reason"))
    def why(self, row: AccountLock) -> str:
        """What it refuses, why it was put on, by whom."""
        reason = _("locked by %(who)s") % {"who": row.locked_by} if row.locked_by else row.get_reason_display()
        note = format_html("<br>{}", cells.quoted(row.note)) if row.note else ""
        return format_html("<small>{}</small><br>{}{}", row.get_scope_display(), isolated(reason), note)

    @admin.display(description=gettext_lazy("since"), ordering="started_at")
    def since(self, row: AccountLock) -> str:
        """When it began."""
        return cells.moment(row.started_at)

    @admin.display(description=gettext_lazy("until"), ordering="until")
    def ends(self, row: AccountLock) -> str:
        """Until when it was to last."""
        return cells.moment(row.until)

    @admin.display(description=gettext_lazy("failures"))
    def led_by(self, row: AccountLock) -> str:
        """How many failures led to it, a click away, and from how many addresses they came."""
        if not row.failures:
            return "0"
        url = cells.led_to(self.admin_site.name, row.username, row.started_at, conf.failed_login_interval_secs)
        count = facts_of(row).addresses
        addresses = ngettext("%(count)d address", "%(count)d addresses", count) % {"count": count}
        said = cells.link(url, str(row.failures), _("The failures that led to this lock"))
        return format_html("{}<br><small>{}</small>", said, addresses)

    @admin.display(description=gettext_lazy("refused"))
    def refusals(self, row: AccountLock) -> int:
        """How many attempts it refused."""
        return facts_of(row).refused

    @admin.display(description=gettext_lazy("locks in 30 days"))
    def recently(self, row: AccountLock) -> int:
        """How often the name was locked of late."""
        return facts_of(row).locks

    @admin.display(description=gettext_lazy("failures"))
    def figures(self, row: AccountLock) -> str:
        """What led to it, what it refused, how often there was one of late."""
        facts = facts_of(row)
        return format_html(
            "{}<br><small>{}: {}<br>{}: {}</small>",
            self.led_by(row),
            _("refused"),
            facts.refused,
            _("locks in 30 days"),
            facts.locks,
        )

    @admin.display(description=gettext_lazy("cache"))
    def enforcement(self, row: AccountLock) -> str:
        """Whether the cache enforces it."""
        state = facts_of(row).enforcement
        return format_html(
            '<span class="lockout-{}" title="{}">{}</span>', state.name.lower(), state.title, state.label
        )

    @admin.display(description=gettext_lazy("unlock"))
    def unlock_link(self, row: AccountLock) -> str:
        """Lead to the confirmation."""
        url = reverse("admin:lockout_admin_activelock_unlock", args=[row.pk], current_app=self.admin_site.name)
        # The filters of the list that leads there, and back.
        query = getattr(row, "preserved_filters", "")
        label = _("Unlock %(name)s") % {"name": row.username}
        return format_html(
            '<a class="lockout-unlock" href="{}{}" aria-label="{}">{}</a>',
            url,
            f"?{query}" if query else "",
            label,
            _("Unlock"),
        )
