"""Cells: moments to the second, links from a value to all failures that have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..engine.tallies import Tally
from ..evidence import leads
from ..evidence.agents import described
from ..evidence.bidi import isolated, set_apart, technical
from ..figures import grouped
from ..models import AccountLock, NetworkRule
from ..models.fields import parse_network

#: A length of time in days and a clock.
_DAYS = gettext_lazy("%(days)s d %(time)s")
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
    """Return the time that is left, as a clock that a script counts down."""
    seconds = max(0, int((until - timezone.now()).total_seconds()))
    return format_html(
        '<span class="lockout-remaining" data-seconds="{}" data-days="{}" dir="auto">{}</span>',
        seconds,
        # What the script fills in.
        _DAYS % {"days": "#", "time": "@"},
        clock(seconds),
    )


def clock(seconds: int) -> str:
    """Return a length of time: 75 is 0:01:15, a day and a second is 1 d 0:00:01."""
    days, rest = divmod(seconds, 24 * 60 * 60)
    time = f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
    return _DAYS % {"days": days, "time": time} if days else time


def why(row: AccountLock) -> SafeString:
    """Return the rule that put a lock on; for a lock by hand who did it, and the note."""
    rule = technical(row.rule) if row.rule else _("by hand")
    who = _("locked by %(who)s") % {"who": row.locked_by}
    reason = who if row.locked_by else row.get_reason_display()
    note = format_html("<br>{}", quoted(row.note)) if row.note else ""
    return format_html("{}<br><small>{}</small>{}", rule, isolated(reason), note)


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of record that cells lead to, and what the links say."""

    model: str
    of_name: Any
    from_address: Any
    from_network: Any

    def url(self, site: str, **filters: Any) -> str:
        """Return the URL of the records that `filters` select."""
        url = reverse(f"admin:lockout_admin_{self.model}_changelist", current_app=site)
        return f"{url}?{urlencode({'time': 'all', **filters})}"


FAILURES: Final = Target(
    "failedlogin",
    gettext_lazy("All failures on this name"),
    gettext_lazy("All failures from this address"),
    gettext_lazy("All failures from its network"),
)
SUCCESSES: Final = Target(
    "successfullogin",
    gettext_lazy("All logins with this name"),
    gettext_lazy("All logins from this address"),
    gettext_lazy("All logins from its network"),
)


def quoted(text: str) -> SafeString:
    """Return a reason in the reader's quotation marks."""
    return format_html("<q>{}</q>", isolated(text))


def cut(text: str) -> str:
    """Return the start of a text, as much as fits."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def link(url: str, shown: Any, title: Any) -> SafeString:
    """Return a link."""
    return format_html('<a href="{}" title="{}">{}</a>', url, title, shown)


def name_link(site: str, username: str, to: Target = FAILURES) -> SafeString:
    """Return a username that leads to its page, or where there is none to all records of it."""
    if not username:
        # An empty filter would select every name.
        return format_html("<em>{}</em>", _("empty"))
    url = leads.to_name(site, username) or to.url(site, username=username)
    return _copied(username, url, isolated(cut(username)))


def network_link(site: str, network: str, to: Target = FAILURES) -> SafeString:
    """Return an address or a network that leads to its page, or to all records from there."""
    url = leads.to_network(site, network) or to.url(site, net=network)
    return _copied(network, url, technical(network))


def _copied(text: str, url: str, shown: Any) -> SafeString:
    # In a list, the text may be cut.
    title = f"{set_apart(text)}: {_('All there is of it')}"
    return format_html('<a href="{}" title="{}" data-copy="{}">{}</a>', url, title, text, shown)


def label_link(site: str, row: AccountLock) -> SafeString:
    """Return what a lock is on, leading to all failures on it or from it."""
    filters = filters_of(row)
    if "net" in filters:
        return network_link(site, row.label)
    return name_link(site, row.label) if filters or not row.label else isolated(row.label)


def filters_of(row: AccountLock) -> dict[str, str]:
    """Return the filter of the failures that a lock is about, if there is one."""
    if row.subject is not None:
        return {"username": row.label}
    try:
        return {"net": str(parse_network(row.label))}
    except ValidationError:
        return {}


def address_links(
    site: str, address: str | None, to: Target = FAILURES, *, may_block: bool = False
) -> str:
    """Return an address that leads to all records from it, and the same for its network."""
    if address is None:
        return "-"
    prefix = 24 if ip_address(address).version == 4 else 64
    network = str(ip_network(f"{address}/{prefix}", strict=False))
    around = leads.to_network(site, network) or to.url(site, net=network)
    return format_html(
        '<bdi dir="ltr">{} <span class="lockout-network" data-copy="{}">{}</span></bdi>{}',
        network_link(site, address, to),
        network,
        link(around, f"/{prefix}", to.from_network),
        block_link(site, address) if may_block else "",
    )


def block_link(site: str, address: str) -> SafeString:
    """Return a link to the form that blocks the network of an address; none without that page."""
    prefix = 32 if ip_address(address).version == 4 else 64
    network = str(ip_network(f"{address}/{prefix}", strict=False))
    action = NetworkRule.Action.BLOCK
    url = leads.to_page(site, "networkrule_add", action=action, cidr=network)
    if not url:
        return SafeString()
    label = _("Block %(network)s") % {"network": network}
    return format_html(
        ' <a class="lockout-block" href="{}" aria-label="{}" title="{}">{}</a>',
        url,
        label,
        label,
        _("Block"),
    )


def agent_in_words(agent: str) -> SafeString:
    """Return a user agent in words, with what it sent for whoever asks."""
    words = described(agent)
    shown = technical(words) if words == agent else isolated(words)
    return format_html('<span class="lockout-cut" title="{}">{}</span>', agent, shown)


def agent_link(site: str, agent: str, to: Target) -> SafeString:
    """Return a user agent in words, leading to all records that have it."""
    return link(to.url(site, agent=f'"{agent}"'), agent_in_words(agent), agent)


def refusals(
    site: str, tally: Tally, most: int | None = None, *, may_block: bool = False
) -> SafeString:
    """Return what a lock refused: how often, when last, and where some of it came from."""
    if tally.last is None:
        return format_html("{}", grouped(tally.count))
    last = format_html("{} ({} {})", grouped(tally.count), _("last"), moment(tally.last))
    return sources(site, last, tally.addresses, most, may_block=may_block)


def sources(
    site: str,
    said: object,
    addresses: Sequence[str],
    most: int | None = None,
    *,
    may_block: bool = False,
) -> SafeString:
    """Return what was said, and from which addresses it came."""
    shown = [
        (
            network_link(site, one),
            block_link(site, one) if may_block else "",
        )
        for one in addresses[:most]
    ]
    more = "…" if len(shown) < len(addresses) else ""
    return format_html("{} {}{}", said, format_html_join(", ", "{}{}", shown), more)


def led_to(site: str, row: AccountLock, first: datetime) -> str:
    """Return the URL of the failures that led to a lock; the first of them came at `first`."""
    end = row.started_at + timedelta(seconds=1)
    span = {"after": first.isoformat(), "before": end.isoformat()}
    return FAILURES.url(site, **filters_of(row), **span)
