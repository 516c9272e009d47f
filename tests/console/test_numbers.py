"""Numbers are told with separators, on every page and in what is said of what was done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from lockout_admin.admin import networks, unlocking
from lockout_admin.engine.releases import Outcome
from lockout_admin.identity.network import number_of
from lockout_admin.identity.subject import Subject
from lockout_admin.models import (
    AccountLock,
    Incident,
    IncidentName,
    IncidentNetwork,
)

from .conftest import list_url

APP = "/admin/lockout_admin/"
#: So many digits in a row, where no year and no part of a moment, an address or a name.
UNGROUPED = re.compile(r"(?<![\w.:/#-])(?!20\d\d\b)\d{4,}(?![\w:/-])")


@pytest.fixture
def pages(lock: Callable[..., AccountLock], fail: Callable[..., Any]) -> dict[str, str]:
    """An attack of thousands, and where it is told of; what each page is sure to say."""
    now = timezone.now()
    fail("alice")
    held = lock("alice", failures=7_654)
    AccountLock.objects.filter(pk=held.pk).update(refused=54_321)
    counts = {"evaluated": 12_345, "refused": 67_890}
    incident = Incident.objects.create(
        kind="spraying",
        about="192.0.2.0/24",
        started_at=now - timedelta(hours=2),
        last_seen_at=now,
        names=23_456,
        names_existing=5_678,
        networks=34_567,
        entered=4_567,
        sign="names-hour",
        counted=8_765,
        least=5_432,
        **counts,
    )
    IncidentName.objects.create(
        incident=incident,
        subject=Subject.of("alice").key,
        username="alice",
        exists=True,
        entered_at=now,
        **counts,
    )
    IncidentNetwork.objects.create(
        incident=incident,
        network="192.0.2.7/32",
        number=number_of("192.0.2.7/32"),
        entered=4_321,
        honest=6_543,
        **counts,
    )
    return {
        "/admin/": "23,456 names",
        APP: "54,321 refused",
        list_url("incident"): "34,567",
        f"{list_url('incident')}{incident.pk}/change/": "5,678 of accounts",
        list_url("activelock"): "54,321",
        f"{list_url('activelock')}{held.pk}/unlock/": "54,321",
        list_url("accountlock"): "54,321",
        f"{APP}accountlock/search/?q=alice": "54,321",
        f"{APP}accountlock/search/?q=192.0.2.7": "192.0.2.7",
    }


def test_pages_tell_numbers_with_separators(staff: Any, pages: dict[str, str]) -> None:
    client: Client = staff("root")
    for url, sure in pages.items():
        response = client.get(url, follow=True)
        assert response.status_code == 200, url
        # Tags part what is beside each other.
        text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", response.content.decode())
        assert sure in text, url
        assert UNGROUPED.findall(text) == [], url


def test_what_was_done_is_told_with_separators() -> None:
    outcome = Outcome(unlocked=100_000, held=0, finished=True, cache_cleared=True, last="")
    assert unlocking._what_came_of(outcome, 100_000) == "100,000 locks ended."
    assert networks._said_of_deletion(5_000) == "5,000 network rules were deleted."
    with translation.override("de"):
        assert unlocking._what_came_of(outcome, 100_000).startswith("100.000 ")
