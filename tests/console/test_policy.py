"""The page that says what the rules in force promise, and the way to it."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils.html import strip_tags

from .conftest import list_url

INDEX = "/admin/lockout_admin/"
PAGE = list_url("accountlock") + "policy/"


def text_of(answer: Any) -> str:
    return " ".join(unescape(strip_tags(answer.content.decode())).split())


def test_it_says_rules_figures_and_clauses(staff: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "PRESET": "pci"}
    text = text_of(staff("analyst").get(PAGE))
    for said in (
        "Preset: pci",
        "10 in 1 day",
        "one account, passwords of strangers 11 34 130 1,305",
        "A lock lasts for at least 30 minutes, or until the owner has proved to be one. yes",
        "ACCOUNT_LOCKED_TIMEOUT_SECS = 1800",
        "Set PRESET to cnil",
    ):
        assert said in text


def test_it_speaks_the_reader_s_language(staff: Any, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"
    text = text_of(staff("analyst").get(PAGE))
    assert "Regeln in Kraft" in text
    assert "in einer Stunde" in text
    assert "1.305" in text


@pytest.mark.parametrize("role", ["analyst", "support", "root"])
def test_the_app_s_page_leads_to_it(staff: Any, role: str) -> None:
    assert PAGE in staff(role).get(INDEX).content.decode()


def test_who_may_not_view_locks_is_not_led_to_it(staff: Any) -> None:
    browser = staff("stranger")
    user = get_user_model().objects.get(username="stranger")
    user.user_permissions.set(Permission.objects.filter(codename="view_failedlogin"))
    assert PAGE not in browser.get(INDEX).content.decode()
    assert browser.get(PAGE).status_code == 403


def test_a_setting_is_shown_as_text(staff: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "DEVICE_COOKIE_NAME": "d", "RULES": {}}
    page = staff("root").get(PAGE).content.decode()
    assert "DEVICE_COOKIE_NAME = &#x27;d&#x27;" in page
    assert "style=" not in page
    assert "<script>" not in page
