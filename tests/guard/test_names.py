"""No spelling is both evaluated with a chance and counted elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import authenticate, get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.identity import names
from lockout_admin.identity.subject import Subject
from tests.services.accounts import EitherNameBackend

from .conftest import Knows, backends, left_behind, slots_held

#: One slot, one row.
A_FAILURE = (1, 1)

pytestmark = pytest.mark.django_db

#: What collations take for a name, and the fold does not.
ELSEWHERE = [
    ("boss", "bo\u03b2s"),
    ("boss", "boßs"),
    ("\U00020bb7野", "\U0001f600野"),
    ("müller", "mueller"),
    ("alice", "a-lice"),
    ("alice", "alice\u0301x"),
    ("a.lice", "alice"),
]
#: What the fold takes for it too.
SAME = [
    ("strasse", "straße"),
    ("はは", "ばぱ"),
    ("か", "カ"),
    ("さくらはな", "サくラはﾅ"),
    ("きつて", "キッて"),
    ("alice", " ALICE\u200b"),
    ("alice", "ａｌｉｃｅ"),
    ("boss", "bos"),
]


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A database that finds one account under whatever is typed."""

    def careless(name: str) -> Any:
        user = get_user_model().objects.create_user(name, f"{name}@example.com", "right")
        manager = type(get_user_model()._default_manager)

        async def find(*args: Any) -> Any:
            return user

        monkeypatch.setattr(manager, "get_by_natural_key", lambda *args: user)
        monkeypatch.setattr(manager, "aget_by_natural_key", find)
        return user

    return careless


@pytest.mark.parametrize(("name", "typed"), ELSEWHERE)
def test_a_name_that_is_counted_elsewhere_is_wrong(
    name: str, typed: str, careless: Any, hashed: Any
) -> None:
    careless(name)
    hashed()
    assert LockoutBackend().authenticate(None, typed, "right") is None
    assert hashed() == 1
    assert (left_behind(typed), left_behind(name)) == ((1, 1), (0, 0))


