"""What one submission failed under another name of the account that it then enters, is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate, get_user_model, login
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.signals import user_logged_in
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import recording, submissions
from lockout_admin.engine.journal import Journal, current_journal
from lockout_admin.middleware import LockoutMiddleware
from lockout_admin.models import FailedLogin
from tests.conftest import HOME, request_from

from .conftest import Knows, backends, left_behind

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

NOTHING, A_FAILURE = (0, 0), (1, 1)
ADDRESS = "alice@example.com"


class ByEmail(Knows):
    @apply_account_lock(names="email")
    def authenticate(
        self, request: Any, email: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        email = email or kwargs.get("username")
        user = get_user_model().objects.filter(email__iexact=email).first()
        return user if password == self.right else None


class UnguardedByEmail(BaseBackend):
    """What comes with another package, and takes all that it is given."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        name = credentials.get("email") or credentials.get("username")
        user = get_user_model().objects.filter(email__iexact=name).first()
        return user if user and user.check_password(credentials.get("password")) else None


def first_the_address(request: Any) -> HttpResponse:
    """A view that tries the e-mail address, then the username."""
    given = request.POST.dict()
    user = authenticate(request, username=ADDRESS, password=given["password"])
    user = user or authenticate(request, username=given["username"], password=given["password"])
    if user:
        login(request, user)
    return HttpResponse(status=200 if user else 401)


def by_email(request: Any) -> HttpResponse:
    login(request, authenticate(request, **request.POST.dict()))
    return HttpResponse()


def in_a_transaction(request: Any) -> HttpResponse:
    with transaction.atomic():
        return first_the_address(request)


VIEWS = [first_the_address, in_a_transaction, by_email]
urlpatterns = [path(f"{view.__name__}/", view) for view in VIEWS]


@pytest.fixture(params=["with the middleware", "without"])
def middleware(request: Any, settings: Any) -> str:
    if request.param == "without":
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "lockout" not in name]
    return str(request.param)


def post(view: Callable[..., Any], password: str = "right", **data: str) -> int:
    given = {"username": "alice", **data, "password": password}
    return Client(REMOTE_ADDR=HOME).post(f"/{view.__name__}/", given).status_code


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", [first_the_address, in_a_transaction])
def test_a_view_that_tries_the_address_first_records_no_failure(
    view: Any, alice: Any, middleware: str
) -> None:
    assert [post(view) for _ in range(12)] == [200] * 12
    assert (left_behind(), left_behind(ADDRESS)) == (NOTHING, NOTHING)


@pytest.mark.parametrize("view", [first_the_address, in_a_transaction])
def test_a_wrong_password_counts_under_both(view: Any, alice: Any, middleware: str) -> None:
    assert post(view, "wrong") == 401
    assert (left_behind(), left_behind(ADDRESS)) == (A_FAILURE, A_FAILURE)


@pytest.mark.parametrize("others", [UnguardedByEmail, ByEmail])
@pytest.mark.parametrize("typed", [ADDRESS, "Alice@Example.com"])
def test_a_backend_for_usernames_may_come_before_one_for_addresses(
    typed: str, others: type, alice: Any, middleware: str
) -> None:
    for form in ({"email": typed}, {"username": typed}, {"username": typed, "email": typed}):
        with backends(LockoutBackend, others):
            found = [
                Client().post("/by_email/", {**form, "password": "right"}).status_code
                for _ in range(5)
            ]
        assert found == [200] * 5
    assert left_behind(ADDRESS) == NOTHING


@pytest.mark.django_db(transaction=True)
async def test_so_it_is_in_async_code(alice: Any) -> None:
    request = HttpRequest()
    assert await aauthenticate(request, username=ADDRESS, password="right") is None
    assert await aauthenticate(request, username="alice", password="right") == alice
    assert await sync_to_async(left_behind)(ADDRESS) == NOTHING


def test_so_it_is_without_a_request_where_there_is_a_journal(alice: Any) -> None:
    def view(request: Any) -> HttpResponse:
        authenticate(username=ADDRESS, password="right")
        authenticate(username="alice", password="right")
        return HttpResponse()

    LockoutMiddleware(view)(request_from())
    assert left_behind(ADDRESS) == NOTHING


