"""The log of an SSH server, replayed: the incidents are those that a person has named."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.utils import timezone

from lockout_admin.engine import attempts
from lockout_admin.exceptions import AccountLocked
from lockout_admin.incidents.grouping import group
from lockout_admin.models import Incident

from ..incidents.player import EVERY_SECS, incidents, names_of, networks_of
from ..test_real_attack import LOGS, Guess, guesses
from .openssh import ACCOUNTS, DOUBTFUL, INCIDENTS, NOISE, OWNER, Named

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not LOGS, reason="OpenSSH_2k.log of Loghub is not in a data folder beside the checkout"
    ),
]

Fates = defaultdict[str, Counter[str]]


def moment(text: str) -> datetime:
    return datetime.strptime(f"2015-12-10 {text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def network_of(guess: Guess) -> str:
    return f"{guess.address}/32"


def attempt(guess: Guess) -> str:
    """Let the engine judge a guess: "evaluated" or "refused"."""
    request = RequestFactory().post("/login/", REMOTE_ADDR=guess.address)
    try:
        attempts.fail(attempts.begin(guess.username, request))
    except AccountLocked:
        return "refused"
    return "evaluated"


@pytest.fixture
def fates(clock: Any) -> Fates:
    """Replay the log, and group as often as a site would; return what became of each network."""
    when, owner, address = OWNER
    users = {name: get_user_model().objects.create_user(name) for name in ACCOUNTS}
    found: Fates = defaultdict(Counter)
    turn = moment("06:55:00")
    log = [*guesses(), Guess(moment(when), owner, address)]
    is_stale = False
    for guess in sorted(log, key=lambda one: one.when):
        while turn + timedelta(seconds=EVERY_SECS) <= guess.when:
            turn += timedelta(seconds=EVERY_SECS)
            # As a site's thread does: where nothing has failed, nobody looks but now and then.
            if is_stale or turn.minute % 10 == 0:
                clock.move_to(turn)
                group()
            is_stale = False
        clock.move_to(guess.when)
        is_stale = True
        if guess.username == owner:
            request = RequestFactory().post("/login/", REMOTE_ADDR=address)
            attempts.succeed(attempts.begin(owner, request), users[owner])
        else:
            found[network_of(guess)][attempt(guess)] += 1
    clock.tick(EVERY_SECS)
    group()
    return found


def of_network(network: str) -> list[Incident]:
    return [one for one in incidents() if network in networks_of(one)]


def one_of(named: Named) -> Incident:
    found = of_network(named.network)
    assert len(found) == 1, [f"{one.kind} {one.about}: {one.because}" for one in found]
    return found[0]


def test_the_incidents_are_those_that_a_person_names(fates: Fates) -> None:
    """One replay for all that is to be told of them: it is four hours of turns."""
    ours = {named.network: one_of(named) for named in INCIDENTS}
    assert len({one.pk for one in ours.values()}) == len(INCIDENTS)
    found = {network for one in incidents() for network in networks_of(one)}
    assert found <= {named.network for named in INCIDENTS} | set(DOUBTFUL)
    assert not found & set(NOISE)
    # No guess is in two.
    assert all(len(of_network(network)) <= 1 for network in fates)
    for named in INCIDENTS:
        is_counted_right_and_found_within_a_minute(ours[named.network], named, fates)
    # Those of the morning are over by eleven, and those of eleven are not.
    assert timezone.now() - moment("11:04:45") <= timedelta(seconds=20)
    over = {network for network, one in ours.items() if one.is_over}
    assert "183.62.140.253/32" not in over
    assert {"112.95.230.3/32", "5.188.10.180/32", "185.190.58.151/32"} <= over


def is_counted_right_and_found_within_a_minute(one: Incident, named: Named, fates: Fates) -> None:
    fate = fates[named.network]
    assert one.kind in named.kinds
    assert fate.total() == named.guesses
    assert (one.evaluated, one.refused, one.entered) == (fate["evaluated"], fate["refused"], 0)
    assert {name.strip() for name in names_of(one)} == named.names
    assert networks_of(one) == {named.network}
    if named.about:
        assert one.about == named.about
    assert one.names_existing == len(named.names & set(ACCOUNTS))
    assert one.started_at == moment(named.begin)
    assert abs(one.last_seen_at - moment(named.end)) <= timedelta(seconds=EVERY_SECS)
    assert one.found_at <= moment(named.known) + timedelta(seconds=60)
