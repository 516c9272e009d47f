"""The screen of successful logins."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..evidence.bidi import isolated, technical
from ..evidence.filters import SuccessFilter
from ..exports.resources import SuccessfulLoginResource
from ..identity.field import username_of
from ..identity.subject import account_of
from ..models import SuccessfulLogin
from . import cells, pills
from .visits import VisitAdmin

#: Logins on the page of a user.
_LAST = 5


@admin.register(SuccessfulLogin)
class SuccessfulLoginAdmin(VisitAdmin):
    """Every login, newest first."""

    filterset_class = SuccessFilter
    resource_classes = [SuccessfulLoginResource]
    target = cells.SUCCESSES
    list_display = ("how_long_ago", "name", "who", "source", "agent", "short_path", "happened")
    fields = (
        *("when", "happened", "name", "who", "source", "located", "agent_in_full", "way_in"),
        "see_also",
    )
    readonly_fields = fields

    def look_up(self, request: HttpRequest, rows: list[Any]) -> None:
        """Find out how the accounts are called today, all at once."""
        super().look_up(request, rows)
        names = names_of({row.account for row in rows if row.account})
        may = request.user.has_perm(_permission("view")) or request.user.has_perm(
            _permission("change")
        )
        for row in rows:
            row.account_name = names.get(row.account)
            row.account_url = _user_url(self.admin_site.name, row.account) if may else ""

    @admin.display(description=gettext_lazy("account"))
    def who(self, row: Any) -> str:
        """The account that came in, by its name of today; its key leads to all its logins."""
        if not row.account:
            return _("unknown")
        name: Any = _("deleted")
        if row.account_name is not None:
            name = isolated(cells.cut(row.account_name))
            if row.account_url:
                name = format_html('<a href="{}">{}</a>', row.account_url, name)
        url = cells.SUCCESSES.url(self.admin_site.name, account=row.account)
        key = cells.link(url, technical(cells.cut(row.account)), _("All logins of this account"))
        return format_html("{} <small>{}</small>", name, key)

    @admin.display(description=gettext_lazy("event"))
    def happened(self, row: SuccessfulLogin) -> str:
        """A login, a right password alone, a logout."""
        return pills.cut(row.get_event_display())


def last_logins(site: str, user: Any) -> SafeString:
    """Return the last logins of a user, and links to all logins and failures there are."""
    account = account_of(user)
    rows = SuccessfulLogin.objects.filter(account=account).select_related("user_agent")
    lines = [
        (
            cells.moment(row.timestamp),
            row.get_event_display(),
            technical(row.ip_address or "-"),
            technical(cells.cut(row.user_agent.text) if row.user_agent else "-"),
        )
        for row in rows[:_LAST]
    ]
    shown = format_html_join("", "<li>{} · {} · {} · {}</li>", lines)
    links = []
    if lines:
        every = _("All logins of this account")
        links += _link(site, cells.SUCCESSES, every, account=account)
    if getattr(user, "lockout_sees_failures", False):
        links += _link(site, cells.FAILURES, cells.FAILURES.of_name, username=username_of(user))
    return format_html(
        '<ul class="lockout-logins">{}</ul>{}',
        shown or format_html("<li>{}</li>", _("none recorded")),
        format_html_join(" · ", '<a href="{}">{}</a>', links),
    )


def _link(site: str, target: cells.Target, text: Any, **filters: str) -> list[tuple[str, Any]]:
    """Return where records are, and the text of the link; nothing where a site has no such page."""
    with suppress(NoReverseMatch):
        return [(target.url(site, **filters), text)]
    return []


def names_of(accounts: Collection[str]) -> dict[str, str]:
    """Return what the accounts with these primary keys are called."""
    model = get_user_model()
    keys = []
    for account in accounts:
        with suppress(ValidationError, ValueError, TypeError):  # of another user model
            keys.append(model._meta.pk.clean(account, None))
    users = model._base_manager.filter(pk__in=keys)
    found = users.values_list("pk", model.USERNAME_FIELD)
    return {str(pk): str(name) for pk, name in found}


def _user_url(site: str, account: str) -> str:
    opts = get_user_model()._meta
    try:
        return reverse(
            f"admin:{opts.app_label}_{opts.model_name}_change",
            args=[quote(account)],
            current_app=site,
        )
    except NoReverseMatch:
        return ""


def _permission(verb: str) -> str:
    opts = get_user_model()._meta
    return f"{opts.app_label}.{verb}_{opts.model_name}"
