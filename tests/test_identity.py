"""All spellings of a name are one subject, and what is stored of it is still the same subject."""

from __future__ import annotations

import unicodedata

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from lockout_admin.identity.subject import Subject, folded, key_in_mask

anything = st.text(st.characters(), max_size=300) | st.text(
    st.characters(categories=["Cs", "Cc", "Cf", "Mn", "Lu"])
)


@given(anything)
def test_what_is_stored_is_printable_and_short(username: str) -> None:
    stored = Subject.of(username).username
    assert len(stored) <= 255
    stored.encode()
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in stored)


@given(anything)
def test_the_stored_name_is_the_same_subject(username: str) -> None:
    subject = Subject.of(username)
    assert Subject.of(subject.username).key == subject.key


# U+0345 is an iota in other letter case for Unicode, nothing for MariaDB, and nothing here.
@given(st.text(max_size=60).filter(lambda text: "\u0345" not in unicodedata.normalize("NFD", text)))
def test_case_padding_and_form_make_no_difference(username: str) -> None:
    key = Subject.of(username).key
    for spelling in (
        username.upper(),
        f"  {username}\t",
        unicodedata.normalize("NFKC", username).casefold(),
    ):
        assert Subject.of(spelling).key == Subject.of(spelling.casefold()).key
    assert (
        Subject.of(f" {username.lower()}\u200b").key
        == Subject.of(username.lower()).key
        == Subject.of(unicodedata.normalize("NFD", username.lower())).key
    )
    assert key == Subject.of(f"\0{username}\0").key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"), ("straße", "STRASSE"), ("ﬁona", "fiona"), ("①", "1"), ("Ⅷ", "viii"),
        ("ᵃlice", "alice"), ("al\u0301ice", "alice"), ("al\u00adice", "alice"), ("İ", "i"),
        ("a\ufe0flice", "alice"), ("Łódź", "lodz"), ("༬", "3"), ("𝟛", "3"), ("Ꞛ", "a"),
        ("ᾳ", "α"), ("", "\u3164\u200b "),
    ],
)  # fmt: skip
def test_spellings(one: str, other: str) -> None:
    assert Subject.of(one).key == Subject.of(other).key


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alice2"), ("राम", "रीम"), ("алиса", "alice"), ("١", "٢")]
)
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assert Subject.of(one).key != Subject.of(other).key


def test_all_names_too_long_for_an_account_are_one_subject() -> None:
    assert Subject.of("a" * 255).key == Subject.of("b" * 1_000_000).key != Subject.of("a" * 254).key


def test_any_object_has_a_subject() -> None:
    assert Subject.of(42).key == Subject.of("42").key


def test_namespaces_keep_sites_apart() -> None:
    here = Subject.of("alice").key
    with override_settings(LOCKOUT_ADMIN={"NAMESPACE": "elsewhere"}):
        assert Subject.of("alice").key != here


def test_the_digest_is_keyed() -> None:
    here = Subject.of("alice").key
    with override_settings(SECRET_KEY="another key altogether"):
        assert Subject.of("alice").key != here


def test_a_mask_does_not_give_the_name_away() -> None:
    subject = Subject.of("hunter2")
    assert "hunter2" not in subject.masked
    assert key_in_mask(subject.masked) == subject.key
    assert key_in_mask(subject.masked[1:]) is None


def test_the_fold_is_its_own_fold() -> None:
    assert folded(folded("  ÀＬİce\u200b ")) == folded("ÀＬİce")
