"""The page on which staff try other rules on the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from lockout_admin.engine.ruleset import rules_in_force

from .conftest import list_url
from .test_policy import text_of

PAGE = list_url("accountlock") + "policy/try/"


@pytest.fixture
def values(db: None) -> dict[str, Any]:
    """What the form sends when nobody has changed anything."""
    limits = {f"limit-{rule.name}": rule.limit for rule in rules_in_force()}
    return {
        "days": 30,
        "PRESET": "owasp",
        "MODE": "enforce",
        "MAX_FAILED_LOGIN_ATTEMPTS": 4,
        "FAILED_LOGIN_INTERVAL_SECS": 60,
        "ACCOUNT_LOCKED_TIMEOUT_SECS": 60,
        "LOCK_GROWTH_FACTOR": 2,
        "LOCK_MAX_SECS": 3600,
        **limits,
    }


def test_the_policy_page_leads_to_it(staff: Any) -> None:
    assert PAGE in staff("analyst").get(reverse("admin:lockout_admin_accountlock_policy")).text


def test_it_compares_the_rules_in_force_with_those_tried(
    staff: Any, fail: Any, values: dict[str, Any]
) -> None:
    for _ in range(3):
        fail()
    browser = staff("analyst")
    answer = browser.post(PAGE, {**values, "MAX_FAILED_LOGIN_ATTEMPTS": 2})
    text = text_of(answer)
    assert "wrong passwords 3, right ones 1" in text
    assert "wrong passwords refused 0 1" in text
    assert "account 0 1" in text
    assert "Most: 1, from" in text
    page = answer.content.decode()
    assert '<rect class="lockout-side-1"' in page
    assert "style=" not in page
    assert "<script>" not in page


def test_what_contradicts_its_preset_is_said(staff: Any, fail: Any, values: dict[str, Any]) -> None:
    fail()
    tried = {**values, "PRESET": "pci", "limit-account-daily": 50}
    browser = staff("analyst")
    said = text_of(browser.post(PAGE, tried))
    assert "The rules tried contradict their preset: check E038 would refuse them." in said
    assert "PCI DSS" in said
    kept = text_of(browser.post(PAGE, {**values, "PRESET": "pci"}))
    assert "contradict" not in kept


def test_a_limit_of_a_rule_can_be_tried(staff: Any, fail: Any, values: dict[str, Any]) -> None:
    for number in range(3):
        fail(f"name {number}")
    text = text_of(staff("analyst").post(PAGE, {**values, "limit-spraying": 2}))
    assert "spraying 0 1" in text


def test_unchanged_values_say_what_the_log_says_of_the_rules_in_force(
    staff: Any, values: dict[str, Any]
) -> None:
    text = text_of(staff("analyst").post(PAGE, values))
    assert "No value was changed" in text
    assert "There are no failed logins in it" in text
    assert "No locks." in text


def test_a_preset_that_is_tried_brings_its_values(
    staff: Any, fail: Any, values: dict[str, Any]
) -> None:
    fail()
    answer = staff("analyst").post(PAGE, {**values, "PRESET": "pci"})
    assert [side.preset for side in answer.context["comparison"].sides] == ["owasp", "pci"]
    assert answer.context["comparison"].tried.rules[0].lock.first == 1800


@pytest.mark.parametrize("field", ["days", "PRESET", "MAX_FAILED_LOGIN_ATTEMPTS", "limit-network"])
@pytest.mark.parametrize("wrong", ["", "x", "-1", "1" + "0" * 400, "\0", "1e400", "nan"])
def test_what_is_no_value_is_told(
    staff: Any, values: dict[str, Any], field: str, wrong: str
) -> None:
    answer = staff("analyst").post(PAGE, {**values, field: wrong})
    assert answer.status_code == 200
    assert answer.context["form"].errors[field]
    assert "comparison" not in answer.context


@pytest.mark.parametrize("wrong", ["nan", "inf", "1e400", "0.5"])
def test_a_growth_that_is_none_is_told(staff: Any, values: dict[str, Any], wrong: str) -> None:
    answer = staff("analyst").post(PAGE, {**values, "LOCK_GROWTH_FACTOR": wrong})
    assert answer.context["form"].errors


def test_what_the_rules_forbid_together_is_told(
    staff: Any, values: dict[str, Any], settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": {"account": {"growth": 3}}}
    changed = {**values, "ACCOUNT_LOCKED_TIMEOUT_SECS": 5000}
    text = text_of(staff("analyst").post(PAGE, changed))
    assert "its locks can't get longer than the first" in text


def test_a_site_s_own_list_of_rules_has_no_limits_to_change(
    staff: Any, values: dict[str, Any], settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": [rules_in_force()[0]]}
    answer = staff("analyst").post(PAGE, values)
    assert not [name for name in answer.context["form"].fields if name.startswith("limit-")]
    assert "comparison" in answer.context
    assert "The rules are a list of the site's own" in text_of(answer)


def test_a_mode_can_be_tried_where_the_site_only_watches(
    staff: Any, fail: Any, values: dict[str, Any], settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "MODE": "monitor"}
    for number in range(6):
        fail(ago=number)
    answer = staff("analyst").post(PAGE, {**values, "MODE": "enforce"})
    text = text_of(answer)
    assert "wrong passwords refused 0 2" in text
    assert text.count("This site only watches") == 1


def test_that_other_rules_were_in_force_is_said(
    staff: Any, fail: Any, values: dict[str, Any], settings: Any
) -> None:
    usual = settings.LOCKOUT_ADMIN
    settings.LOCKOUT_ADMIN = {**usual, "MODE": "monitor"}
    for number in range(6):
        fail(ago=number)
    settings.LOCKOUT_ADMIN = usual
    said = "other rules were in force at that time"
    assert said in text_of(staff("analyst").post(PAGE, values))


def test_a_log_that_takes_too_long_is_told(
    staff: Any, fail: Any, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail()
    monkeypatch.setattr("lockout_admin.admin.trying.MOST_SECS", -1.0)
    assert "choose fewer days" in text_of(staff("analyst").post(PAGE, values))


def test_it_speaks_the_reader_s_language(
    staff: Any, fail: Any, values: dict[str, Any], settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"
    fail()
    text = text_of(staff("analyst").post(PAGE, {**values, "PRESET": "pci"}))
    assert "Regeln in Kraft" in text
    assert "Was ein Protokoll nicht wissen kann" in text
