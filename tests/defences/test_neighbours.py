"""What accounts of an attacker's own are good for at somebody else's name: nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from lockout_admin import lockout
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import fingerprints, locks, owners
from lockout_admin.exceptions import AccountLocked
from lockout_admin.identity import names
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin, TrustedDevice

from ..conftest import HOME, request_from
from ..engine.conftest import ELSEWHERE
from .person import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "alice")]

DJANGOS = "lockout_admin.backends.LockoutBackend"
needs_twins = pytest.mark.skipif(
    connection.vendor == "mysql", reason="its column takes both names for one"
)


class Finds(ModelBackend):
    """Finds whoever has the password, among all accounts that a name may mean."""

    def check(self, users: Any, password: Any) -> Any:
        return next((user for user in users if user.check_password(password)), None)


class AnyCase(Finds):
    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(get_user_model().objects.filter(username__iexact=username), password)


class Nicknames(Finds):
    @apply_account_lock(names=lambda user: [user.get_username(), user.first_name])
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        either = Q(username=username) | Q(first_name=username)
        return self.check(get_user_model().objects.filter(either), password)


def digits(name: Any) -> str:
    return str(name).replace("-", "")


class Telephones(Finds):
    @apply_account_lock(names=("username", "last_name"), normalize=digits)
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        users = get_user_model().objects.all()
        found = [one for one in users if digits(username) in (one.username, digits(one.last_name))]
        return self.check(found, password)


class ByAddress(Finds):
    @apply_account_lock(names="email")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(get_user_model().objects.filter(email__iexact=username), password)


class EitherName(Finds):
    @apply_account_lock(names=("username", "email"))
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        either = Q(username=username) | Q(email__iexact=username)
        return self.check(get_user_model().objects.filter(either), password)


# -- One name that means two accounts -----------------------------------------------------------

#: Backends, the name that Mallory registers, and what Alice has that it means as well.
SITES = [
    pytest.param([DJANGOS, "AnyCase"], "Alice", {}, marks=needs_twins),
    pytest.param([DJANGOS, "Nicknames"], "ally", {"first_name": "ally"}),
    pytest.param(["Nicknames"], "ally", {"first_name": "ally"}),
    pytest.param(["Telephones"], "555", {"last_name": "5-5-5"}),
    pytest.param(["EitherName"], "alice@example.com", {"email": "alice@example.com"}),
]


@pytest.fixture
def mallory(settings: Any, alice: Any) -> Callable[..., Any]:
    def mallory(backends: list[str], name: str, has: dict[str, str]) -> Any:
        paths = [path if path == DJANGOS else f"{__name__}.{path}" for path in backends]
        settings.AUTHENTICATION_BACKENDS = paths
        get_user_model().objects.filter(pk=alice.pk).update(**has)
        return get_user_model().objects.create_user(name, "m@example.org", "his own")

    return mallory


@pytest.mark.parametrize(("backends", "name", "has"), SITES)
def test_ones_own_login_ends_no_guesses_at_who_is_found_by_the_same_name(
    backends: list[str], name: str, has: dict[str, str], mallory: Any
) -> None:
    mallory(backends, name, has)
    stranger = Person(ELSEWHERE)
    assert stranger.guess(3, name) == ["wrong"] * 3
    # With a copy of a cookie that trusts nothing: his own login makes it no device.
    assert Person(ELSEWHERE, stranger.browser).log_in("his own", name) == "in"
    # And it is a guess, where columns tell that the name is hers as well.
    assert stranger.guess(2, name) in (["wrong", "refused"], ["refused"] * 2)


@pytest.mark.parametrize(("backends", "name", "has"), SITES)
def test_nor_does_ones_own_new_password(
    backends: list[str], name: str, has: dict[str, str], mallory: Any
) -> None:
    account = mallory(backends, name, has)
    stranger = Person(ELSEWHERE)
    stranger.guess(3, name)
    lockout.handle_password_change(account)
    assert stranger.guess(2, name) == ["wrong", "refused"]


#: Backends, the name that Mallory registers, his own address, what Alice has, and what is typed.
ALIKE = [
    (["ByAddress"], "jess@example.com", "jes@example.com", {"email": "jess@example.com"}),
    ([DJANGOS, "ByAddress"], "jess@example.com", "jes@example.com", {"email": "jess@example.com"}),
    (["ByAddress", DJANGOS], "jess@example.com", "jes@example.com", {"email": "jess@example.com"}),
    (["EitherName"], "anna@x.example", "anna@ẍ.example", {"email": "anna@x.example"}),
    (["ByAddress"], "JESS@example.com", "jes@example.com", {"email": "jess@EXAMPLE.com"}),
]


@pytest.mark.parametrize(("backends", "name", "address", "has"), ALIKE)
def test_whose_username_is_ones_address_ends_no_guesses_at_it_by_an_address_of_his_own(
    backends: list[str], name: str, address: str, has: dict[str, str], mallory: Any
) -> None:
    """They are counted together, for they are spelled alike: nobody's right password ends both."""
    account = mallory(backends, name, has)
    get_user_model().objects.filter(pk=account.pk).update(email=address)
    assert Subject.of(name).key == Subject.of(address).key
    typed = has["email"]
    stranger = Person(ELSEWHERE)
    assert stranger.guess(3, typed) == ["wrong"] * 3
    assert Person(ELSEWHERE, stranger.browser).log_in("his own", address) == "in"
    answers = Person(ELSEWHERE, stranger.browser).guess(2, typed)
    # A database may take both addresses for one: then his login is a guess as well.
    assert answers in (["wrong", "refused"], ["refused"] * 2)
    assert not FailedLogin.objects.filter(outcome="forgiven").exists()