@pytest.mark.django_db(transaction=True)
async def test_it_is_wrong_in_async_code_too(
    careless: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync_to_async(careless)("boss")
    assert await LockoutBackend().aauthenticate(None, "bo\u03b2s", "right") is None
    assert await LockoutBackend().aauthenticate(None, "BOSS", "right")
    assert await sync_to_async(left_behind)("bo\u03b2s") == (1, 1)


@pytest.mark.parametrize(("name", "typed"), SAME)
def test_a_name_that_is_counted_as_the_same_enters(name: str, typed: str, careless: Any) -> None:
    user = careless(name)
    assert LockoutBackend().authenticate(None, typed, "right") == user


@pytest.mark.parametrize(
    "name",
    [
        "a" * 151,
        "alice" + "\u200b" * 260,
        "alice\0",
        "alice\ud800",
        b"alice",
        ["alice"],
        {},
        True,
        7,
    ],
)
def test_what_no_account_can_be_called_is_not_looked_up(
    name: Any, careless: Any, hashed: Any
) -> None:
    careless("alice")
    hashed()
    with CaptureQueriesContext(connection) as queries:
        assert LockoutBackend().authenticate(None, name, "right") is None
    assert not [query for query in queries if "auth_user" in query["sql"]]
    assert hashed() == 1
    assert left_behind(name) == (1, 1)


class ByNumber(Knows):
    """Finds accounts by what is typed and by an address, and says so."""

    @apply_account_lock(
        names=("first_name", "email"), normalize=lambda number: number.replace("-", "")
    )
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check("alice", password)


class ByWholeNumber(Knows):
    @apply_account_lock(names=("first_name", "email"), normalize=int)
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check("alice", password)


class ByFunction(Knows):
    @apply_account_lock(names=lambda user: iter([user.username, "al"]))
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check("alice", password)


class ByField(Knows):
    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check("alice", password)


class ByNothing(Knows):
    @apply_account_lock(names=())
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check("alice", password)


@pytest.mark.parametrize(
    ("backend", "typed", "enters"),
    [
        (ByNumber, "555", True),
        (ByNumber, "5-5-5", True),
        (ByNumber, "alice@example.com", True),
        (ByNumber, "a-lice@example.com", True),  # as the backend spells names
        (ByNumber, "alice", False),
        (ByNumber, "", False),
        (ByWholeNumber, "0555", True),
        (ByWholeNumber, "556", False),
        (ByFunction, "al", True),
        (ByFunction, "ALICE", True),
        (ByFunction, "alan", False),
        (ByField, "alice", True),
        (ByField, "alice@example.com", False),
        (ByNothing, "alice", False),
    ],
)
def test_a_backend_says_which_names_it_knows(
    backend: Any, typed: str, enters: bool, alice: Any
) -> None:
    alice.first_name = "555" if backend is ByWholeNumber else "55-5"
    alice.save()
    assert backend().authenticate(None, typed, "right") == (alice if enters else None)
    assert left_behind(typed.lstrip("0")) == ((0, 0) if enters else (1, 1))


class Silent(Knows):
    """Finds Alice under any name, and does not say how."""

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check("alice", password)

    @apply_account_lock
    async def aauthenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return await get_user_model().objects.filter(username="alice").afirst()


@pytest.mark.parametrize("backend", [Silent, ByNumber])
@pytest.mark.parametrize("typed", ["alice@example.com", "5-5-5"])
def test_nobody_enters_while_the_own_name_of_the_account_is_locked(
    backend: Any, typed: str, alice: Any, caplog: pytest.LogCaptureFixture
) -> None:
    alice.first_name = "555"
    alice.save()
    assert backend().authenticate(None, typed, "right") == alice
    lockout.lock_account("alice")
    # As any wrong password: a refusal would say that this one is right.
    assert backend().authenticate(None, typed, "right") is None
    name = typed.replace("-", "") if backend is ByNumber else typed
    assert left_behind(name) == A_FAILURE
    assert "right_password_refused" in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_nobody_enters_by_async_code_either(settings: Any) -> None:
    alice = await get_user_model().objects.acreate_user("alice", password="right")
    assert await Silent().aauthenticate(None, "anything", "right") == alice
    await lockout.alock_account("alice")
    settings.LOCKOUT_ADMIN = {"RAISE_WHEN_LOCKED": False}
    assert await Silent().aauthenticate(None, "anything", "right") is None
    assert await sync_to_async(left_behind)("anything") == A_FAILURE


def test_a_user_without_a_username_enters() -> None:
    class ByBadge(Knows):
        @apply_account_lock
        def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
            return "badge 7"

    assert ByBadge().authenticate(None, "7", "right") == "badge 7"


class Subclass(LockoutBackend):
    """Maps addresses to usernames, and leaves the rest to the shipped backend."""

    @apply_account_lock(names=("username", "email"))
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        user = get_user_model().objects.filter(email=username).first()
        name = user.username if user else username
        return super().authenticate(request, username=name, password=password)


@pytest.mark.parametrize("typed", ["alice", "alice@example.com", "Alice"])
def test_what_a_guarded_backend_finds_for_another_is_the_others_affair(
    typed: str, alice: Any
) -> None:
    name = "alice" if typed == "Alice" else typed
    assert Subclass().authenticate(None, name, "right") == alice
    assert Subclass().authenticate(None, typed, "wrong") is None
    assert left_behind(typed) == (1, 1)


EITHER = EitherNameBackend.authenticate.entrances  # type: ignore[attr-defined]

# -- Whose a name is, where only a backend knows -----------------------------------------------


class ByAnyAddress(Knows):
    """Finds accounts by addresses that are kept elsewhere, as allauth does."""

    @apply_account_lock(names=lambda user: [f"{user.get_username()}@example.com"])
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any: ...


def test_what_only_a_backend_knows_is_ended_by_nobody(alice: Any, settings: Any) -> None:
    """Mallory gives Vera's address as his own; his logins must not end what she is guessed at.

    Nor where it is his username: the backend may find her by it.
    """
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByAnyAddress"]
    assert names.is_ambiguous(Subject.of("vera@example.com"), alice)
    assert names.is_ambiguous(Subject.of("alice"), alice)


class ByProperty(Knows):
    """Finds accounts by what is no column of theirs."""

    @apply_account_lock(names="telephone")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any: ...


def test_a_property_is_code_as_a_function_is(alice: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByProperty"]
    assert names.is_ambiguous(Subject.of("555"), alice)
    assert not names.is_own(Subject.of("alice"), alice)


def test_names_cost_the_same_whether_they_belong_together_or_not(
    alice: Any, hashed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    of = Subject.of

    def count(name: Any) -> Subject:
        made.append(name)
        return of(name)

    monkeypatch.setattr(Subject, "of", count)
    alice.set_password("right")
    alice.save()
    get_user_model().objects.create_user("carol", "carol@example.com", "right")
    costs = {}
    for name, address in [("alice", "alice"), ("carol", "bob"), ("bob", "alice"), ("x", "y")]:
        hashed()
        made.clear()
        given = {"username": name, "email": f"{address}@example.com", "password": "wrong"}
        with CaptureQueriesContext(connection) as queries, backends(EitherNameBackend):
            assert names.are_of_one_account(dict(list(given.items())[:2]), EITHER) in (True, False)
            asked = [re.sub(r"'[^']*'", "?", query["sql"]) for query in queries], len(made)
            assert authenticate(None, **given) is None
        costs[name, address] = (*map(str, asked), len(queries), hashed(), slots_held(name))
    assert set(costs.values()) == {(*costs["x", "y"][:3], 1, 1)}, costs
