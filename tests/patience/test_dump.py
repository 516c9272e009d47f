"""Who steals database and store, but not SECRET_KEY, can't tell which passwords were typed."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

import pytest
from django.conf import settings

from lockout_admin.backends import LockoutBackend
from lockout_admin.engine import fingerprints
from lockout_admin.incidents.grouping import group
from lockout_admin.models import FailedLogin

from ..conftest import request_from
from ..incidents.traces import network_of
from . import thief

pytestmark = pytest.mark.django_db

VICTIMS = 200
#: As the package ships it; elsewhere in the tests no two passwords look alike.
BITS = fingerprints._BITS

Victims = dict[str, str]


@pytest.fixture(autouse=True)
def _bits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BITS == 16
    monkeypatch.setattr(fingerprints, "_BITS", BITS)


@pytest.fixture(scope="module")
def million() -> list[str]:
    return thief.million()


@pytest.fixture
def victims(million: list[str], clock: Any) -> Victims:
    """Have each of many people type one wrong password of the list."""
    typed = Random("victims").sample(million, VICTIMS)
    found = {f"victim{number}": password for number, password in enumerate(typed)}
    for number, (name, password) in enumerate(found.items()):
        clock.tick(3)
        request = request_from(f"198.18.{number}.1")
        assert LockoutBackend().authenticate(request, name, password) is None
    group()
    return found


@pytest.fixture(autouse=True)
def _the_store_is_a_table(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "CACHE": None}


def hits_by_repetition(victims: Victims, secret: str) -> int:
    """Return of how many victims the mark of a repetition is found with a secret."""
    rows = thief.dump()
    tried = [str(row["key"]) for row in rows if "expires" in row and ":tried:" in str(row["key"])]
    failures = {row["username"]: row for row in rows if "fine" in row}
    found = 0
    with thief.with_secret(secret):
        for name, password in victims.items():
            row = failures[name]
            subject = thief.subject_in(row)
            place = network_of(row["ip_address"])
            mark = fingerprints.of(subject, place, password, {})
            own = [key for key in tried if f":{subject.key:x}}}" in key]
            found += any(key.endswith(f":{mark}") for key in own)
    return found


def test_a_million_passwords_are_a_million(million: list[str]) -> None:
    assert len(set(million)) == 1_000_000


def test_no_password_and_no_plain_digest_of_one_is_in_a_copy(victims: Victims) -> None:
    copy = "\n".join(str(value) for row in thief.dump() for value in row.values())
    assert "victim7" in copy
    for password in victims.values():
        for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(algorithm, password.encode()).hexdigest()
            assert digest[:12] not in copy
            assert digest[-12:] not in copy


def test_the_right_secret_finds_them_all_so_the_thief_knows_his_trade(victims: Victims) -> None:
    assert hits_by_repetition(victims, settings.SECRET_KEY) == VICTIMS


def test_no_value_in_a_copy_is_a_key_to_the_marks_of_repetitions(victims: Victims) -> None:
    rows = thief.dump()
    assert FailedLogin.objects.count() == VICTIMS
    # By chance, each wrong key "finds" one victim in 65,536.
    secrets = Random("keys").sample(keys := thief.texts(rows), min(300, len(keys)))
    assert max(hits_by_repetition(victims, secret) for secret in ["", *secrets]) <= 2


def test_no_value_in_a_copy_is_a_key_to_any_mark(victims: Victims, million: list[str]) -> None:
    """The marks of the guess that is the same on many names are among them."""
    rows = thief.dump()
    known = thief.marks(rows)
    others = Random("others").sample(million, VICTIMS)
    for key in ["", *thief.texts(rows)[:2000]]:
        for mark in thief.constructions(key):
            real = thief.share(victims.values(), mark, known)
            chance = thief.share(others, mark, known)
            assert real <= chance + 0.08


def test_even_with_the_secret_fifteen_of_a_million_look_alike(
    victims: Victims, million: list[str]
) -> None:
    row = FailedLogin.objects.values().get(username="victim0")
    subject = thief.subject_in(row)
    typed = fingerprints.of(subject, "198.18.0.1/32", victims["victim0"], {})
    alike = [one for one in million if fingerprints.of(subject, "198.18.0.1/32", one, {}) == typed]
    assert victims["victim0"] in alike
    assert 2 <= len(alike) <= 45
