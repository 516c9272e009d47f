"""Rules of several kinds on one name: what a right password ends in one, another may count on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.engine.rules import ACCOUNT, DAY, HOUR, EndedBy, LockTerms, Rule
from lockout_admin.engine.ruleset import default_rules
from lockout_admin.models import AccountLock

from ..conftest import HOME
from ..defences.person import Person

pytestmark = pytest.mark.django_db
Guesses = Callable[..., list[str]]


def rule(name: str, limit: int, ended_by: EndedBy | None) -> Rule:
    return Rule(name, ACCOUNT, limit, 7 * DAY, LockTerms(HOUR), ended_by=ended_by)


def locked_by() -> list[str]:
    return [*AccountLock.objects.order_by("pk").values_list("rule", flat=True)]


def mistype_and_come_in(alice: Any, clock: FrozenDateTimeFactory, days: int) -> None:
    """Mistype three times in a new browser, and be right then, day by day."""
    for _ in range(days):
        owner = Person(HOME)
        assert owner.guess(3) == ["wrong"] * 3
        assert owner.log_in() == "in"
        clock.tick(HOUR)


def test_a_rule_that_nothing_ends_beside_the_default_ones_locks_no_owner(
    settings: Any, alice: Any, clock: FrozenDateTimeFactory
) -> None:
    weekly = rule("account-weekly", 200, None)
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": [*default_rules()[:2], weekly]}
    mistype_and_come_in(alice, clock, 5)
    assert locked_by() == []


def test_it_counts_on_itself(settings: Any, alice: Any, clock: FrozenDateTimeFactory) -> None:
    rules = [rule("ended", 4, EndedBy.BROWSER), rule("never", 10, None)]
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": rules}
    mistype_and_come_in(alice, clock, 3)
    assert Person(HOME).guess(1) == ["wrong"]
    assert locked_by() == ["never"]


def test_a_rule_that_watches_counts_no_longer_than_its_interval(
    settings: Any, guesses: Guesses, clock: FrozenDateTimeFactory
) -> None:
    settings.LOCKOUT_ADMIN = {"CACHE": "default", "RULES": {"account": {"mode": "monitor"}}}
    for _ in range(9):
        assert guesses(1) == ["wrong"]
        clock.tick(120)
    assert locked_by() == []
