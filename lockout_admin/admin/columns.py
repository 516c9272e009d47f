"""The columns that both screens of locks share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from ..evidence.bidi import isolated, technical
from ..evidence.selection import RecordFilter
from ..evidence.sight import Sight
from ..figures import grouped
from ..models import AccountLock
from . import cells, pills, times
from .facts import facts_of, look_up
from .panels import picture_of
from .records import SEARCH_HELP, RecordAdmin

#: Columns of numbers in lists.
FIGURES = ("failed", "addresses", "turned_away", "recently")
#: What the page of a lock says.
LOCK_PAGE = (
    *("has_account", "why", "since", "ends", "led_by", "origins", "refusals", "recently"),
    "enforcement",
)
_OF_ACCOUNTS = ("about", "has_account")


class LockColumns(RecordAdmin):
    """A screen of locks, open or ended."""

    search_fields = ("label",)
    search_help_text = SEARCH_HELP

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read where it is decided: a replica may not have the lock that is to be ended."""
        rows: Any = super().get_queryset(request)
        return rows.fresh()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out whether there is an account for those who may not know."""
        return visible(request, super().get_list_display(request))

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out what the rows themselves do not say, for all at once."""
        look_up(rows)
        may_block = request.user.has_perm("lockout_admin.add_networkrule")
        for row in rows:
            row.may_block = may_block

    def above(self, request: HttpRequest, shown: Any, filterset: RecordFilter) -> dict[str, Any]:
        """Return the picture of the range."""
        return {"picture": picture_of(request, shown, filterset)}

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may unlock, and may see the locks."""
        return self.has_view_permission(request) and self.may(request, "unlock")

    @admin.display(description=gettext_lazy("name"))
    def name(self, row: AccountLock) -> str:
        """What is locked, as it was typed."""
        label = row.label or _("empty")
        return pills.cut(
            label, format_html('<span data-copy="{}">{}</span>', label, isolated(label))
        )

    @admin.display(description=gettext_lazy("name"))
    def linked_name(self, row: AccountLock) -> str:
        """The same, with all its failures a click away."""
        return cells.label_link(self.admin_site.name, row)

    @admin.display(description=gettext_lazy("account"))
    def has_account(self, row: AccountLock) -> str:
        """Whether there is such an account."""
        return "-" if row.subject is None else pills.account(facts_of(row).has_account)

    @admin.display(description=gettext_lazy("account"))
    def about(self, row: AccountLock) -> str:
        """Whom it is about, and how urgent that is."""
        return pills.target(row, facts_of(row))

    @admin.display(description=gettext_lazy("rule"))
    def because(self, row: AccountLock) -> str:
        """The rule that put it on, or for which reason it was put on by hand, in one line."""
        if row.rule:
            return technical(row.rule)
        said = row.note or _("by hand")
        who = _("locked by %(who)s") % {"who": row.locked_by} if row.locked_by else _("by hand")
        return pills.cut(f"{said} ({who})", cells.quoted(row.note) if row.note else said)

    @admin.display(description=gettext_lazy("since"), ordering="started_at")
    def began(self, row: AccountLock) -> str:
        """How long ago it began."""
        return times.ago(row.started_at)

    @admin.display(description=gettext_lazy("failures"))
    def failed(self, row: AccountLock) -> str:
        """How many failures led to it, a click away."""
        if not row.failures:
            return "0"
        url = cells.led_to(self.admin_site.name, row, facts_of(row).first)
        return cells.link(url, grouped(row.failures), _("The failures that led to this lock"))

    @admin.display(description=pgettext_lazy("so many addresses", "from"))
    def addresses(self, row: AccountLock) -> str:
        """From how many addresses they came."""
        return grouped(facts_of(row).addresses)

    @admin.display(description=gettext_lazy("refused"))
    def turned_away(self, row: AccountLock) -> str:
        """How many attempts it refused."""
        return grouped(facts_of(row).refused.count)

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
        addresses = ngettext("%(count)s address", "%(count)s addresses", count) % {
            "count": grouped(count)
        }
        said = cells.link(url, grouped(row.failures), _("The failures that led to this lock"))
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
    def recently(self, row: AccountLock) -> str:
        """How many locks the name had lately."""
        return grouped(facts_of(row).locks)

    @admin.display(description=gettext_lazy("cache"))
    def enforcement(self, row: AccountLock) -> str:
        """Whether the cache enforces it."""
        return pills.enforcement(facts_of(row))

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


def visible(request: HttpRequest, names: Iterable[Any]) -> list[Any]:
    """Return those of the columns that the user may see."""
    hidden = () if Sight.of(request.user.has_perm).accounts else _OF_ACCOUNTS
    return [name for name in names if name not in hidden]


def _may_block(row: AccountLock) -> bool:
    return bool(row.may_block)  # type: ignore[attr-defined]
