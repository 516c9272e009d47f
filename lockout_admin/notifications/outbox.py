"""Puts a message into the outbox: one INSERT, the same for every name, account or not."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.db import DataError, Error, OperationalError, router
from django.utils.translation import get_language

from ..identity.agents import family_of
from ..identity.client import Client
from ..identity.subject import USERNAME_MAX_LENGTH
from ..models import Outbox
from ..models.transactions import on_commit, shielded
from . import notifiers, running
from .entrances import entrance_of

logger = logging.getLogger("lockout_admin")


def put(kind: Outbox.Kind, subject: int, username: str, client: Client, **facts: Any) -> str:
    """Write a message for each notifier that tells of `kind`, and wake a sender.

    Returns the nonce of the message. Nobody is looked up, nothing is sent, and nothing is raised.
    """
    nonce = secrets.token_urlsafe(32)
    rows = [
        Outbox(
            kind=kind,
            notifier=path,
            subject=subject,
            username=username,
            ip_address=client.ip_address,
            agent=family_of(client.user_agent),
            entrance=entrance_of(client.path),
            language=(get_language() or "")[:16] if kind in Outbox.WAITED_FOR else "",
            nonce=nonce,
            **facts,
        )
        for path in notifiers.in_force(kind)
    ]
    try:
        if rows:
            _write(rows)
            on_commit(Outbox, running.wake)
    except Error:
        logger.exception("message_not_kept: the database refused a message.")
    return nonce


def _write(rows: list[Outbox]) -> None:
    try:
        _insert(rows)
    except (DataError, OperationalError):
        # A column of an older character set, which strangers know how to use.
        for row in rows:
            row.username = ascii(row.username)[1:-1][:USERNAME_MAX_LENGTH]
        _insert(rows)


def _insert(rows: list[Outbox]) -> None:
    """Write rows with one statement. No receiver of other apps is asked, as in all of a login."""
    manager: Any = Outbox._base_manager
    fields = [field for field in Outbox._meta.concrete_fields if not field.primary_key]
    with shielded(Outbox):
        manager._insert(rows, fields=fields, using=router.db_for_write(Outbox))
