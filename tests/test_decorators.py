"""The guard stands before every backend, whatever it is called with."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate, get_user_model
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest
from django.test import override_settings
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine.receivers import request_is_over
from lockout_admin.exceptions import AccountLocked
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin

pytestmark = pytest.mark.django_db


class Recording(BaseBackend):
    """Knows one password; remembers what it was asked."""

    asked: list[Any]
    right = "right"

    def check(self, username: Any, password: Any) -> Any:
        type(self).asked.append((username, password))
        return (
            get_user_model().objects.filter(username="alice").first()
            if password == self.right
            else None
        )


class First(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


class Second(Recording):
    asked: list[Any] = []
    right = "other"

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return self.check(username, password)


class ByEmail(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(self, request: Any, email: Any = None, password: Any = None) -> Any:
        return self.check(email, password)


class ByEmailAndMore(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(
        self, request: Any, email: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        return self.check(email, password)  # pragma: no cover - nobody asks


class ByPhone(Recording):
    asked: list[Any] = []

    @apply_account_lock(username="phone")
    def authenticate(
        self, request: Any, username: Any = None, phone: Any = None, password: Any = None
    ) -> Any:
        return self.check(phone, password)  # pragma: no cover - nobody asks


class ByAnything(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(self, request: Any, **credentials: Any) -> Any:
        return self.check(credentials.get("phone"), credentials.get("password"))


class ByPosition(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(self, request: Any, *credentials: Any) -> Any:
        return self.check(*credentials)


class Faulty(Recording):
    error: Exception = ConnectionError("the directory is down")

    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        raise self.error


class Nested(LockoutBackend):
    @apply_account_lock
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        return super().authenticate(request, username=username, password=password, **kwargs)


class NestedFaulty(Faulty):
    @apply_account_lock
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return super().authenticate(request, username=username, password=password)


@pytest.fixture(autouse=True)
def _nobody_asked() -> None:
    for backend in (
        First,
        Second,
        ByEmail,
        ByAnything,
        ByPosition,
        ByAnyOfTwo,
        ByOneOfTwo,
        ByPhone,
        ByEmailAndMore,
    ):
        backend.asked = []


def backends(*classes: type) -> Any:
    return override_settings(
        AUTHENTICATION_BACKENDS=[f"{cls.__module__}.{cls.__qualname__}" for cls in classes]
    )


@pytest.mark.parametrize(
    ("backend", "args", "kwargs"),
    [
        (First, (), {"username": "alice", "password": "wrong"}),
        (First, ("alice", "wrong"), {}),
        (First, ("alice",), {"password": "wrong"}),
        (ByEmail, (), {"email": "alice", "password": "wrong"}),
        (ByAnything, (), {"phone": "alice", "password": "wrong"}),
        (ByPosition, ("alice", "wrong"), {}),
    ],
)
def test_the_username_may_come_by_any_name_and_position(
    backend: Any, args: Any, kwargs: Any
) -> None:
    for _ in range(4):
        assert backend().authenticate(None, *args, **kwargs) is None
    with pytest.raises(AccountLocked):
        backend().authenticate(None, *args, **kwargs)
    assert backend.asked == [("alice", "wrong")] * 4


def test_the_user_models_own_field_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "first_name")
    for number in range(4):
        ByAnything().authenticate(None, first_name="alice", captcha=f"{number}", password="wrong")
    assert lockout.is_account_locked("alice")


class ByAnyOfTwo(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(
        self, request: Any, username: Any = None, email: Any = None, password: Any = None
    ) -> Any:
        return self.check(email or username, password)  # pragma: no cover - nobody asks


class ByTenant(Recording):
    asked: list[Any] = []

    @apply_account_lock
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, tenant: Any = "", **kw: Any
    ) -> Any:
        return self.check(username or kw.get("email"), password)


class ByPassingOn(LockoutBackend):
    @apply_account_lock
    def authenticate(self, *args: Any, **kwargs: Any) -> Any:
        return super().authenticate(*args, **kwargs)


class ByNumber(Recording):
    asked: list[Any] = []

    @apply_account_lock(
        username="number", password="pin", normalize=lambda number: str(number).replace("-", "")
    )
    def authenticate(self, request: Any, number: Any = None, pin: Any = None) -> Any:
        return self.check(number, pin)


class ByOneOfTwo(Recording):
    asked: list[Any] = []

    @apply_account_lock(username=("username", "email"), names=("username", "email"))
    def authenticate(self, request: Any, **credentials: Any) -> Any:
        return self.check("alice", credentials.get("password"))


class WithMore(First):
    """Ignores what it does not know."""

    @apply_account_lock
    def authenticate(
        self, request: Any, username: Any = None, password: Any = None, **kwargs: Any
    ) -> Any:
        return self.check(username, password)  # pragma: no cover - nobody asks


@pytest.mark.parametrize(
    ("backend", "name", "other", "counted"),
    [
        (ByAnyOfTwo, "email", "username", 10),
        (ByOneOfTwo, "email", "username", 10),  # whichever it says that counts
        (ByEmailAndMore, "email", "username", 4),
        (ByEmailAndMore, "email", "login", 4),
        (ByPhone, "phone", "username", 4),
        (ByAnything, "phone", "username", 10),
        (ByAnything, "username", "login", 4),
        (WithMore, "username", "email", 4),
        (LockoutBackend, "username", "email", 4),
    ],
)
def test_a_call_with_the_names_of_two_is_wrong_whatever_the_password(
    backend: Any,
    name: str,
    other: str,
    counted: int,
    alice: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A view that passes on whatever keys a JSON body has.
    answers = []
    for number in range(10):
        body = {other: f"noise-{number}", name: "alice", "password": "right"}
        with pytest.raises(PermissionDenied) as caught:
            backend().authenticate(None, **body)
        answers.append(type(caught.value))
    assert not getattr(backend, "asked", [])
    told = [text for text in caplog.messages if text.startswith("credentials_ambiguous: ")]
    assert all(backend.__qualname__ in text and "noise-" not in text for text in told)
    assert len(told) == counted
    # One name counts; where that is the noise, nothing is evaluated either.
    assert answers == [PermissionDenied] * counted + [AccountLocked] * (10 - counted)
    assert FailedLogin.objects.count() == counted


@pytest.mark.parametrize(
    ("username", "email"),
    [
        ("alice", "alice@example.com"),
        ("alice", "Alice@Example.com"),
        ("ALICE", "alice"),
        ("alice", ""),
        ("", "alice@example.com"),
        ("alice@example.com", "alice@example.com"),
    ],
)
def test_the_names_of_one_account_are_one_attempt(username: str, email: str, alice: Any) -> None:
    given = {"username": username, "email": email}
    assert ByOneOfTwo().authenticate(None, **given, password="wrong") is None
    assert FailedLogin.objects.count() == 1
    assert ByOneOfTwo().authenticate(None, **given, password="right") == alice
    lockout.lock_account(username or email)
    with pytest.raises(AccountLocked):
        ByOneOfTwo().authenticate(None, **given, password="right")


@pytest.mark.parametrize(
    ("username", "email"),
    [
        ("nobody", "alice@example.com"),
        ("mallory", "alice@example.com"),  # anybody may give an address
        ("mallory", "alice"),
        ("trudy", "alice"),
        ("alice", "mallory@example.com"),
        ("alice", ["alice@example.com"]),
        ("alice\0", "alice@example.com"),
    ],
)
def test_names_that_are_not_surely_of_one_account_are_refused(
    username: Any, email: Any, alice: Any
) -> None:
    get_user_model().objects.create_user("mallory", "alice@example.com")
    get_user_model().objects.create_user("trudy", "alice")
    with pytest.raises(PermissionDenied):
        ByOneOfTwo().authenticate(None, username=username, email=email, password="right")
    assert not ByOneOfTwo.asked


def test_names_that_the_database_cannot_look_up_are_refused(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "id")
    with pytest.raises(PermissionDenied):
        ByOneOfTwo().authenticate(None, username="x", email="y", id="z", password="right")


@pytest.mark.django_db(transaction=True)
async def test_names_of_two_are_refused_in_async_code(alice: Any) -> None:
    given = {"username": "noise", "email": "alice@example.com"}
    with pytest.raises(PermissionDenied):
        await LockoutBackend().aauthenticate(None, **given, password="right")
    given["username"] = "alice"
    assert await LockoutBackend().aauthenticate(None, **given, password="right") == alice


def test_what_is_no_name_does_not_count() -> None:
    for number in range(4):
        ByTenant().authenticate(None, email="alice", tenant=f"{number}", password="wrong")
    assert lockout.is_account_locked("alice")


def test_a_request_that_is_passed_on_by_position_is_no_name(alice: Any, rf: Any) -> None:
    for number in range(4):
        ByPassingOn().authenticate(rf.post(f"/?{number}"), "alice", "wrong")
    with pytest.raises(AccountLocked):
        ByPassingOn().authenticate(rf.post("/"), password="right", username="alice")
    assert FailedLogin.objects.values_list("username", "path").distinct().get() == ("alice", "/")


def test_secrets_and_spellings_of_a_backends_own() -> None:
    for number in ("55-5", "5-55", "555", "5-5-5"):
        assert ByNumber().authenticate(None, number, "0000") is None
    with pytest.raises(AccountLocked):
        ByNumber().authenticate(None, "-555", "0000")


@pytest.mark.parametrize("spelling", ["7", "07", " 7 ", "+7", "7.5"])
def test_names_that_are_no_text_have_one_spelling(
    spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "id")
    same = Subject.of(spelling).key == Subject.of(7).key
    assert same == (spelling != "7.5")


def _without_request(self: Any, *, username: str, password: str) -> None: ...


def _without_password(self: Any, request: Any, token: str) -> None: ...


def _with_pin_only(self: Any, request: Any, username: str, pin: str) -> None: ...


def _by_email(self: Any, request: Any, email: str, password: str, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(
    ("method", "options", "why"),
    [
        (_without_request, {}, "no parameter for the request"),
        (_without_password, {}, "no parameter 'password'"),
        (_with_pin_only, {}, "no parameter 'password'"),
        (_by_email, {"username": "emial"}, "no parameter 'emial'"),
        (_by_email, {"username": ["email", "phone"]}, "no parameter 'phone'"),
    ],
)
def test_a_guard_that_could_never_work_says_so_when_it_is_put_on(
    method: Any, options: Any, why: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=why):
        apply_account_lock(**options)(method)


@pytest.mark.parametrize(
    "credentials",
    [{}, {"username": "alice"}, {"password": "wrong"}, {"username": None, "password": "wrong"}],
)
def test_credentials_without_name_or_password_pass_by_uncounted(credentials: Any) -> None:
    for _ in range(9):
        assert LockoutBackend().authenticate(None, **credentials) is None
    assert not FailedLogin.objects.exists()


def test_a_call_that_does_not_fit_is_the_callers_error() -> None:
    with pytest.raises(TypeError):
        First().authenticate(None, token="x")  # type: ignore[call-arg]


def test_several_backends_count_one_failure_an_attempt(alice: Any, guess: Any) -> None:
    with backends(First, Second, ByEmail):
        guess(times=3)
        assert FailedLogin.objects.count() == 3
        guess()
        assert lockout.is_account_locked("alice")
    assert len(First.asked) == len(Second.asked) == 4


def test_no_failure_counts_when_a_later_backend_lets_the_user_in(alice: Any) -> None:
    with backends(First, Second):
        for _ in range(9):
            assert authenticate(username="alice", password="other") == alice
    assert not FailedLogin.objects.exists()


def test_no_backend_is_asked_about_a_locked_name(alice: Any, guess: Any) -> None:
    with backends(First, Second):
        guess(times=5)
    assert len(First.asked) == len(Second.asked) == 4


def test_a_failure_left_to_a_backend_that_was_not_asked_counts() -> None:
    with backends(First, Second):
        for _ in range(3):
            First().authenticate(None, "alice", "wrong")
        request_is_over()
        assert FailedLogin.objects.count() == 3


def test_one_backend_called_twice_is_two_attempts() -> None:
    request = HttpRequest()
    with backends(First, Second):
        for _ in range(4):
            First().authenticate(request, "alice", "wrong")
        with pytest.raises(AccountLocked):
            First().authenticate(request, "alice", "wrong")


def test_a_backend_that_stops_the_search_ends_the_attempt(guess: Any) -> None:
    class Stopping(BaseBackend):
        def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
            raise PermissionDenied

    globals()["Stopping"] = Stopping
    Stopping.__qualname__ = "Stopping"
    with backends(First, Stopping, Second):
        guess(times=4)
        assert lockout.is_account_locked("alice")


def test_guarded_twice_counts_once(alice: Any, guess: Any) -> None:
    with backends(Nested):
        guess(times=3)
        assert FailedLogin.objects.count() == 3
        assert authenticate(username="alice", password="right") == alice


@pytest.fixture
def error(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda raised: monkeypatch.setattr(Faulty, "error", raised)


@pytest.mark.parametrize("backend", [Faulty, NestedFaulty])
def test_a_backend_that_raises_gives_its_slot_back(backend: type[Faulty]) -> None:
    for _ in range(9):
        with pytest.raises(ConnectionError):
            backend().authenticate(None, "alice", "wrong")
    assert not FailedLogin.objects.exists()


def test_a_refusal_by_the_backend_counts(error: Any) -> None:
    error(PermissionDenied())
    for _ in range(4):
        with pytest.raises(PermissionDenied):
            Faulty().authenticate(None, "alice", "wrong")
    assert lockout.is_account_locked("alice")


def test_a_backend_that_finds_a_lock_itself_does_not_count(error: Any) -> None:
    error(AccountLocked(5))
    for _ in range(9):
        with pytest.raises(AccountLocked):
            Faulty().authenticate(None, "alice", "wrong")
    assert not FailedLogin.objects.exists()


def test_a_worker_stopped_while_verifying_has_failed(error: Any) -> None:
    error(SystemExit())
    for _ in range(4):
        with pytest.raises(SystemExit):
            Faulty().authenticate(None, "alice", "wrong")
    assert lockout.is_account_locked("alice")


@pytest.mark.django_db(transaction=True)
async def test_a_client_that_hangs_up_while_its_password_is_verified_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slow(*args: Any, **kwargs: Any) -> Any:
        verifying.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(ModelBackend, "aauthenticate", slow)
    for _ in range(4):
        verifying = asyncio.Event()
        task = asyncio.ensure_future(LockoutBackend().aauthenticate(None, "alice", "wrong"))
        await verifying.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await FailedLogin.objects.acount() == 4
    assert await lockout.ais_account_locked("alice")


def test_a_wrong_password_counts_though_a_later_backend_is_down(alice: Any) -> None:
    with backends(LockoutBackend, Faulty):
        for _ in range(4):
            with pytest.raises(ConnectionError):
                authenticate(username="alice", password="wrong")
        assert authenticate(username="alice", password="right") is None
    assert FailedLogin.objects.count() == 4


@pytest.mark.django_db(transaction=True)
async def test_several_backends_count_one_failure_of_an_async_attempt(alice: Any) -> None:
    with backends(LockoutBackend, Second):  # the second has no async code of its own
        assert await aauthenticate(username="alice", password="other") == alice
        assert not await FailedLogin.objects.aexists()
        for _ in range(3):
            await aauthenticate(username="alice", password="wrong")
        assert await FailedLogin.objects.acount() == 3


def test_a_site_may_like_answers_better_than_exceptions(alice: Any) -> None:
    with override_settings(LOCKOUT_ADMIN={"RAISE_WHEN_LOCKED": False}):
        lockout.lock_account("alice")
        assert LockoutBackend().authenticate(None, "alice", "right") is None
        lockout.unlock_account("alice")


@pytest.mark.parametrize("request_", [None, HttpRequest(), object()])
def test_requests_of_any_kind_will_do(alice: Any, request_: Any) -> None:
    assert LockoutBackend().authenticate(request_, "alice", "right") == alice


@pytest.mark.django_db(transaction=True)
async def test_async_and_sync_share_one_budget(alice: Any) -> None:
    for _ in range(2):
        assert await aauthenticate(username="alice", password="wrong") is None
        await sync_to_async(authenticate)(username="alice", password="wrong")
    with pytest.raises(AccountLocked):
        await LockoutBackend().aauthenticate(None, "alice", "right")


@pytest.mark.django_db(transaction=True)
async def test_the_right_password_gets_in_asynchronously(alice: Any) -> None:
    assert await aauthenticate(username="alice", password="right") == alice


@pytest.mark.django_db(transaction=True)
async def test_async_refusals_may_be_answers_too() -> None:
    await lockout.alock_account("alice")
    assert await LockoutBackend().aauthenticate(None) is None
    with override_settings(LOCKOUT_ADMIN={"RAISE_WHEN_LOCKED": False}):
        assert await LockoutBackend().aauthenticate(None, "alice", "right") is None
        await lockout.aunlock_account("alice")


@pytest.mark.django_db(transaction=True)
async def test_an_async_backend_that_raises_gives_its_slot_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def down(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError

    monkeypatch.setattr(ModelBackend, "aauthenticate", down)
    for _ in range(9):
        with pytest.raises(ConnectionError):
            await LockoutBackend().aauthenticate(None, "alice", "right")


def test_a_password_does_not_show_in_an_error_report(alice: Any, rf: Any) -> None:
    try:
        Faulty().authenticate(None, "alice", "s3cret-in-frame")
    except ConnectionError:
        request = rf.get("/")
        frames = ExceptionReporter(request, *sys.exc_info()).get_traceback_frames()
    guard = [
        f for f in frames if f["filename"].endswith("decorators.py") and f["function"] == "guard"
    ]
    assert guard
    assert "s3cret-in-frame" not in str(
        [
            SafeExceptionReporterFilter().get_traceback_frame_variables(request, f["tb"].tb_frame)
            for f in guard
        ]
    )


def test_a_backend_that_takes_other_credentials_is_not_waited_for(guess: Any) -> None:
    with backends(First, ByEmail):
        guess(times=3)
    assert FailedLogin.objects.count() == 3
