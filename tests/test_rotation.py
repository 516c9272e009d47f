"""A new SECRET_KEY: what was recorded under the older ones is found while they are fallbacks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client, override_settings

from lockout_admin import lockout
from lockout_admin.engine.releases import LockSelection, release_all
from lockout_admin.evidence.filters import FailureFilter, LockFilter
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, UserAgent

from .conftest import request_from

pytestmark = pytest.mark.django_db

AGENT = "curl/8.0"


@pytest.fixture
def rotated(settings: Any) -> Any:
    """Alice fails and is locked under an old key; then, under the new one, she fails again."""
    present = settings.SECRET_KEY

    def fail() -> None:
        UserAgent.objects.remember(AGENT)
        FailedLogin.objects.create("Alice", request_from(**{"user-agent": AGENT}))

    with override_settings(SECRET_KEY="an old key of which nobody knows any more"):
        fail()
        lockout.lock_account("alice", 3600)
    settings.SECRET_KEY = present
    settings.SECRET_KEY_FALLBACKS = ["an old key of which nobody knows any more"]
    fail()


@pytest.mark.parametrize("query", ["username=ALICE", f'agent="{AGENT}"', "agent=curl"])
def test_filters_find_what_is_older(rotated: None, query: str) -> None:
    assert FailureFilter(QueryDict(query), FailedLogin.objects.all()).qs.count() == 2


def test_the_history_finds_the_lock(rotated: None) -> None:
    assert LockFilter(QueryDict("username=alice"), AccountLock.objects.all()).qs.count() == 1


def test_search_finds_what_is_older(rotated: None, admin_client: Client) -> None:
    page = admin_client.get("/admin/lockout_admin/failedlogin/", {"q": "aLICE"})
    assert page.context["cl"].result_count == 2


def test_the_export_finds_what_is_older(rotated: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("lockout_export", "failures", "--where", f'username=alice&agent="{AGENT}"')
    assert capsys.readouterr().out.count("Alice") == 2


@pytest.mark.parametrize("is_flushed", [True, False])
@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("way", ["command", "verb", "console"])
def test_an_unlock_ends_the_lock_under_each_key(
    way: str, is_new: bool, is_flushed: bool, rotated: None
) -> None:
    if is_new:
        lockout.unlock_account("alice")
        lockout.lock_account("alice", 3600)
    if is_flushed:
        cache.clear()
    assert lockout.is_account_locked("alice")
    if way == "command":
        call_command("lockout_unlock", "alice", verbosity=0)
    elif way == "verb":
        assert lockout.unlock_account("alice")
    else:
        selection = LockSelection(AccountLock.objects.open())
        release_all(selection, selection.extent().top, "sam", "")
    assert not lockout.is_account_locked("alice")
    assert not AccountLock.objects.open().exists()


def test_a_masked_name_is_found_under_its_own_key_only(rotated: None) -> None:
    """What its name was, nobody can tell: so there is no other key to look under."""
    AccountLock.objects.update(label=Subject.of("alice").masked)
    row = AccountLock.objects.get()
    selection = LockSelection(AccountLock.objects.open())
    assert release_all(selection, row.pk, "sam", "").unlocked == 1
