"""Rules are values: the default ones, those of a site, and one of a scope that nobody foresaw."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.cache import cache

from lockout_admin.engine.conditions import Between
from lockout_admin.engine.rules import (
    DAY,
    HOUR,
    Facts,
    LockTerms,
    Matter,
    Mode,
    Rule,
    Scope,
)
from lockout_admin.engine.ruleset import account_rules, default_rules, rules_in_force
from lockout_admin.identity.network import network_of
from lockout_admin.identity.subject import digests
from lockout_admin.models import AccountLock

from ..conftest import HOME
from .conftest import ELSEWHERE

Guesses = Callable[..., list[str]]
pytestmark = pytest.mark.django_db


def test_nine_rules_are_in_force_by_default() -> None:
    summary = [(rule.name, rule.limit, rule.interval, rule.lock.first) for rule in default_rules()]
    assert summary == [
        ("account", 4, 60, 60),
        ("account-daily", 10, DAY, HOUR),
        ("account-total", 100, 30 * DAY, DAY),
        ("device", 4, 60, 60),
        ("device-total", 10, 400 * DAY, 1),
        ("network", 20, HOUR, 900),
        ("spraying", 10, HOUR, 900),
        ("network-wide", 80, HOUR, 900),
        ("spraying-wide", 40, HOUR, 900),
    ]


def test_locks_grow_to_an_hour() -> None:
    terms = default_rules()[0].lock
    lengths = [terms.seconds(previous) for previous in range(8)]
    assert lengths == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_lock_without_growth_keeps_its_length() -> None:
    assert LockTerms(HOUR).seconds(1000) == HOUR


def test_a_site_changes_rules_by_name(settings: Any) -> None:
    changes = {"account-daily": {"limit": 20, "lock": 60, "mode": "monitor"}, "account-total": None}
    settings.LOCKOUT_ADMIN = {"RULES": changes}
    account, daily, *others = rules_in_force()
    assert (account, others) == (default_rules()[0], list(default_rules()[3:]))
    assert (daily.limit, daily.interval, daily.lock.first) == (20, DAY, 60)
    assert daily.mode == Mode.MONITOR


def _provider(facts: Facts) -> Matter | None:
    cidr = network_of(facts.client.ip_address)
    if cidr is None:
        return None
    network = ip_network(cidr)
    rows = (Between("ip_address", str(network[0]), str(network[-1])),)
    return Matter("provider", digests("tests.provider", cidr), cidr, rows)


PROVIDER = Scope("provider", _provider)
#: What a new defence is: a function and a value.
SITE_RULES = (
    *account_rules(),
    Rule("provider", PROVIDER, limit=6, interval=HOUR, lock=LockTerms(900), starts_anew=True),
)


@pytest.mark.parametrize("declared", [SITE_RULES, "tests.engine.test_rules.SITE_RULES"])
def test_a_site_replaces_the_list(settings: Any, declared: Any) -> None:
    settings.LOCKOUT_ADMIN = {"RULES": declared}
    assert rules_in_force() == SITE_RULES


@pytest.fixture
def _with_a_provider_rule(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": SITE_RULES}


@pytest.mark.usefixtures("_with_a_provider_rule", "clock")
def test_a_rule_of_a_new_scope_is_one_value_and_one_function(guesses: Guesses) -> None:
    names = [f"name-{number}" for number in range(8)]
    answers = [guesses(1, username=name)[0] for name in names]
    assert answers == ["wrong"] * 6 + ["locked"] * 2
    assert guesses(1, username="name-9", ip=ELSEWHERE) == ["wrong"]
    lock = AccountLock.objects.get()
    assert (lock.scope, lock.rule, lock.label, lock.subject) == (
        "provider",
        "provider",
        f"{HOME}/32",
        None,
    )


@pytest.mark.usefixtures("clock")
def test_a_site_may_have_no_rule_for_names(guesses: Guesses, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": [SITE_RULES[-1]]}
    assert guesses(7) == ["wrong"] * 6 + ["locked"]


@pytest.mark.usefixtures("_with_a_provider_rule")
def test_a_lock_of_a_new_scope_survives_a_flush_and_ends(guesses: Guesses, clock: Any) -> None:
    guesses(6, username="a")
    for number in range(6):
        guesses(1, username=f"name-{number}")
    cache.clear()
    assert guesses(1, username="b") == ["locked"]
    clock.tick(901)
    assert guesses(1, username="b") == ["wrong"]


@pytest.mark.usefixtures("_with_a_provider_rule", "clock")
def test_an_attempt_that_the_scope_does_not_know_is_free_of_the_rule(guesses: Guesses) -> None:
    answers = [guesses(1, username=f"name-{n}", ip="127.0.0.1")[0] for n in range(8)]
    assert answers == ["wrong"] * 8


@pytest.mark.usefixtures("clock")
def test_a_rule_in_monitor_mode_records_what_it_would_do(
    guesses: Guesses, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lockout_admin")
    settings.LOCKOUT_ADMIN = {
        **settings.LOCKOUT_ADMIN,
        "RULES": {"account": {"mode": "monitor"}, "account-total": {"mode": "monitor"}},
    }
    assert guesses(11) == ["wrong"] * 10 + ["locked"]
    locks = AccountLock.objects.order_by("id").values_list("rule", "enforced")
    assert list(locks) == [("account", False), ("account-daily", True)]
    codes = [record.getMessage().partition(" ")[0] for record in caplog.records]
    assert codes.count("authn_login_lock_monitored") == codes.count("authn_login_lock") == 1
