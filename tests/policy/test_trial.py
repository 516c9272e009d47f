"""What is tried is checked as settings are, replayed beside the rules in force, and told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.conf import conf
from lockout_admin.declarations.setting import trying
from lockout_admin.defences.networks import NETWORK
from lockout_admin.engine import owners
from lockout_admin.engine.rules import LockTerms, Rule, Scope
from lockout_admin.engine.ruleset import rules_in_force
from lockout_admin.identity.client import Client
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin
from lockout_admin.policy import telling, trial
from lockout_admin.policy.comparison import Comparison, compare
from lockout_admin.policy.findings import Begun
from lockout_admin.policy.picture import Picture

from ..conftest import HOME
from ..engine.conftest import ELSEWHERE

pytestmark = pytest.mark.django_db
STRICT = {"MAX_FAILED_LOGIN_ATTEMPTS": 2}


def replay(tried: dict[str, Any] | None = None, **more: Any) -> Comparison:
    until = timezone.now() + timedelta(seconds=1)
    values = None if tried is None else trial.checked(tried)
    return compare(until - timedelta(days=3), until, values, **more)


def fail(seconds: float, name: str = "alice", ip: str = HOME, **more: Any) -> None:
    when = timezone.now() - timedelta(seconds=seconds)
    row = FailedLogin.objects.build(Subject.of(name), Client(ip), timestamp=when, **more)
    row.save()


def enter(seconds: float, name: str = "alice", ip: str = HOME, account: str = "1") -> None:
    when = timezone.now() - timedelta(seconds=seconds)
    client = Client(ip)
    SuccessfulLogin.objects.build(
        Subject.of(name), client, timestamp=when, account=account, event="login"
    ).save()


# -- What may be tried ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PRESET = ", "is no TOML"),
        ("\x00", "is no TOML"),
        ("a = " + "[" * 5_000, "is no TOML"),
        ("#" * 70_000, "too big"),
        ("foo = 1", "'foo' is nothing that can be tried"),
        ('CACHE = "default"', "'CACHE' is nothing that can be tried"),
        ('PRESET = "pcl"', "LOCKOUT_ADMIN['PRESET'] is 'pcl'. Set it to one of"),
        ("MAX_FAILED_LOGIN_ATTEMPTS = 101", "Set it to at most 100"),
        ("MAX_FAILED_LOGIN_ATTEMPTS = 1" + "0" * 400, "MAX_FAILED_LOGIN_ATTEMPTS is"),
        ("MAX_FAILED_LOGIN_ATTEMPTS = 0x" + "f" * 5_000, "is a number of 20000 bits"),
        ("PRESET = [0x" + "f" * 5_000 + "]", "is [a number of 20000 bits]"),
        ("[RULES.account]\nlimit = 0x" + "f" * 5_000, "['limit'] is a number of 20000 bits"),
        ("LOCK_GROWTH_FACTOR = nan", "LOCKOUT_ADMIN['LOCK_GROWTH_FACTOR'] is nan"),
        ("FAILED_LOGIN_INTERVAL_SECS = 2026-01-01", "a whole number from 1 to"),
        ("[RULES.account]\nlimit = 0", "LOCKOUT_ADMIN['RULES']['account']['limit'] is 0"),
        ("[RULES.account]\nlimits = 3", "unknown key 'limits'"),
        ("[RULES.acount]\nlimit = 3", "'acount', which is no rule"),
        ("RULES = true", "LOCKOUT_ADMIN['RULES'] is True"),
        ('RULES = "nothing.here"', "can't be read"),
    ],
)
def test_what_can_t_be_tried_is_told_with_its_key_and_a_remedy(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises(CommandError) as error:
        run("--try", str(file))
    assert said in str(error.value)


def test_what_is_not_named_stays_as_the_site_has_it(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {
        "PRESET": "cis",
        "RULES": {"account-daily": {"limit": 7, "lock": 60}, "network": None},
    }
    text = b"LOCK_MAX_SECS = 9000\n[RULES]\nspraying = false\n[RULES.account-daily]\nlimit = 6\n"
    with trying(trial.checked(trial.read(text))):
        rules = {rule.name: rule for rule in rules_in_force()}
        assert (conf.preset, conf.lock_max_secs) == ("cis", 9000)
    assert {"network", "spraying"}.isdisjoint(rules)
    daily = rules["account-daily"]
    assert (daily.limit, daily.lock.first) == (6, 60)
    assert conf.lock_max_secs == 3600


def test_a_site_that_only_watches_tries_what_would_be_refused(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "MODE": "monitor"}
    for seconds in (50, 40, 30, 20, 10):
        fail(seconds)
    found = replay({"MODE": "enforce"})
    assert found.tried
    assert (found.in_force.findings.refused, found.tried.findings.refused) == (0, 1)


def test_a_dropped_rule_can_be_tried_again(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": {"network": None}}
    with trying(trial.checked({"RULES": {"network": {}}})):
        assert "network" in {rule.name for rule in rules_in_force()}


@pytest.mark.parametrize("wrong", [None, [1], {"RULES": 7}])
def test_a_site_whose_settings_are_wrong_can_try_right_ones(wrong: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = wrong
    with trying(trial.checked({"RULES": {"account": {"limit": 3}}})):
        assert rules_in_force()[0].limit == 3


# -- What is found -------------------------------------------------------------------------------


def test_an_empty_log_says_so() -> None:
    assert "nothing to replay" in run("--since", "30d")
    told = json.loads(run("--since", "30d", "--json"))
    assert (told["failures"], told["tried"]) == (0, None)


def test_stricter_rules_lock_and_refuse_more() -> None:
    for seconds in (50, 40, 30):
        fail(seconds)
    found = replay(STRICT)
    assert found.tried
    assert (found.in_force.findings.evaluated, found.in_force.findings.refused) == (3, 0)
    assert (found.tried.findings.evaluated, found.tried.findings.refused) == (2, 1)
    assert found.tried.findings.locks == {"account": 1}


def test_a_lock_is_likely_false_where_the_owner_comes_in_right_after() -> None:
    for name, place in (("alice", HOME), ("bob", HOME), ("carol", ELSEWHERE)):
        fail(5_000, name)
        fail(4_990, name)
        enter(4_500 if name != "bob" else 1_000, name, place, account=name)
    assert replay(STRICT).tried.findings.likely_false == 1  # type: ignore[union-attr]


def test_owners_who_would_have_been_refused_are_counted_once() -> None:
    fail(60)
    fail(59)
    enter(50)
    enter(45)
    found = replay(STRICT).tried.findings  # type: ignore[union-attr]
    assert (found.kept_out, len(found.owners), len(found.people)) == (2, 1, 0)


def test_people_behind_a_locked_network_are_counted() -> None:
    for number in range(3):
        fail(100 - number, f"name {number}")
    enter(50, "dora", account="4")
    found = replay({"RULES": {"network": {"limit": 3}}})
    assert found.tried
    assert (len(found.tried.findings.networks), len(found.tried.findings.people)) == (1, 1)
    assert found.in_force.findings.kept_out == 0


def test_what_only_watches_is_told_apart() -> None:
    fail(60)
    fail(59)
    fail(58)
    found = replay({**STRICT, "RULES": {"account": {"mode": "monitor"}}}).tried
    assert found
    assert (found.findings.watched["account"], found.findings.locks.total()) == (1, 0)
    assert found.findings.refused == 0


def own_rule(scope: Scope, **terms: Any) -> Rule:
    """Return a rule that one failure reaches for bob, and five for others."""
    return Rule(
        "own",
        scope,
        5,
        3600,
        LockTerms(900),
        limit_of=lambda facts: 1 if facts.subject.username == "bob" else 5,
        **terms,
    )


def test_a_lock_that_an_attempt_finds_overdue_begins_with_it(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": [own_rule(NETWORK)]}
    fail(60)
    fail(50, "bob")
    enter(40, "carol")
    found = replay().in_force.findings
    assert (found.locks, found.evaluated, found.refused) == ({"own": 1}, 1, 1)
    assert (found.kept_out, len(found.people)) == (1, 1)


def test_accounts_that_vouch_raise_a_limit_that_is_overdue(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": [own_rule(NETWORK, credit=1)]}
    enter(9 * 86_400)
    enter(100)
    fail(60)
    fail(50, "bob")
    found = replay().in_force.findings
    assert (found.locks, found.evaluated, found.refused) == ({"own": 1}, 2, 0)


def test_what_came_before_leads_there_and_is_not_counted() -> None:
    for seconds in (70, 65, 60, 50):
        fail(seconds + 3 * 86_400 - 57)
    found = replay().in_force.findings
    assert (found.locks.total(), found.evaluated) == (1, 1)


def test_the_owner_s_link_ends_a_lock_there_too(
    clock: Any, alice: Any, guesses: Callable[..., list[str]]
) -> None:
    assert guesses(5) == ["wrong"] * 4 + ["locked"]
    clock.tick(5)
    owners.end(alice, owners.BY_MAIL)
    clock.tick(5)
    assert guesses(5) == ["wrong"] * 4 + ["locked"]
    found: list[Begun] = []
    assert replay(on_lock=found.append).in_force.findings.refused == 0
    starts = AccountLock.objects.order_by("started_at").values_list("started_at", flat=True)
    assert [lock.start for lock in found] == [*starts]


def test_a_rotated_secret_leaves_counts_as_they_are(
    settings: Any, clock: Any, guesses: Callable[..., list[str]]
) -> None:
    guesses(2)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one, which is as long as the tests' own secret"
    assert guesses(3) == ["wrong", "wrong", "locked"]
    assert replay().in_force.findings.locks == {"account": 1}


def test_a_time_that_is_up_is_said() -> None:
    fail(60)
    found = replay(seconds=-1)
    assert (found.is_whole, found.failures) == (False, 0)


# -- How it is told ------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("lockout_policy", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_both_sides(tmp_path: Path) -> None:
    for seconds in (50, 40, 30):
        fail(seconds)
    file = tmp_path / "rules.toml"
    file.write_text("MAX_FAILED_LOGIN_ATTEMPTS = 2")
    said = run("--try", str(file))
    assert "3 wrong and 0 right passwords" in said
    (line,) = (line for line in said.splitlines() if line.startswith("wrong passwords refused"))
    assert line.split()[-2:] == ["0", "1"]
    assert "What a log can't know" in said
    told = json.loads(run("--try", str(file), "--json"))
    assert (told["in_force"]["locks"], told["tried"]["locks"]) == (0, 1)
    assert told["tried"]["locks_by_rule"]["account"] == 1


def test_a_lock_from_before_is_none_of_this_time() -> None:
    four_days = 4 * 24 * 60 * 60
    for seconds in range(3):
        fail(four_days + seconds)
    assert replay().in_force.findings.locks.total() == 0
    found = replay(STRICT).tried
    assert found
    assert (found.findings.locks.total(), found.findings.evaluated) == (0, 0)


def test_the_command_tells_what_contradicts_the_preset(tmp_path: Path) -> None:
    fail(30)
    file = tmp_path / "rules.toml"
    said = "The rules tried contradict their preset"
    for rules, broken in (
        ('PRESET = "pci"', 0),
        ('PRESET = "pci"\n[RULES.account-daily]\nlimit = 11', 1),
    ):
        file.write_text(rules, encoding="utf-8-sig")
        assert (said in run("--try", str(file))) is bool(broken)
        assert len(json.loads(run("--try", str(file), "--json"))["contradicted"]) == broken
    file.write_text("MAX_FAILED_LOGIN_ATTEMPTS = 50")
    assert said not in run("--try", str(file))  # who names no preset promises nothing


def test_the_command_says_that_other_rules_were_in_force(settings: Any) -> None:
    usual = settings.LOCKOUT_ADMIN
    settings.LOCKOUT_ADMIN = {**usual, "MODE": "monitor"}
    for seconds in range(6):
        fail(seconds + 1)
    said = "other rules were in force at that time"
    assert said not in run("--since", "1d")
    settings.LOCKOUT_ADMIN = usual
    assert said in run("--since", "1d")
    assert json.loads(run("--since", "1d", "--json"))["other_rules_were_in_force"]


def test_a_file_may_come_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    fail(30)
    pipe = SimpleNamespace(buffer=io.BytesIO(b'PRESET = "pci"'))
    monkeypatch.setattr("sys.stdin", pipe)
    assert "rules tried" in run("--try", "-")


@pytest.mark.parametrize("length", ["", "x", "30", "30y", "999999999w", "-1", "٣٠d", "30d "])
def test_a_time_that_is_none_is_told(length: str) -> None:
    with pytest.raises(CommandError, match="This is no time"):
        run("--try", "x", f"--since={length}")


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match=r"nowhere\.toml can't be read"):
        run("--try", "nowhere.toml")


@pytest.mark.parametrize("use_tz", [True, False])
@pytest.mark.parametrize(("days", "width", "groups"), [(1, 1, 1), (45, 1, 45), (400, 9, 45)])
def test_a_picture_has_a_bar_for_each_side_and_day(
    days: int, width: int, groups: int, use_tz: bool, settings: Any
) -> None:
    settings.USE_TZ = use_tz
    for seconds in (50, 40, 30):
        fail(seconds)
    until = timezone.now() + timedelta(seconds=1)
    tried = trial.checked(STRICT)
    picture = Picture.of(compare(until - timedelta(days=days), until, tried))
    assert (picture.days, picture.most) == (width, 1)
    (bar,) = picture.bars
    assert (bar.side, bar.locks) == (1, 1)
    assert bar.x // (720 // groups) == groups - 1


def test_figures_have_a_line_for_each_rule(settings: Any) -> None:
    fail(30)
    lines = telling.lines_of_rules(replay({"RULES": {"network": None}}))
    assert [line.label for line in lines] == [rule.name for rule in rules_in_force()]
    assert lockout.is_account_locked("alice") is False
