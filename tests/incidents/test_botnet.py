"""One guess a name a day, each from an address of its own: no counter sees it, the guess tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from lockout_admin.incidents.grouping import group
from lockout_admin.models import FailedLogin, Incident

from . import traces
from .crowds import DAY, PASSWORD, settle
from .judging import one_of
from .player import Player, entered_of, incidents, names_of, networks_of

pytestmark = pytest.mark.django_db

#: 20,000 names in a day.
PACE = DAY / 20_000
#: 100,000 logins in a week.
SHOP = 100_000 / (7 * DAY)
GUESS = "Football1"
#: Whose password it is, by the turn at which they are tried: one before anybody can know.
LUCKY = (20, 102, 112)
TIMES = 115

Story = tuple[traces.Attack, Player]


@pytest.fixture
def story(clock: Any, db: None) -> Story:
    """Play the first eight minutes of it, beside a shop's customers."""
    names = [f"person{number}" for number in range(TIMES)]
    settle(names, timezone.now() - timedelta(days=365), {names[turn]: GUESS for turn in LUCKY})
    customers = [f"customer{number}" for number in range(1000)]
    settle(customers, timezone.now() - timedelta(days=365))
    attack = traces.botnet(names, PACE, GUESS)
    seconds = TIMES * PACE
    player = Player(clock)
    player.play(attack, traces.passers_by(customers, PASSWORD, seconds, SHOP))
    return attack, player


def test_it_is_found_by_the_hundredth_name_and_counted_right(story: Story) -> None:
    attack, player = story
    truth = player.fates[attack.label]
    # No counter has seen it.
    assert truth.refused == 0
    assert FailedLogin.objects.filter(repeated=True).count() == 0
    one = one_of(attack)
    assert len(incidents()) == 1
    # A turn of the grouping after the hundredth.
    assert one.found_at <= player.moment(attack.known_at + 10)
    assert one.kind in attack.kinds
    # Two or three customers may mistype to the same sixteen bits.
    assert names_of(one) >= truth.names
    assert networks_of(one) >= truth.networks
    assert truth.evaluated <= one.evaluated <= truth.evaluated + 3
    assert one.refused == 0
    # Whoever was entered before it was known is named too.
    assert len(truth.entered) == len(LUCKY)
    assert entered_of(one) == truth.entered


def test_customers_without_a_botnet_raise_none(clock: Any) -> None:
    customers = [f"customer{number}" for number in range(1000)]
    settle(customers, timezone.now() - timedelta(days=365))
    player = Player(clock)
    player.play(traces.passers_by(customers, PASSWORD, 900, SHOP))
    assert player.fates[""].evaluated > 10
    assert incidents() == []


def test_the_next_day_it_is_the_same_incident(story: Story, clock: Any) -> None:
    """The key of the fingerprints is a new one; what goes on is not."""
    attack, player = story
    clock.move_to(player.start + timedelta(days=1))
    again = traces.botnet(sorted(attack.names)[:60], PACE, "Football2")
    Player(clock).play(again)
    group()
    assert Incident.objects.filter(merged_into=None).count() == 1
