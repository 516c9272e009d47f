"""What the screens of failed and of successful logins share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import technical
from . import cells
from .exporting import ExportAdminMixin
from .records import SEARCH_HELP_WITH_ADDRESS, RecordAdmin


class VisitAdmin(ExportAdminMixin, RecordAdmin):
    """Who came with which name, from where, with what: newest first."""

    #: Where cells lead to: records of the same kind.
    target: ClassVar[cells.Target]

    actions = ("export_selected",)
    has_addresses = True
    orderings = {
        "-timestamp": ("-timestamp", "-id"),
        "timestamp": ("timestamp", "id"),
        "ip_address": ("ip_address", "timestamp", "id"),
        "-ip_address": ("-ip_address", "-timestamp", "-id"),
    }
    ordering = ("-timestamp", "-id")
    search_help_text = SEARCH_HELP_WITH_ADDRESS
    list_display_links = ("when",)
    list_select_related = ("user_agent",)
    sortable_by = ("when", "source")

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Note which kinds of records the user may follow a row to."""
        targets = [
            target for target in (cells.FAILURES, cells.SUCCESSES) if may_see(request, target)
        ]
        may_block = request.user.has_perm("lockout_admin.add_networkrule")
        for row in rows:
            row.targets = targets
            row.may_block = may_block

    @admin.display(description=gettext_lazy("when"), ordering="timestamp")
    def when(self, row: Any) -> str:
        """The moment."""
        return cells.moment(row.timestamp)

    @admin.display(description=gettext_lazy("username"))
    def name(self, row: Any) -> str:
        """The name as it was typed."""
        return cells.name_link(self.admin_site.name, row.username, self.target)

    @admin.display(description=gettext_lazy("IP address"), ordering="ip_address")
    def source(self, row: Any) -> str:
        """The address it came from, and the network, which may be blocked."""
        return cells.address_links(
            self.admin_site.name, row.ip_address, self.target, may_block=row.may_block
        )

    @admin.display(
        description=format_lazy("{}, {}", gettext_lazy("user agent"), gettext_lazy("path"))
    )
    def agent_and_path(self, row: Any) -> str:
        """The user agent, cut to fit, and the path of the request."""
        agent: str = "-"
        if row.user_agent:
            agent = cells.agent_link(self.admin_site.name, row.user_agent.text, self.target)
        return format_html("{}<br><small>{}</small>", agent, technical(row.path))

    @admin.display(description=gettext_lazy("user agent"))
    def agent_in_full(self, row: Any) -> str:
        """The user agent."""
        return technical(row.user_agent.text) if row.user_agent else _("none")

    @admin.display(description=gettext_lazy("path"))
    def way_in(self, row: Any) -> str:
        """The path of the request."""
        return technical(row.path)

    @admin.display(description=gettext_lazy("see also"))
    def see_also(self, row: Any) -> SafeString:
        """Links to what else there is of the name, and from the address."""
        site = self.admin_site.name
        links = []
        for target in row.targets:
            if row.username:
                links.append((target.url(site, username=row.username), target.of_name))
            if row.ip_address:
                links.append((target.url(site, net=row.ip_address), target.from_address))
        return format_html_join(SafeString("<br>"), '<a href="{}">{}</a>', links)


def may_see(request: HttpRequest, target: cells.Target) -> bool:
    """Tell whether the user may see the records that cells lead to."""
    return request.user.has_perm(f"lockout_admin.view_{target.model}")
