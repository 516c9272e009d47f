"""Networks compiled for matching."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

import pytest

from lockout_admin.defences.matching import FOR_EVER, Match, Networks

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def found(networks: Networks, address: str, now: float = 0) -> Match | None:
    return networks.find(ip_address(address), now)


@pytest.mark.parametrize(
    ("cidr", "inside", "outside"),
    [
        ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
        ("203.0.113.7/32", "203.0.113.7", "203.0.113.6"),
        ("0.0.0.0/0", "255.255.255.255", "::"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("2001:db8::7/128", "2001:db8::7", "2001:db8::8"),
        ("::/0", "ffff::", "0.0.0.0"),
    ],
)
def test_a_network_has_its_addresses_and_no_others(cidr: str, inside: str, outside: str) -> None:
    networks = Networks([(cidr, "block", None)])
    match = found(networks, inside)
    assert match
    assert match.cidr == cidr
    assert found(networks, outside) is None


def test_the_most_specific_rule_decides() -> None:
    networks = Networks(
        [
            ("203.0.113.0/24", "block", None),
            ("203.0.113.0/28", "allow", None),
            ("203.0.113.7/32", "block", None),
        ]
    )
    allowed = {last: found(networks, f"203.0.113.{last}") for last in (5, 7, 99)}
    assert {last: match and match.is_allowed for last, match in allowed.items()} == {
        5: True,
        7: False,
        99: False,
    }


@pytest.mark.parametrize("actions", [("block", "allow"), ("allow", "block")])
def test_of_two_for_one_network_that_which_allows_decides(actions: Any) -> None:
    networks = Networks([("203.0.113.0/24", action, None) for action in actions])
    match = found(networks, "203.0.113.7")
    assert match
    assert match.is_allowed


def test_a_rule_that_has_ended_hides_no_other() -> None:
    networks = Networks([("203.0.113.7/32", "allow", NOON), ("203.0.113.0/24", "block", None)])
    before = found(networks, "203.0.113.7", NOON.timestamp() - 1)
    after = found(networks, "203.0.113.7", NOON.timestamp())
    assert before
    assert after
    assert (before.is_allowed, after.is_allowed) == (True, False)
    assert (before.until, after.until) == (NOON.timestamp(), FOR_EVER)


def test_of_two_lists_the_one_that_blocks_longer_holds() -> None:
    networks = Networks([("203.0.113.0/24", "block", None), ("203.0.113.0/24", "block", NOON)])
    assert found(networks, "203.0.113.7", NOON.timestamp())


@pytest.mark.parametrize("cidr", ["", "all", "203.0.113.0", "203.0.113.0/33", "203.0.113.0/x"])
def test_a_row_that_is_no_network_is_left_out(cidr: str) -> None:
    networks = Networks([(cidr, "block", None), ("192.0.2.0/24", "block", None)])
    assert (networks.size, networks.unreadable) == (1, 1)
    assert found(networks, "192.0.2.1")


def test_it_finds_what_a_search_through_all_finds() -> None:
    random = Random(7)
    rows = {
        str(ip_network((random.getrandbits(10) << 22, random.randint(8, 24)), strict=False))
        for _ in range(300)
    }
    networks = Networks((cidr, "block", None) for cidr in rows)
    for _ in range(300):
        address = ip_address(random.getrandbits(32))
        around = [ip_network(cidr) for cidr in rows if address in ip_network(cidr)]
        match = networks.find(address, 0)
        expected = str(max(around, key=lambda network: network.prefixlen)) if around else None
        assert (match and match.cidr) == expected
