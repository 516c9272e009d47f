"""The demo's post: mails stay on this machine, and are read in the browser."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend

#: Mails that are shown.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, as its plain text has it."""

    to: str
    subject: str
    when: str
    text: str


class EmailBackend(BaseEmailBackend):
    """Puts each mail into a file of its own."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Write them; whole or not at all, for somebody may be reading."""
        for message in email_messages:
            name = f"{time.time_ns():020}-{secrets.token_hex(4)}"
            path = folder() / f"{name}.part"
            path.write_bytes(message.message().as_bytes())
            path.rename(path.with_suffix(".eml"))
        return len(email_messages)


def folder() -> Path:
    """Return where the mails are."""
    path: Path = settings.DATA_DIR / "mail"  # type: ignore[misc]
    path.mkdir(parents=True, exist_ok=True)
    return path


def letters() -> Iterator[Letter]:
    """Yield the latest mails, the newest first."""
    for path in sorted(folder().glob("*.eml"), reverse=True)[:SHOWN]:
        mail = message_from_bytes(path.read_bytes(), EmailMessage, policy=policy.default)
        body = mail.get_body(("plain",))
        text = body.get_content() if body else ""
        yield Letter(str(mail["To"]), str(mail["Subject"]), str(mail["Date"]), text)
