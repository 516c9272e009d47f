"""Honest people who share one address: an office, a provider's gateway.

7.5 % of logins are mistyped (Blocki and Zhang, "DALock", PoPETs 2022). Nobody attacks here:
whoever is refused is refused by mistake.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from lockout_admin.engine.rules import DAY, HOUR
from lockout_admin.models import AccountLock, SuccessfulLogin

from ..conftest import HOME
from ..defences.person import Person

pytestmark = pytest.mark.django_db

MISTYPED = 0.075
OFFICE, GATEWAY = 60, 1000


class Crowd:
    """People behind one address, and what they get to see."""

    def __init__(self, people: int, clock: Any) -> None:
        self.clock = clock
        self.random = Random(7)
        self.answers: Counter[str] = Counter()
        self.browsers = [Person() for _ in range(people)]
        model = get_user_model()
        known = {"password": make_password("right"), "date_joined": days_ago(365)}
        model.objects.bulk_create(model(username=name(n), **known) for n in range(people))

    def come_in(self, number: int, *, expired: bool = False) -> None:
        """Have one of them log in, with typos; first with two tries of an old password."""
        password = "right"
        if expired and self.tries(number, "expired", "expired"):
            user = get_user_model().objects.get(username=name(number))
            user.set_password(password := "new")
            user.save()
        typos: list[str] = []
        while self.random.random() < MISTYPED:
            typos.append(f"{password}{len(typos)}")
        self.tries(number, *typos, password)

    def tries(self, number: int, *passwords: str) -> bool:
        """Have one of them try passwords until one is refused. False: that happened."""
        for password in passwords:
            answer = self.browsers[number].log_in(password, name(number))
            self.answers[answer] += 1
            if answer == "refused":
                return False
        return True

    def spend_a_morning(self, hours: float, *, expired: bool = False) -> None:
        """Have all of them log in once within so many hours, in no order."""
        pause = hours * HOUR / len(self.browsers)
        for number in self.random.sample(range(len(self.browsers)), len(self.browsers)):
            self.clock.tick(pause)
            self.come_in(number, expired=expired)

    def forget_their_browsers(self) -> None:
        """Have everybody come with a browser that has no cookie."""
        self.browsers = [Person() for _ in self.browsers]


def name(number: int) -> str:
    return f"person-{number}"


def days_ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


@pytest.mark.parametrize("cookies", ["kept", "none"])
def test_an_office_of_sixty_comes_in_within_half_an_hour_each_day(clock: Any, cookies: str) -> None:
    office = Crowd(OFFICE, clock)
    for _ in range(5):
        office.spend_a_morning(hours=0.5)
        clock.tick(DAY - HOUR / 2)
        if cookies == "none":
            office.forget_their_browsers()
    assert office.answers["refused"] == 0
    assert office.answers["wrong"] > 10
    assert not AccountLock.objects.exists()


def test_an_office_on_the_monday_on_which_all_passwords_have_expired(clock: Any) -> None:
    office = Crowd(OFFICE, clock)
    office.spend_a_morning(hours=0.5)
    clock.tick(3 * DAY)
    office.answers.clear()
    office.spend_a_morning(hours=0.5, expired=True)
    assert office.answers["refused"] == 0
    assert office.answers["wrong"] > 2 * OFFICE
    assert office.answers["in"] == OFFICE


def test_the_same_monday_in_browsers_that_nobody_knows_has_the_limit_of_ten_names(
    clock: Any,
) -> None:
    """The first day: there is no cookie yet, and after a weekend nobody vouches either."""
    office = Crowd(OFFICE, clock)
    for number in range(OFFICE):
        office.browsers[number].log_in("old", name(number))
    lock = AccountLock.objects.get()
    assert (lock.scope, lock.label) == ("network", f"{HOME}/32")


@pytest.mark.parametrize("cookies", ["kept", "none"])
def test_a_gateway_with_a_thousand_people_on_a_normal_day(clock: Any, cookies: str) -> None:
    gateway = Crowd(GATEWAY, clock)
    gateway.spend_a_morning(hours=8)
    if cookies == "kept":
        gateway.spend_a_morning(hours=8)
    assert gateway.answers["refused"] == 0
    assert gateway.answers["wrong"] > 50
    assert SuccessfulLogin.objects.filter(ip_address=HOME).count() >= GATEWAY
