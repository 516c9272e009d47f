"""What all mails have in common: their headers, their backend, the site that they are from."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

from ..conf import conf

#: Nobody and nothing is to answer (RFC 3834).
HEADERS: Final = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
#: Where the site has set none.
_TIMEOUT_SECS: Final = 30
#: What templates leave between paragraphs.
_GAPS: Final = re.compile(r"\n{3,}")


class NotSentError(Exception):
    """Nobody has taken the mail."""


def send(message: EmailMultiAlternatives) -> None:
    """Send a mail; raise `NotSentError`, or what the backend raises."""
    if not _backend().send_messages([message]):
        raise NotSentError("The mail backend has sent nothing.")


def tidy(body: str) -> str:
    """Return a text as mails have it, without the gaps of its template."""
    return _GAPS.sub("\n\n", body).strip() + "\n"


def site() -> str:
    """Return the host of the site."""
    return urlsplit(conf.base_url).hostname or ""


def _backend() -> Any:
    """Return Django's mail backend. A server that hangs must not keep the sender for ever."""
    mailers = getattr(mail, "mailers", None)
    backend = mail.get_connection() if mailers is None else mailers.default
    if isinstance(backend, SmtpBackend) and backend.timeout is None:
        backend.timeout = _TIMEOUT_SECS
    return backend
