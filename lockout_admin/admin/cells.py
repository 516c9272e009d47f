"""Cells: moments to the second, links from what is seen to all that is like it."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..bidi import isolated, technical

#: What is left out of a cell is in its title and on the record's page.
_SHOWN = 60


def moment(value: datetime) -> SafeString:
    """Return a moment in local time, to the second, the same in every language."""
    local = local_time(value)
    return format_html(
        '<time datetime="{}" dir="ltr"><span class="lockout-date">{}</span> {}</time>',
        value.isoformat(),
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M:%S}",
    )


def local_time(value: datetime) -> datetime:
    """Return a moment as the reader's clock has it."""
    return timezone.localtime(value) if timezone.is_aware(value) else value


def remaining(until: datetime) -> SafeString:
    """Return the time that is left, as a clock that a script goes on with."""
    seconds = max(0, int((until - timezone.now()).total_seconds()))
    return format_html('<span class="lockout-remaining" data-seconds="{}" dir="ltr">{}</span>', seconds, clock(seconds))


def clock(seconds: int) -> str:
    """Return a length of time: 75 is 0:01:15; days are hours."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def failures_url(site: str, **filters: Any) -> str:
    """Return where the failures are that `filters` select."""
    url = reverse("admin:lockout_admin_failedlogin_changelist", current_app=site)
    return f"{url}?{urlencode({'time': 'all', **filters})}"


def quoted(text: str) -> SafeString:
    """Return a reason in the reader's quotation marks."""
    return format_html("<q>{}</q>", isolated(text))


def cut(text: str) -> str:
    """Return as much of a text as fits."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def link(url: str, shown: str, title: str) -> SafeString:
    """Return a link."""
    return format_html('<a href="{}" title="{}">{}</a>', url, title, shown)


def account(exists: bool) -> SafeString:
    """Return whether there is an account; one in other letter case is looked for in lower case alone."""
    icon, said = ("yes", _("exists")) if exists else ("no", _("no account of this spelling"))
    return format_html('<img src="{}" alt="{}" title="{}">', static(f"admin/img/icon-{icon}.svg"), said, said)


def name_link(site: str, username: str) -> SafeString:
    """Return a username that leads to all failures on it."""
    if not username:
        # As a filter it would be none.
        return format_html("<em>{}</em>", _("empty"))
    return link(failures_url(site, username=username), isolated(cut(username)), _("All failures on this name"))


def address_links(site: str, address: str | None) -> str:
    """Return an address that leads to all failures from it, and the same for its network."""
    if address is None:
        return "-"
    network = f"{address}/{24 if ip_address(address).version == 4 else 64}"
    return format_html(
        '<bdi dir="ltr">{} <span class="lockout-network">{}</span></bdi>',
        link(failures_url(site, net=address), technical(address), _("All failures from this address")),
        link(failures_url(site, net=network), network[len(address) :], _("All failures from its network")),
    )


def led_to(site: str, username: str, started: datetime, interval: int) -> str:
    """Return where the failures are that led to a lock."""
    after = started - timedelta(seconds=interval)
    before = started + timedelta(seconds=1)
    return failures_url(site, username=username, after=after.isoformat(), before=before.isoformat())
