"""Presets: each clause of a standard on the engine, and settings that contradict it are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone

from lockout_admin import lockout
from lockout_admin.conf import conf
from lockout_admin.declarations.presets import PRESETS
from lockout_admin.declarations.values import LONGEST
from lockout_admin.engine import owners, refusals
from lockout_admin.engine.attempt import prepared, sort_into
from lockout_admin.engine.rules import DAY, HOUR, MINUTE
from lockout_admin.engine.ruleset import default_rules, rules_in_force
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.policy.clauses import CLAUSES

from ..defences.person import Person
from ..engine.conftest import ELSEWHERE

pytestmark = pytest.mark.django_db
Guesses = Callable[..., list[str]]
NETWORKS_OFF = dict.fromkeys(["network", "spraying", "network-wide", "spraying-wide"])


@pytest.fixture
def preset(settings: Any) -> Callable[..., None]:
    """Have a preset in force, with settings beside it."""

    def preset(name: str, **keys: Any) -> None:
        rules = {**NETWORKS_OFF, **keys.pop("RULES", {})}
        settings.LOCKOUT_ADMIN = {"CACHE": "default", "PRESET": name, "RULES": rules, **keys}

    return preset


def open_locks() -> list[str]:
    return list(AccountLock.objects.open().values_list("rule", flat=True))


# -- What a preset is -----------------------------------------------------------------------------


def test_owasp_is_the_default(settings: Any) -> None:
    usual = default_rules()
    settings.LOCKOUT_ADMIN = {"PRESET": "owasp"}
    assert (conf.preset, default_rules()) == ("owasp", usual)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_keeps_its_own_clauses(name: str, preset: Any) -> None:
    preset(name, RULES={"spraying": {}})
    promised = [clause for clause in CLAUSES if clause.preset == name]
    assert promised
    assert all(clause.holds(rules_in_force()) for clause in promised)
    assert found() == []


def test_what_a_site_sets_is_stronger_than_a_preset(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"PRESET": "cis"}
    assert conf.account_locked_timeout_secs == 900
    settings.ACCOUNT_LOCKED_TIMEOUT_SECS = 60
    assert conf.account_locked_timeout_secs == 60


@pytest.mark.parametrize("wrong", ["PCI", 1, None, ["pci"]])
def test_a_wrong_preset_is_as_none(wrong: Any, settings: Any) -> None:
    usual = default_rules()
    settings.LOCKOUT_ADMIN = {"PRESET": wrong}
    assert default_rules() == usual
    assert conf.retention_secs == 180 * DAY


# -- PCI DSS 4.0.1, 8.3.4 -------------------------------------------------------------------------


def test_pci_locks_after_ten_tries_at_any_pace(
    preset: Any,
    guesses: Guesses,
    clock: Any,
) -> None:
    preset("pci")
    for _ in range(10):
        assert guesses(1) == ["wrong"]
        clock.tick(HOUR)
    clock.tick(-HOUR)
    assert guesses(1) == ["locked"]


def test_pci_locks_for_at_least_half_an_hour(
    preset: Any,
    guesses: Guesses,
    clock: Any,
) -> None:
    preset("pci")
    assert guesses(5) == ["wrong"] * 4 + ["locked"]
    clock.tick(30 * MINUTE - 1)
    assert guesses(1) == ["locked"]
    clock.tick(1)
    assert guesses(1) == ["wrong"]


def test_pci_counts_the_same_wrong_password_again(
    preset: Any,
    attempt: Callable[..., str],
    clock: Any,
) -> None:
    preset("pci")
    answers = []
    for _ in range(11):
        answers.append(attempt("the same"))
        clock.tick(MINUTE)
    assert answers == ["wrong"] * 10 + ["locked"]


@pytest.mark.usefixtures("alice", "clock")
def test_pci_counts_devices_and_strangers_together(preset: Any, guesses: Guesses) -> None:
    preset("pci", RULES={"account": None, "device": None})
    owner = Person()
    assert owner.log_in() == "in"
    assert owner.guess(5) == ["wrong"] * 5
    assert guesses(6, ip=ELSEWHERE) == ["wrong"] * 5 + ["locked"]
    assert owner.log_in() == "refused"


@pytest.mark.usefixtures("alice", "clock")
def test_pci_lets_an_owner_in_who_has_proved_to_be_one(
    preset: Any,
    guesses: Guesses,
    alice: Any,
) -> None:
    preset("pci")
    guesses(4, ip=ELSEWHERE)
    assert Person().log_in() == "refused"
    owners.end(alice, owners.BY_MAIL)
    assert Person().log_in() == "in"


@pytest.mark.usefixtures("clock")
def test_by_default_a_device_is_not_bound(preset: Any, guesses: Guesses, alice: Any) -> None:
    preset("owasp")
    owner = Person()
    owner.log_in()
    guesses(4, ip=ELSEWHERE)
    assert owner.log_in() == "in"


# -- NIST SP 800-63B-4, 3.2.2 ---------------------------------------------------------------------


@pytest.fixture
def used_up(preset: Any, guesses: Guesses, clock: Any, alice: Any) -> Any:
    """Alice, whose hundred are used up."""
    preset("nist", RULES={"account": None, "account-daily": None})
    assert guesses(101, ip=ELSEWHERE) == ["wrong"] * 100 + ["locked"]
    assert open_locks() == ["account-total"]
    return alice


def test_nist_lets_a_hundred_through_until_staff_end_it(
    used_up: Any,
    guesses: Guesses,
    clock: Any,
) -> None:
    clock.tick(400 * DAY)
    assert guesses(1, ip=ELSEWHERE) == ["locked"]
    lockout.unlock_account("alice", by="sam", note="came with a passport")
    assert Person().log_in() == "in"


def test_nist_counts_for_good(
    preset: Any,
    guesses: Guesses,
    clock: Any,
) -> None:
    preset("nist", RULES={"account": None, "account-daily": None})
    assert guesses(99) == ["wrong"] * 99
    clock.tick(300 * DAY)
    call_command("lockout_prune", verbosity=0)
    assert guesses(2) == ["wrong", "locked"]


@pytest.mark.parametrize("by", [owners.BY_MAIL, owners.BY_PASSWORD])
def test_nist_is_not_ended_by_the_owner_s_mail_alone(used_up: Any, by: str) -> None:
    ended = owners.end(used_up, by)
    assert ([lock.rule for lock in ended.going_on], ended.locks) == (["account-total"], [])
    assert open_locks() == ["account-total"]
    assert Person().log_in() == "refused"


def test_nist_counts_on_after_a_shorter_lock_was_ended_by_mail(
    preset: Any,
    guesses: Guesses,
    clock: Any,
    alice: Any,
) -> None:
    preset("nist", RULES={"account": None, "account-daily": {"limit": 99}})
    guesses(99, ip=ELSEWHERE)
    assert open_locks() == ["account-daily"]
    clock.tick(1)
    assert owners.end(alice, owners.BY_MAIL).going_on == []
    assert guesses(2, ip=ELSEWHERE) == ["wrong", "locked"]
    assert open_locks() == ["account-total"]


@pytest.mark.usefixtures("clock")
def test_nist_says_on_the_owner_s_page_that_only_staff_help(used_up: Any, settings: Any) -> None:
    assert owners.locked_for_staff(used_up).rule == "account-total"  # type: ignore[union-attr]
    lockout.lock_account("alice", seconds=LONGEST, by="sam", note="phished")
    assert owners.locked_for_staff(used_up).is_by_hand  # type: ignore[union-attr]


@pytest.mark.usefixtures("clock")
def test_nist_binds_the_owner_s_browser_too(
    preset: Any,
    guesses: Guesses,
    alice: Any,
) -> None:
    preset("nist")
    owner = Person()
    assert owner.log_in(username="alice") == "in"
    guesses(4, ip=ELSEWHERE)
    assert owner.log_in(username="alice") == "refused"


@pytest.mark.parametrize(("name", "is_bound"), [("owasp", False), ("pci", True), ("nist", True)])
def test_a_device_that_comes_in_by_another_name_is_bound_where_devices_are(
    preset: Any, guesses: Guesses, alice: Any, clock: Any, name: str, is_bound: bool
) -> None:
    preset(name)
    guesses(4, ip=ELSEWHERE)
    found = prepared("alias")
    sort_into(found, 7)
    assert (refusals.lock_of_own_name(found, alice) is not None) == is_bound


# -- CIS, CNIL ------------------------------------------------------------------------------------


def test_cis_locks_after_five_in_a_quarter_of_an_hour_for_a_quarter(
    preset: Any,
    guesses: Guesses,
    clock: Any,
) -> None:
    preset("cis")
    for _ in range(5):
        assert guesses(1) == ["wrong"]
        clock.tick(3 * MINUTE - 1)
    clock.tick(1 - 3 * MINUTE)
    clock.tick(15 * MINUTE - 1)
    assert guesses(1) == ["locked"]
    clock.tick(1)
    assert guesses(1) == ["wrong"]


def test_cnil_lets_at_most_25_through_in_a_day(
    preset: Any,
    guesses: Guesses,
    clock: Any,
) -> None:
    preset("cnil")
    end = timezone.now().timestamp() + DAY
    while timezone.now().timestamp() < end:
        guesses(1)
        lock = lockout.get_lock("alice")
        clock.tick(lock.remaining if lock else 21)
    # And ten from one trusted device, for whoever has a copy of its cookie.
    assert 12 <= FailedLogin.objects.count() <= 15


# -- Contradictions -------------------------------------------------------------------------------


def found() -> list[tuple[str, str]]:
    """Return what the check says: problem and remedy."""
    return [
        (message.msg, message.hint or "")
        for message in run_checks()
        if message.id == "lockout_admin.E038"
    ]


CONTRADICTIONS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("pci", {}, {"ACCOUNT_LOCKED_TIMEOUT_SECS": 60}, "8.3.4: A lock lasts", "at least 1800"),
    ("pci", {"RULES": {"account-daily": {"lock": 900}}}, {}, "8.3.4: A lock", "at least 1800"),
    ("pci", {"RULES": {"account-daily": {"limit": 11}}}, {}, "8.3.4: At most 10", "10 or less"),
    ("pci", {"RULES": {"account-daily": None}}, {}, "8.3.4: At most 10", "10 or less"),
    ("pci", {"RULES": {"account-daily": {"mode": "monitor"}}}, {}, "8.3.4: At most", "10 or less"),
    (
        "nist",
        {"RULES": {"account-total": {"limit": 101}}},
        {},
        "3.2.2: At most 100",
        "account-total",
    ),
    ("nist", {"RULES": {"account-total": {"interval": DAY}}}, {}, "3.2.2", "account-total"),
    ("nist", {"RULES": {"account-total": {"lock": 60}}}, {}, "3.2.2", "account-total"),
    ("nist", {"RETENTION_SECS": 180 * DAY}, {}, "3.2.2: At most 100", "RETENTION_SECS"),
    ("cis", {}, {"MAX_FAILED_LOGIN_ATTEMPTS": 6}, "At most 5", "at most 5"),
    ("cis", {}, {"FAILED_LOGIN_INTERVAL_SECS": 60}, "At most 5", "at least 900"),
    ("cis", {}, {"ACCOUNT_LOCKED_TIMEOUT_SECS": 60}, "15 minutes", "at least 900"),
    ("cnil", {"RULES": {"account-daily": {"lock": HOUR}}}, {}, "CNIL 2022-100", "longer lock"),
    (
        "cnil",
        {"RULES": dict.fromkeys(["account", "account-daily", "account-total"])},
        {},
        "CNIL 2022-100",
        "longer lock",
    ),
    ("cnil", {"RULES": {"account-daily": {"lock": 4 * HOUR}}}, {}, "2022-100", "longer lock"),
    ("cnil", {"RULES": {"device-total": {"limit": 12}}}, {}, "CNIL 2022-100", "longer lock"),
    ("cnil", {"RULES": {"device": None, "device-total": {"mode": "monitor"}}}, {}, "CNIL", "lock"),
    ("cis", {"RULES": {"device": {"limit": 6}}}, {}, "At most 5", "at most 5"),
    ("cis", {"RULES": {"device": {"interval": 60}}}, {}, "At most 5", "at least 900"),
    ("cis", {"RULES": {"device": {"mode": "monitor"}}}, {}, "At most 5", "at least 900"),
    ("owasp", {"DEVICE_COOKIE_NAME": ""}, {}, "ASVS 5.0, 6.1.1", "DEVICE_COOKIE_NAME"),
    (
        # A device that no rule counts is a stranger.
        "owasp",
        {"RULES": {"device": None, "device-total": None}},
        {},
        "ASVS 5.0, 6.1.1",
        "DEVICE_COOKIE_NAME",
    ),
    ("owasp", {"RULES": {"spraying": None}}, {}, "ASVS 5.0, 6.3.1", "spraying"),
    (
        "owasp",
        {"RULES": {"account-daily": None, "account-total": None}},
        {"MAX_FAILED_LOGIN_ATTEMPTS": 100},
        "ASVS 5.0, 6.3.1",
        "account-daily",
    ),
]


@pytest.mark.parametrize(("name", "keys", "plain", "clause", "remedy"), CONTRADICTIONS)
def test_a_contradiction_is_refused_with_clause_and_remedy(
    name: str,
    keys: dict[str, Any],
    plain: dict[str, Any],
    clause: str,
    remedy: str,
    settings: Any,
) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "PRESET": name, **keys}
    for key, value in plain.items():
        setattr(settings, key, value)
    ((problem, hint),) = found()
    assert f"'{name}'" in problem
    assert clause in problem
    assert remedy in hint
    assert "What RULES says of a rule goes before" in hint


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("nist", {"account-total": {"limit": 50}}),
        ("cnil", {"account-daily": {"limit": 3, "lock": 8 * HOUR}}),
        ("pci", {"account-daily": {"limit": 5}}),
    ],
)
def test_limits_hold_for_all_names_of_an_account_together(
    name: str, rules: dict[str, Any], settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.defences.test_whose_device.EitherName"]
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "PRESET": name}
    ((_problem, hint),) = found()
    assert "an account by 2 names" in hint
    assert "divide the limits by 2" in hint
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "PRESET": name, "RULES": rules}
    assert found() == []


def test_who_names_no_preset_contradicts_none(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": {"spraying": None}}
    assert found() == []
