"""What is compared beside the password: with another code it is another guess."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend

from lockout_admin import lockout
from lockout_admin.decorators import apply_account_lock
from lockout_admin.models import AccountLock, FailedLogin

from ..conftest import HOME, request_from

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "alice")]


class WithCode(ModelBackend):
    """Wants a code from an app as well."""

    @apply_account_lock
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, otp: Any = None
    ) -> Any:
        return super().authenticate(request, username, password) if otp == "123456" else None


class WithAnything(ModelBackend):
    """Takes whatever comes."""

    @apply_account_lock
    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> Any:
        return None


@pytest.fixture(params=[WithCode, WithAnything], autouse=True)
def _backend(request: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{request.param.__name__}"]


def log_in(**credentials: Any) -> Any:
    given = {"username": "alice", "password": "right", **credentials}
    return authenticate(request_from(HOME), **given)


def repeated() -> list[bool]:
    return list(FailedLogin.objects.order_by("pk").values_list("repeated", flat=True))


def test_a_code_that_is_guessed_beside_a_known_password_is_a_fresh_guess(clock: Any) -> None:
    for code in range(15):
        log_in(otp=f"{code:06}")
        clock.tick(60)
    assert repeated() == [False] * 10
    assert AccountLock.objects.get().rule == "account-daily"


def test_the_same_code_again_is_a_repetition() -> None:
    for otp in ("1", "1", 1, None, ""):
        log_in(otp=otp)
    assert repeated()[:3] == [False, True, True]


def test_what_is_no_text_is_fresh_each_time() -> None:
    log_in(otp=["1"])
    log_in(otp=["1"])
    assert repeated() == [False, False]


def test_what_comes_by_position_counts_as_well(clock: Any) -> None:
    for code in ("1", "2", "2"):
        with_code = WithAnything()
        with_code.authenticate(request_from(HOME), "alice", "right", code)
    assert repeated() == [False, False, True]


def test_in_a_block_it_belongs_to_the_password() -> None:
    for code in ("1", "2", "2"):
        with lockout.attempt("alice", request_from(HOME), password=f"right {code}") as attempt:
            attempt.failed()
    assert repeated() == [False, False, True]
