"""Tells owners by mail: Django's mail backend, a plain text and HTML."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from ..conf import conf
from ..identity.agents import words_of
from . import entrances, holders
from .links import FRESH_LASTS, LASTS
from .notifiers import Kind, Notice, Notifier

#: Nobody and nothing is to answer (RFC 3834).
_HEADERS: Final = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
#: Where the site has set none.
_TIMEOUT_SECS: Final = 30
#: What templates leave between paragraphs.
_GAPS: Final = re.compile(r"\n{3,}")
#: A name that no mail program makes a link of, and that says nothing to its reader.
_HARMLESS: Final = re.compile(r"[\w+-]{1,40}")


class NotSentError(Exception):
    """Nobody has taken the mail."""


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
        if not _backend().send_messages([message]):
            raise NotSentError("The mail backend has sent nothing.")

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
        text = _GAPS.sub("\n\n", body).strip() + "\n"
        message = EmailMultiAlternatives(subject, text, to=to, headers=_HEADERS)
        message.attach_alternative(html, "text/html")
        return message

    def subject(self, notice: Notice) -> str:
        """Return the subject: words of ours, and the site's host."""
        return _SUBJECTS[Kind(notice.row.kind)]() % {"site": _site()}

    def context(self, notice: Notice) -> dict[str, Any]:
        """Return what the templates say."""
        row = notice.row
        return {
            "site": _site(),
            "name": quotable(notice.user),
            "when": timezone.localtime(row.timestamp) if settings.USE_TZ else row.timestamp,
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
            "contact": conf.contact,
        }


def _backend() -> Any:
    """Return Django's mail backend. A server that hangs must not keep the sender for ever."""
    mailers = getattr(mail, "mailers", None)
    backend = mail.get_connection() if mailers is None else mailers.default
    if isinstance(backend, SmtpBackend) and backend.timeout is None:
        backend.timeout = _TIMEOUT_SECS
    return backend


def quotable(user: Any) -> str:
    """Return an account's name; empty for one that could be a message, or become a link.

    Whoever registers a name with somebody else's address may write to them with it.
    """
    name = str(user.get_username())
    is_the_address = name == holders.address_of(user)
    return name if is_the_address or _HARMLESS.fullmatch(name) else ""


def _site() -> str:
    return urlsplit(conf.base_url).hostname or ""


def _asked() -> str:
    return gettext("Your way in to %(site)s")


def _locked() -> str:
    return gettext("Somebody is trying to get into your account at %(site)s")


def _new_device() -> str:
    return gettext("A login from a new device at %(site)s")


def _after_failures() -> str:
    return gettext("A login after many wrong passwords at %(site)s")


_SUBJECTS: Final = {
    Kind.ASKED: _asked,
    Kind.FRESH: _asked,
    Kind.LOCKED: _locked,
    Kind.NEW_DEVICE: _new_device,
    Kind.AFTER_FAILURES: _after_failures,
}
