"""Alerts those who look after the site: by mail here, by the webhook, and in the log.

Whoever has the permission `receive_alerts` gets them, and may see what an alert is about.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from ..conf import conf
from ..engine.journal import outside_transactions
from ..identity.client import Client
from ..models import Incident, IncidentEvent, Outbox
from . import holders, mailing, notifiers, outbox, silences
from .notifiers import Notice, Notifier
from .wording import Wording

Kind = Outbox.Kind
What = IncidentEvent.What

RECEIVE: Final = "lockout_admin.receive_alerts"
_NAMES: Final = "lockout_admin.view_failedlogin"
#: Kind of alert -> its name in ``ALERTS``, and the permissions to see what it is about.
_OF: Final = {
    Kind.INCIDENT: ("incident", ["lockout_admin.view_incident"]),
    Kind.ENTRY: ("entry", ["lockout_admin.view_incident", "lockout_admin.view_successfullogin"]),
    # It tells which name has an account.
    Kind.STAFF: ("staff", ["lockout_admin.view_accountlock", _NAMES]),
    Kind.DEGRADED: ("engine", [RECEIVE]),
    Kind.WELL: ("engine", [RECEIVE]),
}
#: People whom one alert goes to, and of whom some may not see it.
_MOST: Final = 100
_PER_HOUR: Final = 60
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


class AlertNotifier(Notifier):
    """One mail to all who have the permission, each unseen by the others."""

    kinds = Outbox.ALERTS

    @classmethod
    def is_on(cls) -> bool:
        """Tell whether the site has said where links lead to, and what there are alerts of."""
        return bool(conf.base_url and conf.alerts)

    @classmethod
    def most_per_hour(cls) -> int:
        """Return how many alerts there are in an hour, whatever happens."""
        return min(_PER_HOUR, conf.mails_per_hour)

    @classmethod
    def why_not(cls, row: Outbox) -> str:
        """Tell nobody where nobody is to be told, or what an alert was about is settled."""
        if Wording.of(row) is None:
            return Outbox.Why.NOT_NEW
        return "" if recipients(row.kind) else Outbox.Why.NO_ADDRESS

    def notify(self, notice: Notice) -> None:
        """Send it."""
        with translation.override(settings.LANGUAGE_CODE):
            people = recipients(notice.row.kind)
            sees_names = all(user.has_perm(_NAMES) for user in people)
            wording = Wording.of(notice.row, sees_names=sees_names)
            if wording is not None:
                mailing.send(self.message(notice, wording, people))

    def message(
        self, notice: Notice, wording: Wording, people: list[Any]
    ) -> EmailMultiAlternatives:
        """Return the mail to people, in the active language."""
        context = {"wording": wording, "site": mailing.site(), "row": notice.row}
        body, html = (
            render_to_string(f"lockout_admin/mail/alert.{kind}", context)
            for kind in ("txt", "html")
        )
        message = EmailMultiAlternatives(
            _("%(what)s (%(site)s)") % {"what": wording.title, "site": mailing.site()},
            mailing.tidy(body),
            bcc=[holders.address_of(user) for user in people],
            headers={**mailing.HEADERS, "To": "undisclosed-recipients:;"},
        )
        message.attach_alternative(html, "text/html")
        return message


def recipients(kind: str) -> list[Any]:
    """Return who gets an alert: whoever has the permission, an address, and may see the matter."""
    manager: Any = get_user_model()._default_manager
    if not hasattr(manager, "with_perm"):
        return []
    holding = manager.with_perm(RECEIVE, backend=_BACKEND).order_by("pk")[:_MOST]
    may_see = _OF[Kind(kind)][1]
    return [
        user for user in holding if holders.address_of(user) and all(map(user.has_perm, may_see))
    ]


# -- What there are alerts of -------------------------------------------------------------------


def put(kind: Kind, topic: str, username: str = "", subject: int = 0, **facts: Any) -> None:
    """Write an alert for each notifier, unless the site wants none, or one that waits says it."""
    is_wanted = _OF[kind][0] in conf.alerts and notifiers.in_force(kind)
    if is_wanted and not silences.is_said(kind, topic):
        outbox.put(kind, subject, username, Client(), topic=topic, **facts)


def incident_has_changed(incident: Incident, what: str, **signal: Any) -> None:
    """Tell of a new incident, of one that goes on again, and of accounts that were entered."""
    if what in (What.FOUND, What.RESUMED):
        put(Kind.INCIDENT, f"incident:{incident.pk}")
    elif what == What.ENTERED:
        put(Kind.ENTRY, f"incident:{incident.pk}:entered")


def engine_has_changed(name: str, is_well: bool, reason: str = "", **signal: Any) -> None:
    """Tell that a cache is down, or is back, whatever becomes of the transaction around it."""
    kind = Kind.WELL if is_well else Kind.DEGRADED
    topic = f"engine:{name}"[:64]
    outside_transactions(Outbox, partial(put, kind, topic, name[:150], reason=reason[:255]))


def staff_is_locked(user: Any, message: Outbox, **signal: Any) -> None:
    """Tell of the lock of an account of staff."""
    facts = {
        "failures": message.failures,
        "until": message.until,
        "account": str(user.pk),
        "timestamp": message.timestamp,
    }
    topic = f"staff:{user.pk}"[:64]
    put(Kind.STAFF, topic, user.get_username()[:150], message.subject, **facts)