def test_so_it_is_in_blocks_for_the_username(alice: Any) -> None:
    request = request_from()
    for typed, left in (("alice", NOTHING), (ADDRESS, (0, 1))):
        with lockout.attempt(typed, request, password="right"):
            pass
        other = ADDRESS if typed == "alice" else "alice"
        with backends(ByEmail), lockout.attempt(other, request, password="right") as attempt:
            attempt.succeeded(alice)
        # A block does not tell how it looks an address up: the count ends, the record stays.
        assert left_behind(typed) == left


@pytest.mark.parametrize(
    ("first", "typed", "name", "email", "left"),
    [
        (LockoutBackend, "alice", "mallory", "alice", A_FAILURE),
        (LockoutBackend, "bob@example.com", "mallory", "bob@example.com", A_FAILURE),
        (LockoutBackend, "Bob", "bOB", "m@example.com", A_FAILURE),
        (LockoutBackend, "m@example.com", "mallory", "m@example.com", NOTHING),
        (LockoutBackend, "MALLORY", "mallory", "", NOTHING),
        (LockoutBackend, "mallory", "mallory", "", NOTHING),
        # It may find somebody whom Django does not know.
        (ByEmail, "m@example.com", "mallory", "m@example.com", A_FAILURE),
        (ByEmail, "mallory", "mallory", "", NOTHING),
    ],
)
def test_who_brings_a_login_of_his_own_has_no_free_guess_at_others(
    first: Any, typed: str, name: str, email: str, left: Any, alice: Any
) -> None:
    users = get_user_model().objects
    users.create_user("robert", "bob@example.com")
    users.create_user("other", "BOB")
    mallory = users.create_user(name, email)
    request: Any = HttpRequest()
    with backends(first):
        assert authenticate(request, username=typed, password="a guess") is None
    user_logged_in.send(sender=None, request=request, user=mallory)
    assert left_behind(typed) == left


class ByAnyAddress(Knows):
    """Finds accounts by addresses that are kept elsewhere, as allauth does."""

    @apply_account_lock(names=lambda user: [user.get_username(), "elsewhere@example.com"])
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


@pytest.mark.parametrize("others", [(), (LockoutBackend,)])
@pytest.mark.parametrize("password", ["a guess", "his own"])
def test_where_only_a_backend_knows_names_nobody_s_login_takes_a_guess_back(
    others: tuple[Any, ...], password: str, alice: Any
) -> None:
    """Mallory has an address for his username that is Alice's for the backend."""
    mallory = get_user_model().objects.create_user("elsewhere@example.com", "m@example.com")
    request: Any = HttpRequest()
    with backends(ByAnyAddress, *others):
        assert authenticate(request, username="elsewhere@example.com", password=password) is None
        user_logged_in.send(sender=None, request=request, user=mallory)
    assert left_behind("elsewhere@example.com") == A_FAILURE


def test_another_password_in_the_same_request_is_a_failure(alice: Any) -> None:
    request = request_from()
    authenticate(request, username=ADDRESS, password="wrong")
    authenticate(request, username="alice", password="right")
    assert FailedLogin.objects.get().outcome == "counted"


def test_another_request_is_another_submission(alice: Any) -> None:
    authenticate(HttpRequest(), username=ADDRESS, password="right")
    authenticate(HttpRequest(), username="alice", password="right")
    assert left_behind(ADDRESS) == A_FAILURE


def test_a_failure_that_led_to_a_lock_stays_with_it(alice: Any, guess: Any) -> None:
    guess(ADDRESS, times=3)
    request = request_from()
    authenticate(request, username=ADDRESS, password="right")
    assert authenticate(request, username="alice", password="right") == alice
    assert lockout.is_account_locked(ADDRESS)
    assert FailedLogin.objects.filter(outcome="locked").count() == 1


def test_a_login_of_nobody_takes_nothing_back() -> None:
    request = HttpRequest()
    authenticate(request, username=ADDRESS, password="wrong")
    submissions.take_back(request, {"sub": 7})
    assert left_behind(ADDRESS) == A_FAILURE


