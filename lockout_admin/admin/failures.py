"""The screen of failed logins."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..accounts import existing
from ..bidi import technical
from ..filters import FailureFilter
from ..models import FailedLogin
from ..resources import FailedLoginResource
from . import cells
from .exporting import ExportAdminMixin
from .records import SEARCH_HELP_WITH_ADDRESS, RecordAdmin


@admin.register(FailedLogin)
class FailedLoginAdmin(ExportAdminMixin, RecordAdmin):
    """Every wrong password, newest first."""

    filterset_class = FailureFilter
    resource_classes = [FailedLoginResource]
    actions = ("export_selected",)
    has_addresses = True
    orderings = {
        "-timestamp": ("-timestamp", "-id"),
        "timestamp": ("timestamp", "id"),
        # An index on MariaDB and SQLite ends with the primary key, ascending.
        "address": ("address", "-timestamp", "id"),
        "-address": ("-address", "timestamp", "-id"),
    }
    ordering = ("-timestamp", "-id")
    search_help_text = SEARCH_HELP_WITH_ADDRESS
    list_display = ("when", "name", "has_account", "source", "agent_and_gateway", "outcome")
    list_display_links = ("when",)
    list_select_related = ("user_agent",)
    sortable_by = ("when", "source")
    fields = ("when", "name", "has_account", "source", "agent_in_full", "path", "outcome")
    readonly_fields = fields

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out which of the names have an account, all at once."""
        accounts = existing({row.username for row in rows})
        for row in rows:
            row.has_account = row.username in accounts

    @admin.display(description=gettext_lazy("when"), ordering="timestamp")
    def when(self, row: FailedLogin) -> str:
        """When it was."""
        return cells.moment(row.timestamp)

    @admin.display(description=gettext_lazy("username"))
    def name(self, row: FailedLogin) -> str:
        """Whose password it was to be."""
        return cells.name_link(self.admin_site.name, row.username)

    @admin.display(description=gettext_lazy("account"))
    def has_account(self, row: FailedLogin) -> str:
        """Whether there is such an account."""
        return cells.account(row.has_account)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("address"), ordering="address")
    def source(self, row: FailedLogin) -> str:
        """Where it came from."""
        return cells.address_links(self.admin_site.name, row.address)

    @admin.display(description=format_lazy("{}, {}", gettext_lazy("user agent"), gettext_lazy("gateway")))
    def agent_and_gateway(self, row: FailedLogin) -> str:
        """What it came with, cut to fit, and by which way in."""
        agent: str = "-"
        if row.user_agent:
            url = cells.failures_url(self.admin_site.name, agent=f'"{row.user_agent.text}"')
            agent = cells.link(url, technical(cells.cut(row.user_agent.text)), row.user_agent.text)
        return format_html("{}<br><small>{}</small>", agent, technical(row.gateway))

    @admin.display(description=gettext_lazy("user agent"))
    def agent_in_full(self, row: FailedLogin) -> str:
        """What it came with."""
        return technical(row.user_agent.text) if row.user_agent else _("none")

    @admin.display(description=gettext_lazy("gateway"))
    def path(self, row: FailedLogin) -> str:
        """By which way it came in."""
        return technical(row.gateway)
