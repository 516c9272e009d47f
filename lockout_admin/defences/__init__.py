"""One file a defence. Each brings its scopes and rules; the engine knows none of them."""

from __future__ import annotations


def install() -> None:
    """Have the defences' rules among the default ones, and let them listen."""
    from ..engine import ruleset  # noqa: PLC0415
    from . import alarm, challenge, devices, lists, networks, revoking  # noqa: PLC0415

    ruleset.add_default_rules(devices.rules)
    ruleset.add_default_rules(networks.rules)
    devices.connect()
    revoking.connect()
    lists.connect()
    alarm.connect()
    challenge.connect()
