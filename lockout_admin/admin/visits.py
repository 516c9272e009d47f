"""What the screens of failed and of successful logins share."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import isolated, technical
from ..evidence.places import Places
from ..evidence.selection import RecordFilter
from . import cells, pills, times
from .exporting import ExportAdminMixin
from .panels import picture_of, strip_of
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
    list_display_links = ("how_long_ago",)
    list_select_related = ("user_agent",)
    sortable_by = ("how_long_ago", "source")

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Note which kinds of records the user may follow a row to."""
        targets = [
            target for target in (cells.FAILURES, cells.SUCCESSES) if may_see(request, target)
        ]
        may_block = request.user.has_perm("lockout_admin.add_networkrule")
        places = Places()
        for row in rows:
            row.targets = targets
            row.may_block = may_block
            row.place = places.of(row.ip_address)

    def above(self, request: HttpRequest, shown: Any, filterset: RecordFilter) -> dict[str, Any]:
        """Return the picture of the range; of a filtered list what it comes to."""
        is_filtered = any(request.GET.get(name) for name in [*filterset.names(), SEARCH_VAR])
        strip = (
            strip_of(request, shown, self.target, self.admin_site.name)
            if is_filtered and filterset.is_valid()
            else None
        )
        return {"picture": picture_of(request, shown, filterset), "strip": strip}

    @admin.display(description=gettext_lazy("when"), ordering="timestamp")
    def when(self, row: Any) -> str:
        """The moment."""
        return cells.moment(row.timestamp)

    @admin.display(description=gettext_lazy("when"), ordering="timestamp")
    def how_long_ago(self, row: Any) -> str:
        """How long ago it was."""
        return times.ago(row.timestamp)

    @admin.display(description=gettext_lazy("username"))
    def name(self, row: Any) -> str:
        """The name as it was typed."""
        link = cells.name_link(self.admin_site.name, row.username, self.target)
        return pills.cut(row.username, link)

    @admin.display(description=gettext_lazy("IP address"), ordering="ip_address")
    def source(self, row: Any) -> str:
        """The address it came from, and the network, which may be blocked."""
        links = cells.address_links(
            self.admin_site.name, row.ip_address, self.target, may_block=row.may_block
        )
        place = row.place
        if not str(place):
            return links
        short = place.country or place.number
        return format_html(
            '{} <small class="lockout-place" title="{}">{}</small>', links, place, isolated(short)
        )

    @admin.display(description=gettext_lazy("country and network owner"))
    def located(self, row: Any) -> str:
        """Where the address is, and whose network it is in, as far as the site's files say."""
        return isolated(str(row.place)) if str(row.place) else "-"

    @admin.display(description=gettext_lazy("user agent"))
    def agent(self, row: Any) -> str:
        """The user agent in words; all of its text when somebody points at it."""
        if not row.user_agent:
            return "-"
        return cells.agent_link(self.admin_site.name, row.user_agent.text, self.target)

    @admin.display(description=gettext_lazy("path"))
    def short_path(self, row: Any) -> str:
        """The path of the request, cut to fit."""
        return pills.cut(row.path, technical(row.path))

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
