"""No password shows in an error report, wherever the error comes from."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.decorators import apply_account_lock
from lockout_admin.engine import attempts, chain, fingerprints
from lockout_admin.engine.blocks import AttemptBlock
from lockout_admin.exceptions import AccountLocked
from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from tests.conftest import request_from

from .conftest import Knows, backends

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "s3cret-in-a-frame"


def fails(*args: Any, **kwargs: Any) -> Any:
    raise ZeroDivisionError


async def afails(*args: Any, **kwargs: Any) -> Any:
    raise ZeroDivisionError


class Faulty(Knows):
    @apply_account_lock(names="username", normalize=fails)
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any: ...

    @apply_account_lock(names="username", normalize=fails)
    async def aauthenticate(
        self, request: Any, username: Any = None, password: Any = None
    ) -> Any: ...


class Nameless(Knows):
    @apply_account_lock(names=fails)
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return "somebody"

    @apply_account_lock(names=fails)
    async def aauthenticate(self, request: Any, username: Any = None, password: Any = None) -> Any:
        return "somebody"


#: Where the error is raised: a backend, and what is made to fail.
PLACES: list[tuple[type, Any, str]] = [
    (Faulty, None, ""),
    (Nameless, None, ""),
    (LockoutBackend, attempts, "begin"),
    (LockoutBackend, attempts, "fail"),
    (LockoutBackend, chain, "is_asked_elsewhere"),
    (LockoutBackend, chain, "_takes"),
    (LockoutBackend, Subject, "of"),
    (LockoutBackend, ModelBackend, "authenticate"),
    (LockoutBackend, ModelBackend, "user_can_authenticate"),
]


def reported(caught: Any) -> list[Any]:
    """Return our frames of an error, as they would be reported."""
    reporter = ExceptionReporter(None, caught.type, caught.value, caught.tb)
    frames = [f for f in reporter.get_traceback_frames() if "/lockout_admin/" in f["filename"]]
    assert frames
    cleansed = SafeExceptionReporterFilter().get_traceback_frame_variables
    return [(f["function"], [*cleansed(None, f["tb"].tb_frame)]) for f in frames]


def listed(backend: type, name: str) -> list[type]:
    return [backend] if name == "fail" else [backend, LockoutBackend, LockoutBackend]


@pytest.mark.parametrize(("backend", "owner", "name"), PLACES)
def test_no_frame_of_ours_shows_it(
    backend: type[Any], owner: Any, name: str, monkeypatch: pytest.MonkeyPatch, alice: Any
) -> None:
    if owner:
        monkeypatch.setattr(owner, name, fails)
    alice.set_password(SECRET)
    alice.save()
    password = SECRET if name == "user_can_authenticate" else f"wrong {SECRET}"
    with backends(*listed(backend, name)), pytest.raises(ZeroDivisionError) as caught:
        backend().authenticate(None, "alice", password)
    assert SECRET not in str(reported(caught))


@pytest.mark.parametrize(("backend", "owner", "name"), [*PLACES[:7], (LockoutBackend, 0, "")])
async def test_no_frame_of_ours_shows_it_in_async_code(
    backend: type[Any], owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if owner:
        monkeypatch.setattr(owner, name, fails)
    if owner == 0:
        monkeypatch.setattr(ModelBackend, "aauthenticate", afails)
    with backends(*listed(backend, name)), pytest.raises(ZeroDivisionError) as caught:
        await backend().aauthenticate(None, "alice", SECRET)
    assert SECRET not in str(reported(caught))


#: Where a block fails: on the way to it, on the way in, on the way out.
BLOCKS: list[tuple[Any, str]] = [
    (Client, "of"),
    (AttemptBlock, "__init__"),
    (Subject, "of"),
    (attempts, "begin"),
    (attempts, "_enter"),
    (fingerprints, "digest"),
    (attempts, "fail"),
]


@pytest.mark.parametrize(("owner", "name"), BLOCKS)
def test_no_frame_of_a_block_shows_it(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, fails)
    with (
        pytest.raises(ZeroDivisionError) as caught,
        lockout.attempt("alice", request_from(), password=SECRET),
    ):
        pass
    assert SECRET not in str(reported(caught))


@pytest.mark.parametrize(("owner", "name"), BLOCKS)
async def test_no_frame_of_an_async_block_shows_it(
    owner: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def enter() -> None:
        async with lockout.attempt("alice", request_from(), password=SECRET):
            pass

    monkeypatch.setattr(owner, name, fails)
    with pytest.raises(ZeroDivisionError) as caught:
        await enter()
    frames = [frame for frame in reported(caught) if frame[0] != "enter"]
    assert SECRET not in str(frames)


def test_a_refusal_shows_it_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        LockoutBackend().authenticate(None, "alice", f"{number} {SECRET}")
    with pytest.raises(AccountLocked) as caught:
        LockoutBackend().authenticate(None, "alice", SECRET)
    assert SECRET not in str(reported(caught))
