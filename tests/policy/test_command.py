"""The command says what a person asks, and gives programs the same."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.translation import override

from lockout_admin.conf import conf
from lockout_admin.declarations.values import LONGEST
from lockout_admin.engine.rules import ACCOUNT, DAY, HOUR, LockTerms, Mode, Rule, Scope
from lockout_admin.engine.ruleset import default_rules
from lockout_admin.policy import words
from lockout_admin.policy.report import Report


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("lockout_policy", *arguments, stdout=out)
    return out.getvalue()


def line(said: str, begins: str) -> list[str]:
    (found,) = (line for line in said.splitlines() if line.startswith(f"{begins}  "))
    return found.replace(begins, "", 1).split("  ")


def test_it_says_the_rules_in_force() -> None:
    said = run()
    assert "Preset: owasp" in said
    cells = [cell.strip() for cell in line(said, "account-daily") if cell]
    assert cells == [
        "wrong passwords of strangers on a name, repetitions left out",
        "10 in 1 day",
        "1 h; then one try, and again, while the count stands",
        "refuses",
    ]


def test_it_says_what_gets_through_at_the_worst_pace() -> None:
    assert " ".join(line(run(), "one account, passwords of strangers")).split() == [
        *("11", "34", "130", "1,305")
    ]


def test_it_says_which_clauses_hold_by_which_settings_and_what_to_do(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"PRESET": "pci"}
    said = run()
    assert "yes    PCI DSS 4.0.1, 8.3.4: A lock lasts for at least 30 minutes" in said
    assert "ACCOUNT_LOCKED_TIMEOUT_SECS = 1800" in said
    assert "no     CNIL 2022-100" in said
    assert "Set PRESET to cnil" in said


def test_it_speaks_english_whatever_the_site_speaks() -> None:
    with override("de"):
        assert "Preset: owasp" in run()
        assert "refuses" in run()


def test_programs_get_the_same(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"PRESET": "cnil"}
    told = json.loads(run("--json"))
    assert told["preset"] == "cnil"
    assert told["most_evaluated"]["account"] == {"hour": 10, "day": 22, "month": 130, "year": 1305}
    daily = next(rule for rule in told["rules"] if rule["name"] == "account-daily")
    assert (daily["limit"], daily["interval"], daily["lock"]) == (10, DAY, 2 * HOUR)
    held = {clause["standard"] for clause in told["clauses"] if clause["holds"]}
    assert "CNIL 2022-100" in held
    assert "CIS Benchmarks" not in held


def test_without_a_limit_there_is_none(settings: Any) -> None:
    nothing = dict.fromkeys(["account", "account-daily", "account-total"])
    settings.LOCKOUT_ADMIN = {"RULES": nothing}
    assert Report.now().figures[0].most == dict.fromkeys(["hour", "day", "month", "year"])
    assert "no limit" in run()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (90, "90 s"),
        (120, "2 min"),
        (7200, "2 h"),
        (DAY, "1 day"),
        (30 * DAY, "30 days"),
        (LONGEST, "for good"),
    ],
)
def test_lengths_of_time(seconds: int, said: str) -> None:
    assert words.duration(seconds) == said


def test_a_rule_of_a_site_s_own_scope_is_listed_by_its_name(settings: Any) -> None:
    own = Rule("provider", Scope("provider", ACCOUNT.of), 6, HOUR, LockTerms(900), starts_anew=True)
    watching = replace(own, name="watching", mode=Mode.MONITOR, scope=ACCOUNT)
    settings.LOCKOUT_ADMIN = {"RULES": [own, watching]}
    row, other = Report.now().rows
    assert row == (
        "provider",
        "provider",
        "6 in 1 h",
        "15 min; then the count starts anew",
        "refuses",
    )
    assert other[-1] == "only watches"


def test_what_only_staff_end_is_said(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"PRESET": "nist"}
    assert conf.retention_secs == LONGEST
    total = next(row for row in Report.now().rows if row[0] == "account-total")
    assert total[2:4] == ("100 in all", "until staff end it")


def test_every_default_rule_has_words() -> None:
    assert all(words.counted(rule) != rule.scope.name for rule in default_rules())
