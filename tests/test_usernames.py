"""Usernames that are no plain text: the field says which spellings are one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.test import RequestFactory, override_settings

from lockout_admin import lockout
from lockout_admin.admin.filtering import LockedNowFilter
from lockout_admin.admin.users import look_up
from lockout_admin.evidence.filters import FailureFilter
from lockout_admin.identity.entrances import Entrance, Entrances
from lockout_admin.identity.names import is_ambiguous
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.models.accounts import existing
from tests.people.models import Employee

pytestmark = pytest.mark.django_db

UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")
#: Model -> the name of an account, some of its spellings, and names of nobody.
NAMES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "Numbered": (7, ["7", "007", "+7", " 7 ", "٧"], ["alice", "8", "9" * 30, "⟨0⟩", "-1", ""]),
    "Identified": (
        UUID,
        [str(UUID), UUID.hex, f"{{{UUID}}}", str(UUID).upper(), f"urn:uuid:{UUID}"],
        ["alice", "7", "x" * 36, ""],
    ),
    "Related": (7, ["7", "007", "+7"], ["alice", "8", "9" * 30, ""]),
    "Dialled": (
        "4930123456",
        ["4930123456", "+49 30 / 123 456", "(49)30-12-34-56", "49.30.123456", "tel:4930123456"],
        ["alice", "4930123457", "4930123456@example.com", ""],
    ),
}
SPELLINGS = [(model, name) for model, (_own, names, _others) in NAMES.items() for name in names]
STRANGERS = [(model, name) for model, (_own, _names, others) in NAMES.items() for name in others]


@pytest.fixture
def person() -> Any:
    """Return an account of a model, which is the site's."""
    opened = []

    def person(model: str, **fields: Any) -> Any:
        opened.append(override_settings(AUTH_USER_MODEL=f"people.{model}"))
        opened[-1].enable()
        if model == "Related":
            Employee._default_manager.create(number=7, name="Alice")
        name = NAMES[model][0] if model in NAMES else "alice"
        return get_user_model().objects.create_user(name, "right", **fields)

    yield person
    for setting in opened:
        setting.disable()


@pytest.mark.parametrize(("model", "typed"), SPELLINGS)
def test_each_spelling_of_an_account_shares_its_limit(
    model: str, typed: Any, person: Callable[..., Any], guess: Callable[..., Any]
) -> None:
    account = person(model)
    assert authenticate(username=typed, password="right") == account
    guess(typed, times=2)
    guess(NAMES[model][0], times=2)
    assert authenticate(username=typed, password="right") is None
    assert lockout.is_account_locked(account.get_username())


@pytest.mark.parametrize(("model", "typed"), STRANGERS)
def test_other_names_are_wrong_and_counted_apart(
    model: str, typed: Any, person: Callable[..., Any], guess: Callable[..., Any]
) -> None:
    account = person(model)
    guess(typed, times=4)
    assert lockout.is_account_locked(typed)
    assert authenticate(username=NAMES[model][0], password="right") == account
    assert existing({typed}) == set()


@pytest.mark.parametrize("model", NAMES)
def test_the_console_knows_who_has_an_account(model: str, person: Callable[..., Any]) -> None:
    person(model)
    _own, names, others = NAMES[model]
    for name in [*names, *others]:
        FailedLogin.objects.create(name)
    rows = FailedLogin.objects.all()
    assert existing({*names, *others}) == set(names)
    for value, expected in (("yes", names), ("no", others)):
        found = FailureFilter({"account": value, "time": "24h"}, rows).qs
        stored = {Subject.of(name).username for name in expected}
        assert {row.username for row in found} == stored


@pytest.mark.parametrize("model", NAMES)
def test_the_list_of_users_knows_who_is_locked(model: str, person: Callable[..., Any]) -> None:
    account = person(model)
    lockout.lock_account("alice")
    users = get_user_model().objects.all()
    asked: Any = RequestFactory().get("/")
    user_admin: Any = None
    for name, locked in ((None, []), (NAMES[model][1][-1], [account])):
        if name is not None:
            lockout.lock_account(name)
        for value, expected in (("yes", locked), ("no", [] if locked else [account])):
            chosen = LockedNowFilter(asked, {"locked": [value]}, get_user_model(), user_admin)
            assert list(chosen.queryset(asked, users)) == expected
        look_up([account])
        assert bool(account.lockout_until) is bool(locked)


def test_a_locked_stranger_is_not_taken_for_an_account(person: Callable[..., Any]) -> None:
    person("Numbered")
    lockout.lock_account("alice@example.com")
    assert AccountLock.objects.open().count() == 1
    assert not lockout.is_account_locked("7")


@pytest.mark.parametrize("name", [True, [7], {"7": 7}, 7.5, b"7"])
def test_what_is_no_name_enters_nothing_of_its_own(
    name: Any, person: Callable[..., Any], guess: Callable[..., Any]
) -> None:
    person("Numbered")
    guess(name, times=4)
    assert lockout.is_account_locked(name)


@pytest.mark.parametrize("typed", ["007", "7", 7, " 7"])
def test_a_login_by_other_means_is_told_by_the_value(
    typed: Any, person: Callable[..., Any]
) -> None:
    entrance = Entrance(typed, Entrances(None, lambda name: name))
    assert entrance.is_username_of(person("Related"))


def test_an_address_can_be_the_name_of_one_account_only(person: Callable[..., Any]) -> None:
    typed = Subject.of("a@example.com")
    with override_settings(AUTHENTICATION_BACKENDS=["tests.guard.conftest.Knows"]):
        account = person("Numbered", email="a@example.com")
        assert not is_ambiguous(typed, account)
        type(account).objects.create_user(8, email="A@example.com")
        assert is_ambiguous(typed, account)


def test_an_account_that_the_default_manager_hides_is_there(person: Callable[..., Any]) -> None:
    account = person("Hidden", hidden=True)
    assert not get_user_model().objects.exists()
    assert existing({"alice"}) == {"alice"}
    FailedLogin.objects.create("alice")
    found = FailureFilter({"account": "yes"}, FailedLogin.objects.all()).qs
    assert [row.username for row in found] == [account.name]


def test_a_name_is_that_of_an_account_whoever_is_asked_about_beside_it(
    django_user_model: Any,
) -> None:
    for name in ("alice", "Straße", "BOB"):
        django_user_model.objects.create_user(name)
    typed = {"alice", "ALICE", "álice", "àlice", "ａｌｉｃｅ", "strasse", "straße", "bob", "eve"}
    alone = {name for name in typed if existing({name})}
    assert existing(typed) == alone
    assert {"alice", "ALICE"} <= alone
    assert "eve" not in alone