def test_nor_does_a_link_of_a_mail_to_him(mallory: Any) -> None:
    account = mallory(["ByAddress"], "jess@example.com", {"email": "jess@example.com"})
    get_user_model().objects.filter(pk=account.pk).update(email="jes@example.com")
    account.refresh_from_db()
    stranger = Person(ELSEWHERE)
    assert stranger.guess(4, "jess@example.com") == ["wrong"] * 4
    owners.end(account, owners.BY_MAIL, "jes@example.com")
    assert stranger.guess(1, "jess@example.com") == ["refused"]


#: Backends, who Mallory is, what Alice has, and the name that finds both of them.
TWINS = [
    (["ByAddress", DJANGOS], {"username": "a@example.com"}, {"email": "a@example.com"}),
    ([DJANGOS, "ByAddress"], {"email": "a@example.com"}, {"username": "a@example.com"}),
    (["EitherName"], {"username": "a@example.com"}, {"email": "a@example.com"}),
    (["ByAddress"], {"email": "A@example.com"}, {"email": "a@example.com"}),
    pytest.param(["AnyCase", DJANGOS], {"username": "Alice"}, {}, marks=needs_twins),
]


@pytest.mark.parametrize(("backends", "his", "hers"), TWINS)
def test_ones_own_password_is_no_guess_at_who_is_found_by_the_same_name(
    backends: list[str], his: dict[str, str], hers: dict[str, str], mallory: Any
) -> None:
    """He sets his own to each guess, and comes in: it was compared with hers before."""
    account = mallory(backends, "mallory", hers)
    get_user_model().objects.filter(pk=account.pk).update(**his)
    (name,) = his.values()
    answers = []
    for number in range(12):
        account.refresh_from_db()
        account.set_password(f"guess {number}")
        account.save()
        jar = Person(f"198.51.100.{number}")
        answers.append(jar.log_in(f"guess {number}", name))
    assert answers == ["in"] * 4 + ["refused"] * 8
    assert FailedLogin.objects.count() == 4


