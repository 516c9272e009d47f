"""Locks that only the store knows, on the screen of active locks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lockout_admin import lockout
from lockout_admin.engine import strays
from lockout_admin.models import AccountLock

from .conftest import confirm, list_url, names, said

LIST = list_url("activelock")
RECORD = LIST + "record/"


@pytest.fixture
def lose(db: None) -> Any:
    """Lock names and lose the rows, as a restore does."""

    def lose(*usernames: str, **fields: Any) -> None:
        for username in usernames:
            lockout.lock_account(username, 600, **fields)
        AccountLock.objects.all().delete()

    return lose


@pytest.fixture
def sam(staff: Any) -> Client:
    browser: Client = staff("support")
    return browser


def listed(answer: Any) -> list[str]:
    return [stray.lock.label for stray, _since, _until in answer.context["strays"]]


def test_they_are_listed_as_such(sam: Client, lose: Any) -> None:
    assert "Only the store knows" not in sam.get(LIST).content.decode()
    lose("alice")
    answer = sam.get(LIST)
    assert "Only the store knows these locks" in answer.content.decode()
    assert (listed(answer), names(answer)) == (["alice"], [])


def test_one_is_ended_like_any_other_lock(sam: Client, lose: Any) -> None:
    lose("alice")
    stray = strays.find()[0]
    asked = sam.post(RECORD, {"stray": f"{stray.scope}:{stray.key}"}, follow=True)
    assert strays.NOTE in asked.content.decode()
    answer = confirm(sam, asked.redirect_chain[-1][0], asked, by_hand="on")
    assert said(answer) == "“alice” is unlocked."
    assert not lockout.is_account_locked("alice")
    assert listed(answer) == []


def test_all_are_put_on_record(sam: Client, lose: Any) -> None:
    lose("alice", "bob")
    answer = sam.post(RECORD, follow=True)
    assert said(answer) == "2 locks are on record now."
    assert (listed(answer), sorted(names(answer))) == ([], ["alice", "bob"])


@pytest.mark.parametrize("stray", ["account:5", "account:x", "x", ":"])
def test_one_that_is_over_is_no_error(sam: Client, lose: Any, stray: str) -> None:
    assert sam.post(RECORD, {"stray": stray}, follow=True).status_code == 200
    assert not AccountLock.objects.exists()


@pytest.mark.parametrize("query", ["?q=ALICE", "?username=alice"])
def test_one_is_found_by_its_name_whatever_the_index_says(
    sam: Client, lose: Any, monkeypatch: Any, query: str
) -> None:
    lose("alice")
    monkeypatch.setattr(strays, "read_index", dict)
    assert listed(sam.get(LIST)) == []
    assert listed(sam.get(LIST + query)) == ["alice"]


def test_a_long_list_is_cut(sam: Client, lose: Any) -> None:
    lose(*(f"name{number}" for number in range(25)))
    answer = sam.get(LIST)
    assert len(listed(answer)) == 20
    assert "more" in answer.content.decode()


def test_who_may_only_look_gets_no_button(staff: Any, lose: Any) -> None:
    lose("alice")
    page = staff("analyst").get(LIST).content.decode()
    assert "Only the store knows" in page
    assert "record/" not in page
