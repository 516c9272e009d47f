"""The columns that both screens of locks share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..evidence.bidi import isolated
from ..models import AccountLock
from . import cells
from .facts import ENFORCEMENT, facts_of, look_up
from .records import SEARCH_HELP, RecordAdmin

#: Addresses of refused attempts that a list shows; the lock's page shows all that are known.
_SOURCES_IN_LIST = 2


class LockColumns(RecordAdmin):
    """A screen of locks, open or ended."""

    search_fields = ("label",)
    search_help_text = SEARCH_HELP

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read where it is decided: a replica may not have the lock that is to be ended."""
        rows: Any = super().get_queryset(request)
        return rows.fresh()

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out what the rows themselves do not say, for all at once."""
        look_up(rows)
        may_block = request.user.has_perm("lockout_admin.add_networkrule")
        for row in rows:
            row.may_block = may_block

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may unlock, and may see the locks."""
        return self.has_view_permission(request) and self.may(request, "unlock")

    @admin.display(description=gettext_lazy("name"))
    def name(self, row: AccountLock) -> str:
        """What is locked, as it was typed."""
        return isolated(row.label or _("empty"))

    @admin.display(description=gettext_lazy("name"))
    def linked_name(self, row: AccountLock) -> str:
        """The same, with all its failures a click away."""
        return cells.label_link(self.admin_site.name, row)

    @admin.display(description=gettext_lazy("account"))
    def has_account(self, row: AccountLock) -> str:
        """Whether there is such an account."""
        return "-" if row.subject is None else cells.account(facts_of(row).has_account)

    @admin.display(description=gettext_lazy("rule"))
    def why(self, row: AccountLock) -> str:
        """The rule that put it on; for a lock by hand who did it, and the note."""
        return cells.why(row)

    @admin.display(description=gettext_lazy("since"), ordering="started_at")
    def since(self, row: AccountLock) -> str:
        """When it began."""
        return cells.moment(row.started_at)

    @admin.display(description=gettext_lazy("until"), ordering="until")
    def ends(self, row: AccountLock) -> str:
        """When it ends by itself."""
        return cells.moment(row.until)

    @admin.display(description=gettext_lazy("failures"))
    def led_by(self, row: AccountLock) -> str:
        """How many failures led to it, a click away, and from how many addresses they came."""
        if not row.failures:
            return "0"
        url = cells.led_to(self.admin_site.name, row, facts_of(row).first)
        count = facts_of(row).addresses
        addresses = ngettext("%(count)d address", "%(count)d addresses", count) % {"count": count}
        said = cells.link(url, str(row.failures), _("The failures that led to this lock"))
        return format_html("{}<br><small>{}</small>", said, addresses)

    @admin.display(description=gettext_lazy("refused"))
    def refusals(self, row: AccountLock) -> str:
        """How many attempts it refused, until when, and where some of them came from."""
        refused = facts_of(row).refused
        return cells.refusals(self.admin_site.name, refused, may_block=_may_block(row))

    @admin.display(description=gettext_lazy("addresses of failures"))
    def origins(self, row: AccountLock) -> str:
        """Where the failures that led to it came from."""
        addresses = facts_of(row).sources
        return cells.sources(self.admin_site.name, "", addresses, may_block=_may_block(row)) or "-"

    @admin.display(description=gettext_lazy("locks in 30 days"))
    def recently(self, row: AccountLock) -> int:
        """How many locks the name had lately."""
        return facts_of(row).locks

    @admin.display(description=gettext_lazy("failures"))
    def figures(self, row: AccountLock) -> str:
        """What led to it, what it refused, how many locks there were lately."""
        facts = facts_of(row)
        return format_html(
            "{}<br><small>{}: {}<br>{}: {}</small>",
            self.led_by(row),
            _("refused"),
            cells.refusals(
                self.admin_site.name,
                facts.refused,
                most=_SOURCES_IN_LIST,
                may_block=_may_block(row),
            ),
            _("locks in 30 days"),
            facts.locks,
        )

    @admin.display(description=gettext_lazy("cache"))
    def enforcement(self, row: AccountLock) -> str:
        """Whether the cache enforces it."""
        state = facts_of(row).enforcement
        label, title = ENFORCEMENT[state]
        return format_html(
            '<span class="lockout-{}" title="{}">{}</span>', state.name.lower(), title, label
        )

    @admin.display(description=gettext_lazy("unlock"))
    def unlock_link(self, row: AccountLock) -> str:
        """A link to the confirmation."""
        url = reverse(
            "admin:lockout_admin_activelock_unlock", args=[row.pk], current_app=self.admin_site.name
        )
        # The filters of the list that leads there, and back.
        query = getattr(row, "preserved_filters", "")
        label = _("Unlock %(name)s") % {"name": row.label}
        return format_html(
            '<a class="lockout-unlock" href="{}{}" aria-label="{}">{}</a>',
            url,
            f"?{query}" if query else "",
            label,
            _("Unlock"),
        )


def _may_block(row: AccountLock) -> bool:
    return bool(row.may_block)  # type: ignore[attr-defined]
