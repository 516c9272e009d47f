"""The command says what a person asks, and gives programs the same."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.translation import override

from lockout_admin.backends import LockoutBackend
from lockout_admin.conf import conf
from lockout_admin.declarations.values import LONGEST
from lockout_admin.decorators import apply_account_lock
from lockout_admin.defences import devices
from lockout_admin.engine.rules import ACCOUNT, DAY, HOUR, LockTerms, Mode, Rule, Scope
from lockout_admin.engine.ruleset import default_rules, rules_in_force
from lockout_admin.policy import words
from lockout_admin.policy.clauses import CLAUSES, contradicted
from lockout_admin.policy.report import Report


class ByCard(LockoutBackend):
    """Finds accounts by what only it knows."""

    @apply_account_lock(names=lambda user: [f"card {user.pk}"])
    def authenticate(self, request: Any, username: Any = None, password: Any = None) -> Any: ...


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


def test_figures_are_for_all_names_of_an_account(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.defences.test_whose_device.EitherName"]
    said = run()
    assert " ".join(line(said, "one account, passwords of strangers")).split() == [
        *("22", "68", "260", "2,610")
    ]
    assert "An account can be entered by 2 names" in said
    assert json.loads(run("--json"))["names_of_an_account"] == 2


def test_what_holds_for_each_name_is_not_said_of_the_account(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.policy.test_command.ByCard"]
    said = run()
    assert "yes*   OWASP ASVS 5.0, 6.3.1" in said
    assert "yes    OWASP ASVS 5.0, 6.1.1" in said
    assert "*: for each name" in said
    told = json.loads(run("--json"))["clauses"]
    assert [one["for_each_name"] for one in told[:2]] == [False, True]
    assert "*" not in run_with_usual_backends(settings)


def run_with_usual_backends(settings: Any) -> str:
    settings.AUTHENTICATION_BACKENDS = ["lockout_admin.backends.LockoutBackend"]
    return run()


def test_clauses_are_asked_of_all_names_together() -> None:
    rules = rules_in_force()
    assert contradicted("cis", [replace(rules[0], limit=5, interval=900, lock=LockTerms(900))]) == [
        clause for clause in CLAUSES if clause.preset == "cis" and "At least" in str(clause.says)
    ]
    strict = [replace(rules[0], limit=3, interval=900, lock=LockTerms(900))]
    assert (contradicted("cis", strict), len(contradicted("cis", strict, 2))) == ([], 1)
    # What comes from devices is counted apart, and not to five.
    lax = replace(rules[0], name="device", scope=devices.DEVICE, limit=6, mode=Mode.MONITOR)
    assert len(contradicted("cis", [*strict, lax])) == 1


@pytest.mark.parametrize("odd", [{"counts_names": True}, {"ends_trust": True}])
def test_a_rule_that_never_locks_a_name_keeps_no_clause_on_locks(odd: dict[str, bool]) -> None:
    never = Rule("x", ACCOUNT, 5, DAY, LockTerms(3600), counts_repeats=True, **odd)  # type: ignore[arg-type]
    assert len(contradicted("cis", [never])) == 2
    assert len(contradicted("pci", [never])) == 2


def test_without_rules_no_lock_is_long_enough() -> None:
    assert len(contradicted("pci", [])) == 2


def test_it_says_which_clauses_hold_by_which_settings_and_what_to_do(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"PRESET": "pci"}
    said = run()
    assert "yes    PCI DSS 4.0.1, 8.3.4: A lock lasts for at least 30 minutes" in said
    assert "ACCOUNT_LOCKED_TIMEOUT_SECS = 1800" in said
    assert "no     CNIL 2022-100" in said
    assert "Set PRESET to cnil" in said


def test_it_says_loudly_that_nothing_is_refused(settings: Any) -> None:
    assert "NOTHING IS REFUSED" not in run()
    assert json.loads(run("--json"))["mode"] == "enforce"
    settings.LOCKOUT_ADMIN = {"MODE": "monitor"}
    said = run()
    assert said.startswith("NOTHING IS REFUSED: LOCKOUT_ADMIN['MODE'] is 'monitor'")
    assert line(said, "account-daily")[-1] == "only watches"
    assert "refuses  " not in said
    assert (
        " ".join(line(said, "one account, passwords of strangers")).split() == ["no", "limit"] * 4
    )
    assert json.loads(run("--json"))["mode"] == "monitor"


def test_it_says_how_long_one_waits(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": {"delay": {}}}
    assert [cell.strip() for cell in line(run(), "delay") if cell] == [
        "wrong passwords of strangers on a name, repetitions left out",
        "3 in 1 h",
        "no lock: a wait before the next try, 1 s, each 2 times as long, to 1 min",
        "refuses",
    ]


def test_a_delay_is_no_lock_to_a_standard(settings: Any) -> None:
    alone = dict.fromkeys(["account", "account-daily", "account-total"])
    for preset in ("pci", "nist", "cis"):
        settings.LOCKOUT_ADMIN = {"PRESET": preset, "RULES": {"delay": {}}}
        assert contradicted(preset, rules_in_force()) == []
        settings.LOCKOUT_ADMIN = {"PRESET": preset, "RULES": {**alone, "delay": {}}}
        assert contradicted(preset, rules_in_force())


def test_it_speaks_english_whatever_the_site_speaks() -> None:
    with override("de"):
        assert "Preset: owasp" in run()
        assert "refuses" in run()


def test_programs_get_the_same(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"PRESET": "cnil"}
    told = json.loads(run("--json"))
    assert told["preset"] == "cnil"
    assert told["most_evaluated"]["account"] == {"hour": 10, "day": 14, "month": 130, "year": 1305}
    daily = next(rule for rule in told["rules"] if rule["name"] == "account-daily")
    assert (daily["limit"], daily["interval"], daily["lock"]) == (10, DAY, 5 * HOUR)
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
