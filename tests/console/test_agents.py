"""User agents as people say them, with the extra and without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from lockout_admin.evidence import agents

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/128.0.0.0 Safari/537.36"
)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    agents._parsed.cache_clear()
    yield
    agents._parsed.cache_clear()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CHROME, "Chrome 128 on Windows"),
        ("python-requests/2.32.3", "Python Requests 2"),
        ("curl/8.5.0", "curl 8"),
        ("Mozilla", "Mozilla"),
        ("", ""),
        ("<b>\u202e", "<b>\u202e"),
    ],
)
def test_with_the_extra_versions_and_programs_have_names(text: str, words: str) -> None:
    pytest.importorskip("ua_parser")
    assert agents.described(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CHROME, "Chrome on Windows"),
        ("python-requests/2.32.3", "python-requests/2.32.3"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("", ""),
    ],
)
def test_without_the_extra_what_is_not_known_is_told_as_it_came(
    monkeypatch: Any, text: str, words: str
) -> None:
    monkeypatch.setitem(sys.modules, "ua_parser", None)
    assert agents.described(text) == words


def test_words_are_those_of_the_reader() -> None:
    with translation.override("de"):
        assert "Windows" in agents.described(CHROME)
