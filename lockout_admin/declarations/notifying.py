"""The settings of what owners and the security team are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .kinds import Address, Paths, Switch, Text, Whole
from .setting import Setting
from .values import is_list

#: What there may be alerts of.
ALERTS: Final = ("incident", "entry", "staff", "engine")


class Alerts(Setting[Sequence[str]]):
    """What those are alerted of who look after the site."""

    kind = f"a list of some of: {', '.join(ALERTS)}"

    def accepts(self, value: Any) -> bool:
        """Tell whether each entry is something that there are alerts of."""
        return is_list(value) and all(entry in ALERTS for entry in value)


class NotificationSettings:
    """Who is told, how often, and where links lead to."""

    base_url = Address(
        "BASE_URL",
        "",
        help='the site as mails write it, `"https://example.org"`;'
        " empty: owners get no mail, for a link made from the `Host` header is a stranger's",
    )
    notifiers = Paths(
        "NOTIFIERS",
        (
            "lockout_admin.notifications.mail.MailNotifier",
            "lockout_admin.notifications.alerts.AlertNotifier",
        ),
        help="dotted paths of the classes that tell owners and others; empty: nobody is told",
    )
    alerts = Alerts(
        "ALERTS",
        ALERTS,
        help="of what there are alerts: `incident` (a new one), `entry` (an account entered),"
        " `staff` (a lock that a rule put on a member of staff; what staff lock by hand is in the"
        " audit), `engine` (a cache that is down); by mail to those with the permission"
        " `receive_alerts`, by the webhook, in the log",
    )
    contact = Text(
        "CONTACT",
        "",
        help="whom to call where a link does not help, as the pages say it;"
        " text, or a callable that returns it",
    )
    mails_per_hour = Whole(
        "MAILS_PER_HOUR",
        500,
        least=1,
        help="mails of the whole site in an hour; a quarter is kept for those that are asked for,"
        " and a tenth of all for those that are asked for from a mail",
    )
    asked_mails_per_account = Whole(
        "ASKED_MAILS_PER_ACCOUNT",
        6,
        least=1,
        most=100,
        help="mails in 24 h that an account gets because a stranger asks;"
        " as many again for networks that it logged in from",
    )
    asked_mails_per_network = Whole(
        "ASKED_MAILS_PER_NETWORK",
        20,
        least=1,
        help="mails in an hour that one network may ask for, for whatever names",
    )
    notify_in_thread = Switch(
        "NOTIFY_IN_THREAD",
        default=True,
        help="`False`: without a task backend only `lockout_notify` sends, no thread of the site",
    )
    webhook_url = Address(
        "WEBHOOK_URL",
        "",
        help="where `WebhookNotifier` posts to",
    )
    webhook_secret = Text(
        "WEBHOOK_SECRET",
        "",
        help="what it signs with (HMAC-SHA256), text or a callable; without one it posts nothing",
    )
    webhook_to_private = Switch(
        "WEBHOOK_TO_PRIVATE",
        default=False,
        help="`True`: it may post to private, loopback and link-local addresses",
    )
