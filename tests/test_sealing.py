"""Names in addresses: nobody reads them there, and nobody makes one up."""

from __future__ import annotations

from typing import Any

import pytest

from lockout_admin.identity.sealing import sealed, unsealed


@pytest.mark.parametrize("name", ["alice", "", "a" * 255, "ä/%2F?#&\u202f", "𝒜" * 255, "../.."])
def test_a_name_comes_back(name: str) -> None:
    assert unsealed(sealed(name)) == name


@pytest.mark.parametrize("name", ["alice", "x", "correct horse battery staple"])
def test_a_name_can_not_be_read(name: str) -> None:
    part = sealed(name)
    assert name not in part
    assert part.isascii()
    assert not set(part) & set("/+=?#% ")


def test_a_name_has_one_address_and_each_another_one() -> None:
    assert sealed("alice") == sealed("alice")
    # Two that begin alike have nothing in common.
    assert sealed("alice")[:8] != sealed("alicf")[:8]


@pytest.mark.parametrize("part", ["", "x", "alice", "é", "A" * 30, "a.b", sealed.__name__ * 9])
def test_what_was_not_sealed_is_no_name(part: str) -> None:
    assert unsealed(part) is None


def test_a_changed_address_is_no_name() -> None:
    part = sealed("alice")
    changed = [
        part[:place] + ("A" if part[place] != "A" else "B") + part[place + 1 :]
        # The last character has bits that stand for nothing.
        for place in range(len(part) - 1)
    ]
    assert {unsealed(one) for one in changed} == {None}


def test_a_rotated_secret_opens_what_it_sealed(settings: Any) -> None:
    part, old = sealed("alice"), settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-anybody"
    assert unsealed(part) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unsealed(part) == "alice"
    assert unsealed(sealed("alice")) == "alice"
