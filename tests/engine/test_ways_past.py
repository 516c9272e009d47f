"""Ways past the limit that somebody found, and their siblings: each stays closed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.db import IntegrityError, transaction

from lockout_admin import lockout
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine.rules import DAY
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin

from ..conftest import HOME, request_from
from .conftest import ELSEWHERE

Guesses = Callable[..., list[str]]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def evaluated(username: str) -> int:
    return FailedLogin.objects.filter(username=username).count()


# -- The success of a neighbour -----------------------------------------------------------------


@pytest.mark.parametrize("own", ["alisa", "alißa", "Àlissa", "ALISA", "al\u00adissa", "alissâ"])
def test_the_success_of_a_neighbour_hands_out_no_guess(
    own: str, attempt: Any, guesses: Guesses
) -> None:
    get_user_model().objects.create_user("alissa", "victim@example.com", "secret")
    # MariaDB takes some of these for the victim's own name, and registers no other.
    with suppress(IntegrityError), transaction.atomic():
        get_user_model().objects.create_user(own, "mallory@example.com", "mallorys")
    for _ in range(30):
        guesses(3, username="alissa")
        attempt("mallorys", username=own)
    assert evaluated("alissa") <= 4


class EmailOrUsernameBackend(ModelBackend):
    """Lets in by username or e-mail address, as many sites do."""

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        users = get_user_model().objects
        for user in (
            *users.filter(username=username),
            *users.filter(email__iexact=username),
        ):
            if user.check_password(password):
                return user
        return None


@pytest.mark.parametrize("own", ["victim@example.com", "Victim@Example.com"])
def test_a_username_that_is_the_victims_address_hands_out_no_guess(own: str, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EmailOrUsernameBackend"]
    get_user_model().objects.create_user("alissa", "victim@example.com", "secret")
    get_user_model().objects.create_user(own, "mallory@example.com", "mallorys")
    for number in range(60):
        password = "mallorys" if number % 4 == 3 else f"guess {number}"
        authenticate(request_from(), username=own, password=password)
    assert evaluated(own) <= 4


def test_an_owner_who_logs_in_by_address_starts_his_count_anew(settings: Any, alice: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EmailOrUsernameBackend"]
    for number in range(3):
        authenticate(request_from(), username="alice@example.com", password=f"typo {number}")
    assert authenticate(request_from(), username="alice@example.com", password="right") == alice
    assert FailedLogin.objects.filter(outcome="cleared").count() == 3


# -- The success of the owner -------------------------------------------------------------------


@pytest.mark.parametrize("owner", [HOME, ELSEWHERE], ids=["from elsewhere", "from one network"])
def test_an_owner_who_logs_in_all_the_time_hands_out_no_more_than_a_day_allows(
    owner: str, alice: Any, attempt: Any, guesses: Guesses
) -> None:
    for _ in range(100):
        guesses(3, ip=ELSEWHERE)
        attempt("right", ip=owner)
    assert evaluated("alice") <= 10


def test_a_success_from_elsewhere_ends_nothing(alice: Any, attempt: Any, guesses: Guesses) -> None:
    guesses(3, ip=ELSEWHERE)
    assert attempt("right", ip=HOME) == "in"
    assert guesses(2, ip=ELSEWHERE) == ["wrong", "locked"]


def test_a_success_from_an_unknown_place_ends_nothing(alice: Any, guesses: Guesses) -> None:
    guesses(3, ip="10.0.0.1")  # an address that may be that of a proxy nobody declared
    authenticate(request_from("10.0.0.1"), username="alice", password="right")
    assert guesses(1, ip="10.0.0.1") == ["wrong"]
    assert lockout.is_account_locked("alice")


def waits(username: str, guesses: Guesses, clock: Any, between: Callable[[], Any]) -> list[int]:
    lengths: list[int] = []
    while len(lengths) < 2:
        guesses(1, username=username, ip=ELSEWHERE)
        lock = lockout.get_lock(username)
        if lock:
            lengths.append(lock.remaining)
            clock.tick(lock.remaining)
            between()
    return lengths


def test_waits_do_not_tell_which_accounts_live(
    alice: Any, guesses: Guesses, clock: Any, attempt: Any
) -> None:
    used = waits("alice", guesses, clock, lambda: attempt("right", ip=HOME))
    unused = waits("nobody", guesses, clock, lambda: None)
    assert used == unused == [60, 120]


# -- A new SECRET_KEY ---------------------------------------------------------------------------

OLD_KEY = "only-the-tests-know-this-key-which-is-long-enough"


@pytest.fixture
def rotate(settings: Any) -> Callable[[], None]:
    """Give the site a new key; the old one stays among the fallbacks."""

    def rotate() -> None:
        settings.SECRET_KEY = "the-next-key-of-this-site-which-is-long-enough"
        settings.SECRET_KEY_FALLBACKS = [OLD_KEY]

    return rotate


def test_counts_outlive_a_rotation(alice: Any, guesses: Guesses, rotate: Any) -> None:
    guesses(3)
    rotate()
    assert guesses(2) == ["wrong", "locked"]


@pytest.mark.parametrize("flushed", [False, True])
def test_locks_outlive_a_rotation(alice: Any, attempt: Any, rotate: Any, flushed: bool) -> None:
    lockout.lock_account("alice", 30 * DAY)
    rotate()
    if flushed:
        cache.clear()
    assert attempt("right") == "locked"
    assert lockout.unlock_account("alice")
    assert attempt("right") == "in"


def test_hosts_with_the_old_and_the_new_key_share_a_limit(
    alice: Any, guesses: Guesses, rotate: Any, settings: Any
) -> None:
    rotate()
    assert guesses(3) == ["wrong"] * 3
    settings.SECRET_KEY = OLD_KEY
    settings.SECRET_KEY_FALLBACKS = []
    assert guesses(2) == ["wrong", "throttled"]


def test_a_lock_by_a_host_with_the_new_key_holds_on_one_with_the_old(
    alice: Any, guesses: Guesses, rotate: Any, settings: Any
) -> None:
    rotate()
    guesses(4)
    settings.SECRET_KEY = OLD_KEY
    settings.SECRET_KEY_FALLBACKS = []
    assert guesses(1) == ["locked"]


# -- What nobody may trust ----------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["text", 7, [], [1], {"a": 1}, None, True, ["x", "y", 3]])
def test_entries_of_another_shape_open_nothing(shape: Any, alice: Any, guesses: Guesses) -> None:
    cache.clear()
    guesses(1)
    keys = [key for key in cache._cache if ":slot:" in key]  # type: ignore[attr-defined]
    for key in keys:
        cache.set(key.split(":", 2)[2], shape)
    assert guesses(4)[-1] != "wrong"


def test_a_lock_entry_of_another_shape_is_no_lock(alice: Any, attempt: Any) -> None:
    cache.clear()
    lockout.lock_account("alice")
    (key,) = [key for key in cache._cache if key.endswith(":lock")]  # type: ignore[attr-defined]
    cache.set(key.split(":", 2)[2], ["of", "an", "older", "version"])
    assert attempt("right") == "locked"  # the row decides


def test_a_lost_lock_begins_again(alice: Any, guesses: Guesses, clock: Any) -> None:
    guesses(4)
    AccountLock.objects.all().delete()
    cache.clear()
    assert guesses(1) == ["locked"]
    assert AccountLock.objects.get().failures == 4


# -- What an attacker from outside found --------------------------------------------------------


def test_a_spelling_that_nobody_has_makes_no_guess_known(alice: Any, guesses: Guesses) -> None:
    for number in range(3):
        authenticate(request_from(), username="alicé", password=f"guess {number}")
        authenticate(request_from(), username="alice", password=f"guess {number}")
    assert not FailedLogin.objects.filter(repeated=True).exists()


@pytest.mark.parametrize("flushed", [False, True])
def test_a_lock_by_hand_binds_where_no_rule_is_in_force(
    flushed: bool, alice: Any, attempt: Any, settings: Any
) -> None:
    none = dict.fromkeys(("account", "account-daily", "account-total"))
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": none}
    lockout.lock_account("alice", 600)
    if flushed:
        cache.clear()
    assert attempt("right") == "locked"
    assert lockout.unlock_account("alice")
    assert attempt("right") == "in"


def test_locks_that_were_released_push_no_other_out(alice: Any, attempt: Any) -> None:
    for _ in range(70):
        lockout.lock_account("alice", 40 * DAY)
        lockout.unlock_account("alice")
    lockout.lock_account("alice", 600)
    cache.clear()
    assert attempt("right") == "locked"


def test_short_locks_push_no_long_one_out(
    alice: Any, attempt: Any, guesses: Guesses, clock: Any, settings: Any
) -> None:
    settings.MAX_FAILED_LOGIN_ATTEMPTS = 1
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "LOCK_GROWTH_FACTOR": 1}
    for _ in range(10):
        guesses(1)
        clock.tick(61)
    clock.tick(3600)
    for _ in range(70):
        attempt("an old password")
        clock.tick(61)
    assert attempt("right") == "in"


@pytest.mark.parametrize("rules", ["no.such.RULES", "tests.settings.DEBUG", [1, "x"]])
def test_a_list_of_rules_that_is_none_leaves_the_default_ones(
    rules: Any, guesses: Guesses, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": rules}
    assert guesses(5) == ["wrong"] * 4 + ["locked"]


def test_a_release_ends_the_locks_of_every_scope_on_the_name(alice: Any) -> None:
    row = AccountLock.objects.create(
        scope="other",
        key=7,
        label="alice",
        subject=Subject.of("alice").key,
        until="2030-01-01T00:00Z",
    )
    assert lockout.unlock_account("alice")
    row.refresh_from_db()
    assert row.ended_at is not None


def test_who_repeats_a_wrong_password_does_not_keep_the_owner_out(
    alice: Any, attempt: Any, guesses: Guesses, clock: Any
) -> None:
    attempt("tried", ip=ELSEWHERE)
    clock.tick(61)
    while guesses(1, ip=ELSEWHERE) == ["wrong"]:
        clock.tick(61)
    clock.tick(3601)
    entered = []
    for _ in range(5):
        assert attempt("tried", ip=ELSEWHERE) == "wrong"  # once more: it counts in no slow rule
        clock.tick(30)
        entered.append(attempt("right", ip=HOME))
        clock.tick(30)
    assert entered == ["in"] * 5
