"""The console speaks German, French, Spanish and Persian."""

from __future__ import annotations

from gettext import GNUTranslations
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

import lockout_admin
from lockout_admin.exceptions import AccountLocked

from .conftest import list_url, page_url

LANGUAGES = ["de", "fr", "es", "fa"]
MODELS = ["failedlogin", "successfullogin", "activelock", "accountlock"]
PAGES = [*map(list_url, MODELS), "/admin/lockout_admin/", list_url("accountlock") + "policy/"]


def catalog(language: str) -> dict[Any, str]:
    path = Path(lockout_admin.__file__).parent / "locale" / language / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        return GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def fields(text: str) -> set[str]:
    return {part.split(")")[0] for part in text.split("%(")[1:]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogs_are_complete_and_keep_the_placeholders(language: str) -> None:
    for key, text in catalog(language).items():
        assert text
        assert not key or fields(text) == fields(key[0] if isinstance(key, tuple) else key)
    assert catalog(language).keys() == catalog("de").keys()


def test_there_is_one_kind_of_digits() -> None:
    # Those of numbers and dates, which Django writes.
    for text in catalog("fa").values():
        assert all(one.isascii() for one in text if one.isdigit()), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(staff: Any, fail: Any, enter: Any, lock: Any, settings: Any, language: str) -> None:
    settings.LANGUAGE_CODE = language
    fail()
    enter()
    browser = staff("root")
    row = lock()
    for url in [*PAGES, page_url(row), page_url(row, "activelock", "unlock")]:
        assert browser.get(url).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_said_in_the_reader_s_language(language: str) -> None:
    refusal = AccountLocked(30)
    english = str(refusal.message)
    with translation.override(language):
        assert str(refusal.message) != english
        assert "30" in str(refusal.message)
