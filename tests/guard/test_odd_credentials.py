"""What is no text, or no text that anything can take, is wrong: at the same cost, and it counts."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import DataError, OperationalError
from django.test import Client

from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import recording
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import FailedLogin

from .conftest import Knows, left_behind

pytestmark = pytest.mark.django_db

PASSWORDS: list[Any] = [
    1, 0, 1.5, True, False, [], ["right"], {}, {"a": "right"}, object(), (), ("right",), set(),
    "", "\0", "\ud800", "x" * 73, "x" * 5000, b"\xff\xfe", b"wrong", bytearray(b"right"),
    memoryview(b"right"),
]  # fmt: skip
IDS = [repr(password)[:20] for password in PASSWORDS]


@pytest.mark.parametrize("username", ["alice", "nobody"])
@pytest.mark.parametrize("password", PASSWORDS, ids=IDS)
def test_an_odd_password_is_wrong(username: str, password: Any, alice: Any, hashed: Any) -> None:
    alice.set_password("right")
    alice.save()
    hashed()
    assert LockoutBackend().authenticate(None, username, password) is None
    assert hashed() == 1
    assert left_behind(username) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("username", ["alice", "nobody"])
@pytest.mark.parametrize("password", PASSWORDS, ids=IDS)
async def test_an_odd_password_is_wrong_in_async_code(
    username: str, password: Any, hashed: Any
) -> None:
    await get_user_model().objects.acreate_user("alice", password="right")
    hashed()
    assert await LockoutBackend().aauthenticate(None, username, password) is None
    assert hashed() == 1
    assert await sync_to_async(left_behind)(username) == (1, 1)


def test_text_in_bytes_is_text(alice: Any) -> None:
    assert LockoutBackend().authenticate(None, "alice", b"right") == alice


class Recording(Knows):
    @apply_account_lock(password="pin", names="username")
    def authenticate(self, request: Any, username: Any = None, pin: Any = None) -> Any:
        return self.check(username, pin)


class ByKeyword(Knows):
    @apply_account_lock(names="username")
    def authenticate(self, request: Any, **credentials: Any) -> Any:
        return self.check(credentials["username"], credentials["password"])


class ByPosition(Knows):
    @apply_account_lock(names="username")
    def authenticate(self, request: Any, *credentials: Any) -> Any:
        return self.check(*credentials)


@pytest.mark.parametrize("secret", [1, [], {}, {"a": 1}, ("a",), True])
@pytest.mark.parametrize(
    "call",
    [
        lambda secret: Recording().authenticate(None, "alice", secret),
        lambda secret: Recording().authenticate(None, username="alice", pin=secret),
        lambda secret: ByKeyword().authenticate(None, username="alice", password=secret),
        lambda secret: ByPosition().authenticate(None, "alice", secret),
    ],
)
def test_no_backend_meets_a_secret_that_is_no_text(call: Any, secret: Any) -> None:
    call(secret)
    call(secret)
    given = [password for _, password in Knows.asked]
    assert [type(password) for password in given] == [str, str]
    assert len({*given, str(secret)}) == 3
    assert left_behind() == (2, 2)


class HashesItself(ModelBackend):
    """Checks the password itself, as most backends of projects do."""

    @apply_account_lock(names="username")
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            get_user_model()().set_password(password)
            return None
        return user if user.check_password(password) else None

    @apply_account_lock(names="username")
    async def aauthenticate(self, request: Any, username: Any, password: Any) -> Any:
        return await sync_to_async(self.authenticate)(request, username, password)


LONG = ["x" * 73, "é" * 37, "x" * 5000]


@pytest.mark.parametrize("username", ["alice", "nobody"])
@pytest.mark.parametrize(
    "password", [*LONG, "wrong"], ids=["73", "37 of two bytes", "5000", "short"]
)
def test_what_a_hasher_cannot_take_is_wrong_in_any_backend(
    password: Any, username: str, alice: Any, hashed: Any
) -> None:
    alice.set_password("right")
    alice.save()
    hashed()
    for _ in range(4):
        assert HashesItself().authenticate(None, username, password) is None
        assert hashed() == 1
    assert left_behind(username)[1] == 4
    with pytest.raises(AccountLocked):
        HashesItself().authenticate(None, username, password)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("username", ["alice", "nobody"])
async def test_what_a_hasher_cannot_take_is_wrong_in_async_code(username: str, hashed: Any) -> None:
    await get_user_model().objects.acreate_user("alice", password="right")
    hashed()
    assert await HashesItself().aauthenticate(None, username, LONG[0]) is None
    assert hashed() == 1
    assert await sync_to_async(left_behind)(username) == (1, 1)


class Faulty(Knows):
    @apply_account_lock(names="username")
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        raise self.error

    error: Exception = ValueError("of its own")


@pytest.mark.parametrize(("error", "password"), [(ValueError(), "x" * 72), (TypeError(), LONG[0])])
def test_another_fault_of_a_backend_is_no_wrong_password(error: Exception, password: str) -> None:
    Faulty.error = error
    with pytest.raises(type(error)):
        Faulty().authenticate(None, "alice", password)
    assert left_behind() == (0, 0)


@pytest.mark.parametrize("name", [{"a": "\0"}, ["alice"], ("alice",), 7, True, b"alice"])
def test_a_name_that_is_no_text_counts_in_any_backend(name: Any) -> None:
    ByKeyword().authenticate(None, username=name, password="wrong")
    assert Knows.asked == [(name, "wrong")]
    assert left_behind(name) == (1, 1)


@pytest.mark.urls("tests.test_middleware")
@pytest.mark.parametrize("password", [1, [], {}, True, "\ud800", "x" * 5000])
def test_a_json_body_gets_the_answer_of_a_wrong_password(
    password: Any, alice: Any, client: Client
) -> None:
    for username in ("alice", "nobody"):
        body = json.dumps({"username": username, "password": password})
        answer = client.post("/api/", body, content_type="application/json")
        assert (answer.status_code, answer.json()) == (401, {"user": "None"})
        assert left_behind(username) == (1, 1)


@pytest.mark.parametrize(
    "name",
    ["alice", "7.5", "", [], {}, True, 7.0, 10**30, float("nan"), float("inf"), b"7", "9" * 5000],
)
def test_a_name_that_the_field_cannot_take_is_wrong(
    name: Any, alice: Any, hashed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "id")
    hashed()
    assert LockoutBackend().authenticate(None, name, "right") is None
    assert hashed() == 1
    assert left_behind(name) == (1, 1)


@pytest.mark.parametrize("spelling", ["{}", " {} ", "+{}", "0{}"])
def test_a_number_enters_in_any_spelling(
    spelling: str, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "id")
    assert LockoutBackend().authenticate(None, spelling.format(alice.pk), "right") == alice


@pytest.mark.parametrize(
    "error",
    [
        ValueError("s3cret"),
        DataError(),
        ValidationError("no"),
        OverflowError(),
        OperationalError(1267, "Illegal mix of collations"),
    ],
)
def test_what_the_database_cannot_take_is_wrong(
    error: Exception, hashed: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(ModelBackend, "authenticate", refuse)
    assert LockoutBackend().authenticate(None, "alice", "right") is None
    assert hashed() == 1
    assert left_behind() == (1, 1)
    assert f"credentials_unfit: {type(error).__name__}" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_database_that_is_gone_is_not_the_fault_of_a_name(
    hashed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError(2006, "Server has gone away")

    monkeypatch.setattr(ModelBackend, "authenticate", gone)
    with pytest.raises(OperationalError):
        LockoutBackend().authenticate(None, "alice", "right")
    assert hashed() == 0
    assert left_behind() == (0, 0)


@pytest.mark.parametrize("name", ["😀", "alice"])
def test_a_name_that_a_column_does_not_know_is_spelt_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = recording._record

    def picky(failure: FailedLogin, *args: Any) -> Any:
        if not failure.username.isascii():
            raise OperationalError(1366, "Incorrect string value")
        return insert(failure, *args)

    monkeypatch.setattr(recording, "_record", picky)
    LockoutBackend().authenticate(None, name, "wrong")
    assert FailedLogin.objects.get().username == ascii(name)[1:-1]


def test_a_row_that_the_database_refuses_for_another_reason_is_not_tried_twice(
    monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(*args: Any) -> Any:
        refused.append(args)
        raise DataError

    refused: list[Any] = []
    monkeypatch.setattr(recording, "_record", refuse)
    LockoutBackend().authenticate(None, "alice", "wrong")
    assert len(refused) == 1
    assert "failed_login_not_recorded" in caplog.text


@pytest.mark.parametrize("credentials", [{}, {"username": "alice"}, {"password": "x"}])
def test_no_credentials_are_none(credentials: Any) -> None:
    unguarded: Any = inspect.unwrap(LockoutBackend.authenticate)
    assert unguarded(LockoutBackend(), None, **credentials) is None


@pytest.mark.django_db(transaction=True)
async def test_no_credentials_are_none_in_async_code() -> None:
    aauthenticate = LockoutBackend.aauthenticate.__wrapped__  # type: ignore[attr-defined]
    assert await aauthenticate(LockoutBackend(), None, username="alice") is None


async def _coroutine(self: Any, request: Any, username: Any, password: Any) -> Any: ...


def test_a_coroutine_is_no_user() -> None:
    def authenticate(self: Any, request: Any, username: Any, password: Any) -> Any:
        return _coroutine(self, request, username, password)

    for _ in range(5):
        with pytest.raises(ImproperlyConfigured, match="coroutine"):
            apply_account_lock(authenticate)(Knows(), None, "alice", "wrong")
    assert left_behind() == (0, 0)


def test_a_future_is_no_user() -> None:
    class Later:
        def __await__(self) -> Any: ...

    def authenticate(self: Any, request: Any, username: Any, password: Any) -> Any:
        return Later()

    with pytest.raises(ImproperlyConfigured, match="coroutine"):
        apply_account_lock(authenticate)(Knows(), None, "alice", "wrong")


@pytest.mark.django_db(transaction=True)
async def test_an_async_method_that_a_decorator_hides_is_awaited() -> None:
    def aauthenticate(self: Any, request: Any, username: Any, password: Any) -> Any:
        return _coroutine(self, request, username, password)

    assert await apply_account_lock(aauthenticate)(Knows(), None, "alice", "wrong") is None
    assert await sync_to_async(left_behind)() == (1, 1)


def _yielding(self: Any, request: Any, username: Any, password: Any) -> Any:
    yield ...


async def _yielding_async(self: Any, request: Any, username: Any, password: Any) -> Any:
    yield ...


@pytest.mark.parametrize("method", [_yielding, _yielding_async])
def test_a_generator_is_no_backend(method: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="generator"):
        apply_account_lock(method)


def test_a_site_that_only_watches_says_itself_what_is_no_name(
    alice: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_no_name(*args: Any, **kwargs: Any) -> None:
        raise ValidationError("“%(value)s” is not a valid UUID.", params={"value": "x"})

    async def is_no_name_either(*args: Any, **kwargs: Any) -> None:
        is_no_name()

    monkeypatch.setattr(ModelBackend, "authenticate", is_no_name)
    monkeypatch.setattr(ModelBackend, "aauthenticate", is_no_name_either)
    assert LockoutBackend().authenticate(None, "alice", "wrong") is None
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "MODE": "monitor"}
    with pytest.raises(ValidationError, match="is not a valid UUID"):
        LockoutBackend().authenticate(None, "alice", "wrong")
    with pytest.raises(ValidationError, match="is not a valid UUID"):
        async_to_sync(LockoutBackend().aauthenticate)(None, "alice", "wrong")
    assert FailedLogin.objects.count() == 3


@pytest.mark.parametrize("refusal", [ValidationError("Wrong."), PermissionDenied()])
def test_what_views_make_an_answer_of_is_a_wrong_password(refusal: Exception, alice: Any) -> None:
    class Says(ModelBackend):
        @apply_account_lock(names="username")
        def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
            raise refusal

    for _ in range(4):
        with pytest.raises(type(refusal)):
            Says().authenticate(None, "alice", "wrong")
    assert left_behind() == (4, 4)
    with pytest.raises(AccountLocked):
        Says().authenticate(None, "alice", "wrong")