def test_what_the_database_does_not_take_back_counts(
    alice: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*args: Any) -> Any:
        raise DatabaseError

    request = request_from()
    authenticate(request, username=ADDRESS, password="right")
    monkeypatch.setattr(type(FailedLogin.objects.all()), "_raw_delete", refuse)
    authenticate(request, username="alice", password="right")
    assert "failure_not_taken_back" in caplog.text
    assert FailedLogin.objects.count() == 1


def test_what_the_database_never_recorded_gives_its_slot_back(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Any:
        raise DatabaseError

    request = request_from()
    with monkeypatch.context() as patched:
        patched.setattr(recording, "record", refuse)
        authenticate(request, username=ADDRESS, password="right")
    assert left_behind(ADDRESS) == (1, 0)
    authenticate(request, username="alice", password="right")
    assert left_behind(ADDRESS) == NOTHING


def test_in_a_transaction_only_its_own_failure_is_taken_back(alice: Any) -> None:
    journal = Journal()
    token = current_journal.set(journal)
    request = request_from()
    with transaction.atomic():
        for password in ("wrong", "right"):
            authenticate(request, username=ADDRESS, password=password)
        authenticate(request, username="alice", password="right")
    current_journal.reset(token)
    assert len(journal.pending) == 1
    journal.close()
    assert left_behind(ADDRESS) == A_FAILURE


# -- All names of an account --------------------------------------------------------------------


def outcomes_of(name: str) -> set[str]:
    return set(FailedLogin.objects.filter(username=name).values_list("outcome", flat=True))


@pytest.mark.parametrize("typed", ["alice", ADDRESS])
def test_a_success_ends_the_counts_of_all_names(typed: str, alice: Any, guess: Any) -> None:
    with backends(LockoutBackend, ByEmail):
        for name in ("alice", ADDRESS):
            guess(name, times=2)
        assert authenticate(request_from(), username=typed, password="right") == alice
    assert outcomes_of("alice") == outcomes_of(ADDRESS) == {"cleared"}


@pytest.mark.parametrize("somebody", ["mallory", ADDRESS])
def test_not_of_an_address_that_may_be_somebody_elses(
    somebody: str, alice: Any, guess: Any
) -> None:
    get_user_model().objects.create_user(somebody, ADDRESS)
    with backends(LockoutBackend, ByEmail):
        guess(ADDRESS, times=2)
        authenticate(request_from(), username="alice", password="right")
    assert outcomes_of(ADDRESS) == {"counted"}


@pytest.mark.parametrize(("address", "outcome"), [("", "cleared"), (ADDRESS, "counted")])
def test_nor_where_nobody_says_who_came_in(
    address: str, outcome: str, alice: Any, guess: Any
) -> None:
    get_user_model().objects.create_user("mallory", address)
    with backends(LockoutBackend, ByEmail):
        guess(ADDRESS, times=2)
        lockout.handle_successful_login(ADDRESS, request_from())
    assert outcomes_of(ADDRESS) == {outcome}


def test_not_of_names_that_no_backend_knows(alice: Any, guess: Any) -> None:
    guess(ADDRESS, times=2)
    assert authenticate(request_from(), username="alice", password="right") == alice
    assert outcomes_of(ADDRESS) == {"counted"}


def test_not_what_others_failed_elsewhere(alice: Any, guess: Any) -> None:
    with backends(LockoutBackend, ByEmail):
        guess(ADDRESS, times=2, request=request_from("198.51.100.7"))
        authenticate(request_from(), username="alice", password="right")
    assert outcomes_of(ADDRESS) == {"counted"}


def test_backends_without_passwords_know_no_names(alice: Any, guess: Any, settings: Any) -> None:
    path = f"{UnguardedByEmail.__module__}.{UnguardedByEmail.__qualname__}"
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "PASSWORD_FREE_BACKENDS": [path]}
    with backends(LockoutBackend, UnguardedByEmail):
        guess(ADDRESS, times=2)
        authenticate(request_from(), username="alice", password="right")
    assert outcomes_of(ADDRESS) == {"counted"}


def test_who_has_no_username_enters_though_he_has_failed() -> None:
    class ByBadge(Knows):
        @apply_account_lock
        def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
            return "badge 7" if password == "right" else None

    assert ByBadge().authenticate(request_from(), "7", "wrong") is None
    assert ByBadge().authenticate(request_from(), "7", "right") == "badge 7"
