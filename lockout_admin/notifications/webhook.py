"""Tells the security team: a signed POST to one address.

Signed as Standard Webhooks are (standardwebhooks.com, v1): HMAC-SHA256 over id, time and body, so
that a receiver can tell what is ours, what is old, and what came twice.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import ssl
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation

from ..conf import conf
from ..models import Outbox
from .addresses import Deadline, TimedSocket, connected
from .notifiers import Kind, Notice, Notifier
from .wording import Wording

#: For one post, from its connection to the answer.
_TIMEOUT_SECS: Final = 10.0
_PREFIX: Final = "whsec_"


class NotTakenError(Exception):
    """The receiver did not say that it has the message."""


class WebhookNotifier(Notifier):
    """A POST of JSON to ``WEBHOOK_URL``, for every name, whether or not an account has it.

    Anything but an answer of 200 to 299 is a failure, a redirect too: it may lead inside.
    """

    kinds = (Kind.LOCKED, Kind.NEW_DEVICE, Kind.AFTER_FAILURES, *Outbox.OF_THE_SITE)

    @classmethod
    def is_on(cls) -> bool:
        """Tell whether there is somewhere to post to, and a secret to sign with."""
        return bool(conf.webhook_url and conf.webhook_secret)

    @classmethod
    def most_per_hour(cls) -> int:
        """Return how many are posted in an hour: strangers lock as many names as they make up."""
        return 3600

    @classmethod
    def why_not(cls, row: Outbox) -> str:
        """Leave out an alert whose matter is settled."""
        is_settled = row.kind in Outbox.ALERTS and Wording.of(row) is None
        return Outbox.Why.NOT_NEW if is_settled else ""

    def notify(self, notice: Notice) -> None:
        """Post it; raise `NotTakenError` or what the network raises."""
        body = json.dumps(self.content(notice)).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "lockout_admin",
            **signature(conf.webhook_secret, f"msg_{notice.row.nonce}", int(time.time()), body),
        }
        status = _post(conf.webhook_url, body, headers)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotTakenError(f"The receiver answered {status}.")

    def content(self, notice: Notice) -> dict[str, Any]:
        """Return what is posted."""
        row = notice.row
        data = {
            "username": row.username,
            "account": row.account,
            "failures": row.failures,
            "until": row.until.isoformat() if row.until else None,
            "ip_address": row.ip_address,
            "browser": row.agent,
            "entrance": row.entrance,
        }
        if row.kind in Outbox.ALERTS:
            data |= self.alert(row)
        return {
            "type": f"lockout.{row.kind}",
            "timestamp": row.timestamp.isoformat(),
            "data": data,
        }

    def alert(self, row: Outbox) -> dict[str, Any]:
        """Return what an alert has beside: why it is told, in the site's language, and the page."""
        with translation.override(settings.LANGUAGE_CODE):
            wording = Wording.of(row)
        if wording is None:
            return {}
        return {"reason": f"{wording.title}. {wording.reason}", "page": wording.page}


def signature(secret: str, message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that say who wrote a body, and when; `timestamp` in Unix seconds."""
    signed = f"{message}.{timestamp}.".encode() + body
    mac = hmac.digest(_key(secret), signed, "sha256")
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def _post(url: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    deadline = Deadline(_TIMEOUT_SECS)
    # The name is asked for once: another answer to a second question leads nowhere.
    sock = connected(host, port, deadline, to_private=conf.webhook_to_private)
    context = ssl.create_default_context()
    connection: Any = (
        HTTPSConnection(host, port, context=context) if is_secure else HTTPConnection(host, port)
    )
    try:
        if is_secure:
            sock.settimeout(deadline.left())
            sock = context.wrap_socket(sock, server_hostname=host)
        connection.sock = TimedSocket(sock, deadline)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.request("POST", path, body, headers)
        status: int = connection.getresponse().status
        return status
    finally:
        connection.close()
        sock.close()
