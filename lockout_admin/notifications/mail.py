"""Tells owners by mail: Django's mail backend, a plain text and HTML."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from ..conf import conf
from ..identity.agents import words_of
from . import entrances, holders, mailing
from .links import ENTERED_LASTS, FRESH_LASTS, LASTS
from .notifiers import Kind, Notice, Notifier

#: A name that no mail program makes a link of, and that says nothing to its reader.
_HARMLESS: Final = re.compile(r"[\w+-]{1,40}")


class MailNotifier(Notifier):
    """A mail to the address of the account.

    A site changes the texts with templates of the same names, and who is written to how by a
    subclass.
    """

    to_owner = True

    @classmethod
    def is_on(cls) -> bool:
        """Tell whether the site has said where links lead to."""
        return bool(conf.base_url)

    def notify(self, notice: Notice) -> None:
        """Send it."""
        with translation.override(self.language(notice)):
            message = self.message(notice)
        mailing.send(message)

    def language(self, notice: Notice) -> str:
        """Return the language: of the page that asked, else the site's."""
        return notice.row.language or settings.LANGUAGE_CODE

    def message(self, notice: Notice) -> EmailMultiAlternatives:
        """Return the mail, in the active language."""
        context = self.context(notice)
        body, html = (
            render_to_string(f"lockout_admin/mail/{notice.row.kind}.{kind}", context)
            for kind in ("txt", "html")
        )
        to = [holders.address_of(notice.user)]
        subject = self.subject(notice)
        text = mailing.tidy(body)
        message = EmailMultiAlternatives(subject, text, to=to, headers=mailing.HEADERS)
        message.attach_alternative(html, "text/html")
        return message

    def subject(self, notice: Notice) -> str:
        """Return the subject: words of ours, and the site's host."""
        return _SUBJECTS[Kind(notice.row.kind)]() % {"site": mailing.site()}

    def context(self, notice: Notice) -> dict[str, Any]:
        """Return what the templates say."""
        row = notice.row
        return {
            "site": mailing.site(),
            "name": quotable(notice.user),
            "when": _local(row.happened_at or row.timestamp),
            "until": row.until,
            "failures": row.failures,
            "address": row.ip_address,
            "agent": words_of(row.agent),
            "entrance": entrances.words_of(row.entrance),
            "link": notice.link,
            "code": notice.code,
            "minutes": LASTS // 60,
            "fresh": notice.fresh,
            "days": FRESH_LASTS // 86400,
            "place": row.reason,
            "link_days": ENTERED_LASTS // 86400,
            "contact": conf.contact,
        }


def _local(moment: datetime) -> datetime:
    return timezone.localtime(moment) if settings.USE_TZ else moment


def quotable(user: Any) -> str:
    """Return an account's name; empty for one that could be a message, or become a link.

    Whoever registers a name with somebody else's address may write to them with it.
    """
    name = str(user.get_username())
    is_the_address = name == holders.address_of(user)
    return name if is_the_address or _HARMLESS.fullmatch(name) else ""


def _asked() -> str:
    return gettext("Your way in to %(site)s")


def _locked() -> str:
    return gettext("Somebody is trying to get into your account at %(site)s")


def _new_device() -> str:
    return gettext("A login from a new device at %(site)s")


def _after_failures() -> str:
    return gettext("A login after many wrong passwords at %(site)s")


def _entered() -> str:
    return gettext("Somebody was in your account at %(site)s")


_SUBJECTS: Final = {
    Kind.ASKED: _asked,
    Kind.FRESH: _asked,
    Kind.LOCKED: _locked,
    Kind.NEW_DEVICE: _new_device,
    Kind.AFTER_FAILURES: _after_failures,
    Kind.ENTERED: _entered,
}
