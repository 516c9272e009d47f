"""Networks compiled for matching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockout_admin.defences.matching import FOR_EVER, Match, Networks, Row

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


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
    networks = Networks([(cidr, "block", None, "")])
    match = found(networks, inside)
    assert match
    assert match.cidr == cidr
    assert found(networks, outside) is None


def test_the_most_specific_rule_decides() -> None:
    networks = Networks(
        [
            ("203.0.113.0/24", "block", None, ""),
            ("203.0.113.0/28", "allow", None, ""),
            ("203.0.113.7/32", "block", None, ""),
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
    networks = Networks([("203.0.113.0/24", action, None, "") for action in actions])
    match = found(networks, "203.0.113.7")
    assert match
    assert match.is_allowed


def test_a_rule_that_has_ended_hides_no_other() -> None:
    networks = Networks(
        [("203.0.113.7/32", "allow", NOON, ""), ("203.0.113.0/24", "block", None, "")]
    )
    before = found(networks, "203.0.113.7", NOON.timestamp() - 1)
    after = found(networks, "203.0.113.7", NOON.timestamp())
    assert before
    assert after
    assert (before.is_allowed, after.is_allowed) == (True, False)
    assert (before.until, after.until) == (NOON.timestamp(), FOR_EVER)


def test_of_two_lists_the_one_that_blocks_longer_holds() -> None:
    rows = [("203.0.113.0/24", "block", None, "one"), ("203.0.113.0/24", "block", NOON, "two")]
    networks = Networks(rows)
    assert found(networks, "203.0.113.7", NOON.timestamp())


@pytest.mark.parametrize("action", ["block", "allow"])
@pytest.mark.parametrize("listed", ["203.0.113.7/32", "203.0.113.0/24", "203.0.0.0/16"])
def test_a_rule_by_hand_goes_before_every_list(action: str, listed: str) -> None:
    other = {"block": "allow", "allow": "block"}[action]
    networks = Networks([(listed, other, None, "drop"), ("203.0.113.0/24", action, None, "")])
    match = found(networks, "203.0.113.7")
    assert match
    assert (match.is_allowed, match.cidr) == (action == "allow", "203.0.113.0/24")


def test_where_a_rule_by_hand_has_ended_the_list_holds() -> None:
    rows = [("203.0.113.7/32", "block", None, "drop"), ("203.0.113.0/24", "allow", NOON, "")]
    match = found(Networks(rows), "203.0.113.7", NOON.timestamp())
    assert match
    assert not match.is_allowed


@pytest.mark.parametrize("cidr", ["", "all", "203.0.113.0", "203.0.113.0/33", "203.0.113.0/x"])
def test_a_row_that_is_no_network_is_left_out(cidr: str) -> None:
    networks = Networks([(cidr, "block", None, ""), ("192.0.2.0/24", "block", None, "")])
    assert (networks.size, networks.unreadable) == (1, 1)
    assert found(networks, "192.0.2.1")


# -- Beside a search through all ----------------------------------------------------------------


@st.composite
def rows_of_one_place(draw: Any) -> Row:
    """Return a rule for a part of sixteen neighbours, so that rules meet."""
    first, bits = draw(st.sampled_from([("203.0.113.0", 32), ("2001:db8::", 128)]))
    number = int(ip_address(first)) + draw(st.integers(0, 15))
    length = draw(st.integers(bits - 4, bits))
    address = ip_address(number)
    until = draw(st.sampled_from([None, NOON - HOUR, NOON, NOON + HOUR]))
    action = draw(st.sampled_from(["allow", "block"]))
    source = draw(st.sampled_from(["", "one", "two"]))
    return str(ip_network(f"{address}/{length}", strict=False)), action, until, source


def searched(rows: list[Row], network: str, now: datetime, sources: Any) -> Any:
    """Return what the rules of some sources say of all of a network, by looking at each."""
    inside: Any = ip_network(network)
    around: list[tuple[int, bool, float]] = []
    for cidr, action, until, source in rows:
        outside: Any = ip_network(cidr)
        holds = outside.version == inside.version and inside.subnet_of(outside)
        if source in sources and holds and (until is None or until > now):
            end = FOR_EVER if until is None else until.timestamp()
            around.append((outside.prefixlen, action == "allow", end))
    # The longest prefix, then who allows, then who does so for longest.
    return max(around, default=None)


def told(match: Match | None) -> Any:
    return match and (match.prefix, match.is_allowed, match.until)


@settings(max_examples=300, deadline=None)
@given(st.lists(rows_of_one_place(), max_size=12), st.integers(0, 15), st.integers(0, 4))
def test_it_finds_what_a_search_through_all_finds(rows: list[Row], last: int, short: int) -> None:
    networks = Networks(rows)
    now = NOON.timestamp()
    for first, bits in (("203.0.113.0", 32), ("2001:db8::", 128)):
        address = ip_address(int(ip_address(first)) + last)
        by_hand = searched(rows, str(address), NOON, [""])
        expected = by_hand or searched(rows, str(address), NOON, ["one", "two"])
        assert told(networks.find(address, now)) == expected
        part = ip_network(f"{address}/{bits - short}", strict=False)
        assert told(networks.by_hand(part, now)) == searched(rows, str(part), NOON, [""])


def test_it_finds_what_a_search_through_a_long_list_finds() -> None:
    random = Random(7)
    rows = {
        str(ip_network((random.getrandbits(10) << 22, random.randint(8, 24)), strict=False))
        for _ in range(300)
    }
    networks = Networks((cidr, "block", None, "drop") for cidr in rows)
    for _ in range(300):
        address = ip_address(random.getrandbits(32))
        around = [ip_network(cidr) for cidr in rows if address in ip_network(cidr)]
        match = networks.find(address, 0)
        expected = str(max(around, key=lambda network: network.prefixlen)) if around else None
        assert (match and match.cidr) == expected
