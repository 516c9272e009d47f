"""What this process has seen goes to where all processes read it."""

from __future__ import annotations

from ..engine import sightings
from ..engine.sightings import RefusedSeen
from ..identity.network import network_of, number_of
from ..models import RefusedTries
from ..models.accounts import name_to_store
from ..models.querysets import UserAgentManager
from . import guesses


def hand_over() -> None:
    """Write refusals into their table, guesses into the store; learn which guesses are hot."""
    seen = sightings.take()
    if seen.refusals:
        rows = [_row(one) for one in seen.refusals.values()]
        try:
            RefusedTries.objects.bulk_create(rows, batch_size=500)
        except Exception:
            # The next turn has them: a database that is away comes back.
            sightings.give_back(seen)
            raise
    guesses.hand_over(seen.guesses, seen.entries)
    guesses.listen()


def _row(one: RefusedSeen) -> RefusedTries:
    address = one.client.ip_address
    return RefusedTries(
        timestamp=one.last,
        subject=one.subject.key,
        username=name_to_store(one.subject),
        network=number_of(network_of(address)),
        ip_address=address,
        user_agent_id=UserAgentManager.key_of(one.client.user_agent),
        device=one.device,
        times=one.times,
    )
