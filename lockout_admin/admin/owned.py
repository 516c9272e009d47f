"""What there is to say of trusted devices beside their rows, and of those of one user."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..evidence.bidi import technical
from ..identity.agents import family_of, words_of
from ..identity.network import network_of
from ..identity.subject import account_of
from ..models import SuccessfulLogin, TrustedDevice
from . import cells
from .successes import names_of

#: Devices of a user that his page shows.
_SHOWN: Final = 10


def devices_of(site: str, user: Any, *, sees_logins: bool) -> SafeString:
    """Return the trusted devices of a user, and a link to all of them where there is that page."""
    account = account_of(user)
    rows = list(
        TrustedDevice.objects.fresh()
        .trusted()
        .filter(account=account)
        .select_related("user_agent")[:_SHOWN]
    )
    look_up(rows, sees_logins=sees_logins)
    shown = format_html_join(
        "",
        "<li>{} · {} · {} {} · {} {}</li>",
        (
            (
                agent_of(row),
                technical(network_of(row.ip_address) or row.ip_address or "-"),
                _("first seen"),
                cells.moment(row.lockout_first),
                _("last login"),
                cells.moment(row.lockout_last) if row.lockout_last else "-",
            )
            for row in rows
        ),
    )
    everything = SafeString()
    with suppress(NoReverseMatch):
        url = reverse("admin:lockout_admin_trusteddevice_changelist", current_app=site)
        query = urlencode({"q": account})
        everything = format_html(
            '<a href="{}?{}">{}</a>', url, query, _("All devices of this account")
        )
    listed = format_html('<ul class="lockout-logins">{}</ul>', shown) if rows else _("none")
    return format_html("{} {}", listed, everything)


def agent_of(row: TrustedDevice) -> str:
    """Return what a device is, in words, such as "Firefox on Linux"."""
    return words_of(family_of(row.user_agent.text if row.user_agent else ""))


def look_up(rows: list[Any], *, sees_logins: bool) -> None:
    """Put on devices the names of their owners, and when these logged in with them last.

    The last is for those who see logins.
    """
    names = names_of({row.account for row in rows})
    last = _last_logins(rows) if sees_logins else {}
    for row in rows:
        row.lockout_owner = names.get(row.account, "")
        row.lockout_last = last.get(row.pk)
        # A browser is trusted from the answer to its first login on, which is a moment later.
        row.lockout_first = min(row.first_seen, row.lockout_last or row.first_seen)


def _last_logins(rows: list[Any]) -> dict[Any, Any]:
    # One entry of an index a device: an account may log in every second.
    of_one = SuccessfulLogin.objects.filter(device=OuterRef("pk")).order_by("-timestamp")
    of_rows = TrustedDevice.objects.filter(pk__in=[row.pk for row in rows]).order_by()
    return dict(of_rows.values_list("pk", Subquery(of_one.values("timestamp")[:1])))
