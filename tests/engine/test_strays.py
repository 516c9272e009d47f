"""Locks that only the store knows refuse, are found, and can be ended."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import transaction

from lockout_admin import lockout
from lockout_admin.engine import entries, known, strays, tallies
from lockout_admin.engine.entries import Lock
from lockout_admin.engine.store import store
from lockout_admin.identity.subject import Subject, digest
from lockout_admin.models import AccountLock

from ..conftest import request_from


def lose_rows() -> None:
    """Restore a backup that is older than the locks."""
    AccountLock.objects.all().delete()


def found() -> list[str]:
    return [stray.lock.label for stray in strays.find()]


@pytest.mark.parametrize("by", ["rule", "hand"])
def test_a_lock_whose_row_is_lost_is_found(alice: Any, guess: Any, by: str) -> None:
    if by == "rule":
        guess(times=4)
    else:
        lockout.lock_account("alice", 60)
    assert found() == []
    lose_rows()
    assert found() == ["alice"]
    assert lockout.is_account_locked("alice")


@pytest.mark.django_db(transaction=True)
def test_a_lock_whose_row_is_rolled_back_refuses_nobody(alice: Any) -> None:
    with transaction.atomic():
        lockout.lock_account("alice", 86400)
        transaction.set_rollback(True)
    assert not lockout.is_account_locked("alice")
    assert found() == []
    assert authenticate(request_from(), username="alice", password="right")


def test_a_lock_that_an_unlock_could_not_delete_is_found(alice: Any, monkeypatch: Any) -> None:
    lockout.lock_account("alice", 60)
    with monkeypatch.context() as outage:
        outage.setattr(store, "clear", lambda keys, proof=(): False)
        assert lockout.unlock_account("alice")
    assert found() == ["alice"]
    assert lockout.unlock_account("alice")
    assert found() == []
    assert authenticate(request_from(), username="alice", password="right")


def test_a_stray_is_unlocked_by_its_name_and_recorded(alice: Any) -> None:
    lockout.lock_account("alice", 60, note="Phishing report")
    lose_rows()
    assert lockout.unlock_account("ALICE", by="sam", note="Ticket 4711")
    assert not lockout.is_account_locked("alice")
    row = AccountLock.objects.get()
    assert (row.note, row.ended_by, row.end_note) == (strays.NOTE, "sam", "Ticket 4711")


def test_a_stray_on_record_is_a_lock_like_any_other(alice: Any) -> None:
    lock = lockout.lock_account("alice", 60)
    authenticate(request_from(), username="alice", password="right")
    lose_rows()
    row = strays.record(strays.find()[0])
    authenticate(request_from(), username="alice", password="right")
    assert found() == []
    assert (row.label, row.reason, row.until) == (lock.label, lock.reason, lock.until)
    assert row.state == AccountLock.State.OPEN
    assert tallies.read([row])[row.pk].count == 2
    assert lockout.get_lock("alice") == known.of_rows([row])[row.pk].lock


def test_a_stray_that_lost_its_place_in_the_index_gets_it_back_when_it_refuses(
    alice: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("lockout_admin.engine.entries._PLACES", 1)
    lockout.lock_account("alice", 60)
    lockout.lock_account("bob", 60)
    lose_rows()
    assert found() == ["bob"]
    assert [one.lock.label for one in strays.find(Subject.of("alice").keys)] == ["bob", "alice"]
    authenticate(request_from(), username="alice", password="right")
    assert found() == ["alice"]


def test_what_is_not_of_our_making_is_no_stray(alice: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("lockout_admin.engine.entries._PLACES", 1)
    lockout.lock_account("alice", 60)
    lose_rows()
    place = entries._place(digest(entries._SALT, ""), 0)
    for value in (None, 5, ["account"], ["account", 1, 2], ["account", 1, *[None] * 7]):
        store.set_many({place: value}, 60)
        assert found() == []


def test_a_lock_under_an_older_secret_is_no_stray(alice: Any, settings: Any) -> None:
    lockout.lock_account("alice", 600)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    store.delete_many(
        [f"lockout_admin:{{account:{key:x}}}:lock" for key in Subject.of("alice").keys]
    )
    assert authenticate(request_from(), username="alice", password="right") is None
    authenticate(request_from(), username="alice", password="right")
    assert strays.find(Subject.of("alice").keys) == []
    assert (lockout.get_lock("alice") or Lock.of(AccountLock.objects.get())).refused == 2


def test_nobody_strays_when_nothing_answers(db: None, monkeypatch: Any) -> None:
    lockout.lock_account("alice", 60)
    monkeypatch.setattr(store, "get_many", lambda keys: None)
    assert strays.find() == []
