"""Rows as the engine leaves them, written directly."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from lockout_admin.engine.sightings import RefusedSeen
from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents.seen import _row
from lockout_admin.models import FailedLogin, SuccessfulLogin, UserAgent


def rows(
    times: int, name: str = "root", address: str = "198.51.100.7", agent: str = "", **fields: Any
) -> None:
    """Write failures of fresh guesses; a name with ``{}`` is another one each time."""
    client = client_of(address, agent)
    found = [
        FailedLogin.objects.build(
            Subject.of(name.format(one)), client, **{"timestamp": timezone.now(), **fields}
        )
        for one in range(times)
    ]
    FailedLogin.objects.bulk_create(found)


def refused(
    times: int, name: str = "root", address: str = "198.51.100.7", agent: str = "", each: int = 1
) -> None:
    """Write tries that were not compared, `each` a row; a name with ``{}`` is another one."""
    client, now = client_of(address, agent), timezone.now()
    for one in range(times):
        subject = Subject.of(name.format(one))
        _row(RefusedSeen(subject, client, None, last=now, times=each)).save()


def comes_in(name: str, address: str, agent: str = "", **fields: Any) -> None:
    """Write a login."""
    values = {"timestamp": timezone.now(), "account": f"account of {name}", **fields}
    SuccessfulLogin.objects.build(Subject.of(name), client_of(address, agent), **values).save()


def client_of(address: str, agent: str) -> Client:
    """Return a client, and have its user agent be known."""
    if agent:
        UserAgent.objects.remember(agent)
    return Client(address, agent, "/login/")
