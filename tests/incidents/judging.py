"""Compares what was found with the truth."""

from __future__ import annotations

from lockout_admin.models import Incident

from .player import Player, entered_of, incidents, names_of, networks_of
from .traces import Attack


def found_of(attack: Attack) -> list[Incident]:
    """Return the incidents that have a network of the attack and a name of it."""
    return [
        one
        for one in incidents()
        if networks_of(one) & attack.networks and names_of(one) & attack.names
    ]


def one_of(attack: Attack) -> Incident:
    """Return the incident that an attack has become: exactly one."""
    found = found_of(attack)
    told = [f"{one.kind} {one.about}: {one.because}" for one in found]
    assert len(found) == 1, f"{attack.label} became {told}"
    return found[0]


def judge(attack: Attack, player: Player) -> Incident:
    """Hold that an attack has become one incident, of the right kind, in time, counted right."""
    one = one_of(attack)
    truth = player.fates[attack.label]
    assert one.kind in attack.kinds
    assert attack.about in {None, one.about}
    late = (one.found_at - player.moment(attack.known_at)).total_seconds()
    assert late <= attack.grace, f"found {late:.0f} s after it could be known"
    assert names_of(one) == truth.names
    assert networks_of(one) == truth.networks
    assert (one.names, one.networks) == (len(truth.names), len(truth.networks))
    assert (one.evaluated, one.refused) == (truth.evaluated, truth.refused)
    assert entered_of(one) == truth.entered
    assert one.entered == len(truth.entered)
    return one