@pytest.mark.parametrize("name", ["alice", "alice@example.com"])
@pytest.mark.parametrize("backends", [["EitherName"], [DJANGOS, "ByAddress"], ["AnyCase"]])
def test_whose_name_is_his_alone_comes_in_as_often_as_he_likes(
    backends: list[str], name: str, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [
        path if path == DJANGOS else f"{__name__}.{path}" for path in backends
    ]
    if backends == ["AnyCase"]:
        name = "ALICE"
    assert [Person().log_in("right", name) for _ in range(8)] == ["in"] * 8
    assert not FailedLogin.objects.exists()


def test_a_block_that_finds_by_addresses_counts_who_has_one_for_his_username() -> None:
    """The backends of the site know usernames alone: the code in the block does as it likes."""
    address = "alice@example.com"
    mallory = get_user_model().objects.create_user(address, "m@example.org", "his own")
    for number in range(3):
        with lockout.attempt(address, request_from(ELSEWHERE), password=f"guess {number}") as one:
            one.failed()
    assert Person(ELSEWHERE).log_in("his own", address) == "in"
    with lockout.attempt(address, request_from(ELSEWHERE), password="4") as one:
        one.failed()
    with pytest.raises(AccountLocked):
        lockout.attempt(address, request_from(ELSEWHERE)).__enter__()
    lockout.unlock_account(address)
    for number in range(4):
        with lockout.attempt(address, request_from(ELSEWHERE), password=f"own {number}") as one:
            one.succeeded(mallory)
    with pytest.raises(AccountLocked):
        lockout.attempt(address, request_from(ELSEWHERE)).__enter__()


@pytest.mark.parametrize(
    ("backends", "name", "count"),
    [
        ([DJANGOS], "alice", 0),
        ([DJANGOS], "alice@example.com", 1),
        ([DJANGOS, "django.contrib.auth.backends.AllowAllUsersModelBackend"], "alice", 0),
        ([DJANGOS, f"{__name__}.ByAddress"], "alice", 0),
        ([DJANGOS, f"{__name__}.AnyCase"], "alice", 1),
    ],
)
def test_no_column_is_searched_in_vain_at_each_login(
    backends: list[str],
    name: str,
    count: int,
    alice: Any,
    settings: Any,
    django_assert_num_queries: Any,
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    with django_assert_num_queries(count):
        assert not names.finds_others(Subject.of(name), alice, is_of_django=False)


def test_a_user_that_is_none_of_django_s_is_no_twin() -> None:
    for number in range(8):
        with lockout.attempt("alice", request_from(ELSEWHERE), password=f"own {number}") as one:
            one.succeeded()
    assert not names.finds_others(Subject.of("alice"), object(), is_of_django=False)
    assert not FailedLogin.objects.exists()


# -- What looks like a repetition ---------------------------------------------------------------


@needs_twins
@pytest.mark.parametrize("place", ["a device", "another network", "the same network"])
def test_whoever_fails_on_his_own_name_makes_no_guess_look_repeated(
    place: str, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    """Else a twin who fails all day, without a limit, fills the 65,536 marks of a name."""
    monkeypatch.setattr(fingerprints, "_BITS", 2)
    users = get_user_model().objects
    users.create_user("alìce", password="his own")
    assert Subject.of("alìce").key == Subject.of("alice").key
    twin = Person(HOME if place == "another network" else ELSEWHERE)
    for _ in range(8):
        if place == "a device":
            assert twin.log_in("his own", "alìce") == "in"
        assert set(twin.guess(3, "alìce")) == {"wrong"}
        clock.tick(61)
    own = FailedLogin.objects.filter(username="alìce")
    assert own.filter(repeated=True).count() >= 20
    Person(ELSEWHERE).guess(1)
    assert not FailedLogin.objects.get(username="alice").repeated


def test_what_a_device_fails_makes_no_guess_of_a_stranger_look_repeated(owner: Person) -> None:
    assert owner.log_in("a slip") == "wrong"
    assert Person(HOME).log_in("a slip") == "wrong"
    assert not FailedLogin.objects.filter(repeated=True).exists()
    assert owner.log_in("a slip") == "wrong"
    assert FailedLogin.objects.filter(repeated=True).count() == 1


# -- A name that enters nothing -----------------------------------------------------------------


def test_who_registers_an_address_as_username_takes_nothing_where_usernames_enter_nothing(
    settings: Any, alice: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByAddress"]
    get_user_model().objects.create_user(alice.email, "m@example.org", "his own")
    person = Person()
    assert person.log_in(username=alice.email) == "in"
    Person(ELSEWHERE).guess(5, alice.email)
    assert person.log_in(username=alice.email) == "in"


# -- Blocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_block_tells_no_right_password_while_the_own_name_is_locked(
    by_hand: bool, settings: Any, alice: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EitherName"]
    if by_hand:
        lockout.lock_account("alice", 3600)
    else:
        Person(ELSEWHERE).guess(5)
    answers = []
    for user in (alice, None):
        with (
            pytest.raises(AccountLocked) as refusal,
            lockout.attempt("alice@example.com", request_from(HOME)) as attempt,
        ):
            attempt.succeeded(user) if user else attempt.failed()
        answers.append(refusal.value.details)
    assert answers[0] == answers[1]
    with lockout.attempt("bob@example.com", request_from(HOME)) as attempt:
        attempt.failed()


def test_a_block_costs_the_same_whoever_has_the_name(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EitherName"]
    looked: list[Any] = []
    find = locks.find

    def count(subject: Subject) -> Any:
        looked.append(subject)
        return find(subject)

    monkeypatch.setattr(locks, "find", count)
    costs = {}
    for name in ("first", "alice", "alice@example.com", "bob", "bob@example.com"):
        looked.clear()
        with (
            CaptureQueriesContext(connection) as queries,
            lockout.attempt(name, request_from(HOME)) as attempt,
        ):
            attempt.failed()
        costs[name] = len(queries), len(looked)
    del costs["first"]  # writes what is written once for the site
    assert set(costs.values()) == {(costs["bob"][0], 1)}, costs


def test_a_block_goes_on_where_accounts_can_not_be_asked_for(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EitherName"]
    monkeypatch.setattr(names, "lookup_fields", lambda: {"nothing", "of the kind"})
    with lockout.attempt("alice", request_from(HOME)) as attempt:
        attempt.failed()
    assert FailedLogin.objects.count() == 1


# -- A rule that only watches -------------------------------------------------------------------


def test_a_rule_that_only_watches_ends_no_trust(owner: Person, settings: Any, clock: Any) -> None:
    settings.LOCKOUT_ADMIN = {
        **settings.LOCKOUT_ADMIN,
        "RULES": {"device-total": {"mode": "monitor"}},
    }
    for _ in range(12):
        owner.guess(1)
        clock.tick(61)
    assert TrustedDevice.objects.trusted().count() == 1
