"""Where the site only watches, the console says so on each page."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.utils import timezone
from django.utils.html import strip_tags
from freezegun import freeze_time

from lockout_admin.engine import watching

from .conftest import list_url

SAID = "This site only watches: nobody is refused, but by a lock by hand."
PAGES = [
    "/admin/lockout_admin/",
    list_url("accountlock") + "policy/",
    *map(list_url, ["accountlock", "activelock", "failedlogin", "successfullogin", "networkrule"]),
]


def text_of(answer: Any) -> str:
    return " ".join(unescape(strip_tags(answer.content.decode())).split())


@pytest.fixture
def _watches(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "MODE": "monitor"}


@pytest.mark.parametrize("page", PAGES)
def test_a_site_that_enforces_says_nothing(staff: Any, page: str) -> None:
    assert "only watches" not in text_of(staff("root").get(page))


@pytest.mark.usefixtures("_watches")
@pytest.mark.parametrize("page", PAGES)
def test_it_is_said_on_each_page(staff: Any, page: str) -> None:
    answer = staff("root").get(page)
    assert text_of(answer).count(SAID) == 1
    assert "style=" not in answer.content.decode()


@pytest.mark.usefixtures("_watches")
@pytest.mark.parametrize("use_tz", [True, False])
def test_since_when(staff: Any, settings: Any, fail: Any, use_tz: bool) -> None:
    settings.USE_TZ = use_tz
    with freeze_time("2026-02-01 10:00:00"):
        watching._create(watching.SITE)
        said = f"{timezone.localtime():%Y-%m-%d %H:%M}" if use_tz else "2026-02-01 "
        assert f"since {said}" in text_of(staff("root").get(PAGES[0]))


@pytest.mark.usefixtures("_watches")
def test_the_audit_says_who_it_was_and_the_history_what_would_have_been(
    staff: Any, guess: Any
) -> None:
    guess("alice", times=5)
    root = staff("root")
    assert "It only watches from now on" in text_of(root.get(list_url("auditentry")))
    assert "would have locked" in text_of(root.get(list_url("accountlock"), {"state": "monitored"}))
    assert "alice" not in text_of(root.get(list_url("activelock")))


@pytest.mark.usefixtures("_watches")
def test_it_is_said_in_the_reader_s_language(staff: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    assert "Diese Website beobachtet nur" in text_of(staff("root").get(PAGES[0]))
