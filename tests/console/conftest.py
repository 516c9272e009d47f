"""The cast of the console: Sam answers the phone, Olga runs operations, an analyst looks.

A stranger has no permission at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from lockout_admin.engine import locks
from lockout_admin.engine.rules import matter_of
from lockout_admin.identity.client import Client as Visitor
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin, UserAgent

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

#: Role -> group, permissions.
ROLES: dict[str, tuple[list[str], list[str]]] = {
    "support": (["lockout support"], []),
    "security": (["lockout security"], []),
    "analyst": ([], ["view_failedlogin", "view_successfullogin", "view_accountlock"]),
    "stranger": ([], []),
}


@pytest.fixture
def staff(db: None) -> Callable[[str], Client]:
    """Return the browser of a member of staff, by role; ``root`` is a superuser."""

    def staff(role: str) -> Client:
        users = get_user_model().objects
        client = Client()
        if role == "root":
            user = users.create_superuser(role, password="right")
        else:
            call_command("lockout_groups", stdout=open_null())
            groups, codenames = ROLES[role]
            user = users.create_user(role, is_staff=True)
            user.groups.set(Group.objects.filter(name__in=groups))
            user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return staff


class _Nothing:
    def write(self, text: str) -> int:
        return len(text)


def open_null() -> Any:
    """Return a stream for what nobody reads."""
    return _Nothing()


@pytest.fixture
def fail(db: None) -> Callable[..., FailedLogin]:
    """Record a failure."""

    def fail(
        username: str = "alice", agent: str = FIREFOX, ago: float = 0, **fields: Any
    ) -> FailedLogin:
        if agent:
            UserAgent.objects.remember(agent)
        return FailedLogin.objects.create(
            username,
            timestamp=timezone.now() - timedelta(seconds=ago),
            user_agent_id=UserAgent.objects.key_of(agent),
            **{"ip_address": "203.0.113.7", "path": "/login/", **fields},
        )

    return fail


@pytest.fixture
def enter(db: None) -> Callable[..., SuccessfulLogin]:
    """Record a login."""

    def enter(
        username: str = "alice", agent: str = FIREFOX, ago: float = 0, **fields: Any
    ) -> SuccessfulLogin:
        UserAgent.objects.remember(agent)
        success = SuccessfulLogin.objects.build(
            Subject.of(username),
            Visitor("203.0.113.7", agent, "/login/"),
            timestamp=timezone.now() - timedelta(seconds=ago),
            **fields,
        )
        success.save()
        return success

    return enter


@pytest.fixture
def lock(db: None) -> Callable[..., AccountLock]:
    """Put a lock on, as the limit does."""

    def lock(username: str = "alice", seconds: int = 600, **fields: Any) -> AccountLock:
        rule = "" if fields.get("reason") == "manual" else "account"
        led = {"rule": rule, "failures": 4, "grows": True, **fields}
        matter = replace(matter_of(Subject.of(username)), scope=led.pop("scope", "account"))
        return locks.begin(matter, seconds, **led)

    return lock


def list_url(model: str, query: str = "") -> str:
    """Return where a list is."""
    return reverse(f"admin:lockout_admin_{model}_changelist") + query


def page_url(row: Any, model: str = "", page: str = "change") -> str:
    """Return where a record is."""
    return reverse(f"admin:lockout_admin_{model or row._meta.model_name}_{page}", args=[row.pk])


def names(response: Any) -> list[str]:
    """Return the usernames of the rows of a list."""
    return [getattr(row, "label", "") or row.username for row in response.context["cl"].result_list]


def said(response: Any) -> str:
    """Return the messages on a page."""
    return " ".join(str(message) for message in response.context["messages"])


def confirm(
    client: Client, url: str, answer: Any, reason: str = "Ticket 4711", **changes: Any
) -> Any:
    """Send a confirmation page back, with a reason."""
    fields: dict[str, list[str]] = {}
    for name, value in answer.context["hidden"]:
        fields.setdefault(name, []).append(value)
    return client.post(url, {**fields, "reason": reason, **changes}, follow=True)


def undone(answer: Any) -> list[str]:
    """Return the names of the locks that a confirmation page shows."""
    return [unescape(strip_tags(lock.name)) for lock in answer.context["locks"]]


def insist(client: Client, url: str, form: dict[str, Any]) -> Any:
    """Lock by hand, and do it all the same though there is a warning."""
    return client.post(url, {**form, **consent(client.post(url, form))}, follow=True)


def consent(answer: Any) -> dict[str, str]:
    """Return the consent that a warning asks for."""
    form = answer.context["adminform"].form
    return {"anyway": form.fields["anyway"].widget.attrs.get("value", "")}


@pytest.fixture
def browsers(staff: Callable[[str], Client]) -> Callable[[str], Client]:
    """Return the browser of a role: the same one each time."""
    return cache(staff)
