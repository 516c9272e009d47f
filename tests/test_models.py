"""Whatever strangers send is stored, on every database, and found again by name and by network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from itertools import product
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, NotSupportedError, connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lockout_admin import lockout
from lockout_admin.identity.subject import Subject
from lockout_admin.models import (
    AccountLock,
    Exemption,
    FailedLogin,
    Incident,
    IncidentCursor,
    IncidentEvent,
    IncidentName,
    IncidentNetwork,
    NetworkRule,
    RefusedTries,
    UserAgent,
)
from lockout_admin.models.fields import IPAddressField, parse_network

pytestmark = pytest.mark.django_db

ODD_NAMES = [
    "ali\0ce",
    "a" * 10_000,
    "ali\ud800ce",
    "alice\nauthn_login_success",
    "alice\r\n",
    "👩‍🚒🔥",
    "\u202eecila",
    "",
    "   ",
    "\u200b\u200f",
    "'; DROP TABLE auth_user; --",
    "<script>alert(1)</script>",
    "علی\u200cرضا",
]
anything = st.text(st.characters(), max_size=300)


@pytest.mark.parametrize("username", ODD_NAMES)
def test_odd_names_are_refused_counted_and_locked(username: str, alice: Any) -> None:
    request = RequestFactory().post(
        "/login/", HTTP_USER_AGENT="x" * 100_000, HTTP_X_FORWARDED_FOR="garbage," * 9999
    )
    for _ in range(5):
        assert authenticate(request, username=username, password="wrong") is None
    assert FailedLogin.objects.filter(subject=Subject.of(username).key).count() == 4
    assert lockout.is_account_locked(username)


@pytest.mark.parametrize("username", ODD_NAMES)
def test_odd_names_in_the_login_form_make_no_error(
    username: str, alice: Any, client: Client
) -> None:
    typed = username.encode(errors="surrogatepass").decode(errors="replace")
    for _ in range(6):
        response = client.post("/login/", {"username": typed, "password": "wrong"})
        assert response.status_code in (200, 429)


@pytest.mark.parametrize("password", ["\0", "\ud800", "", "\n", "x" * 10_000])
def test_odd_passwords_are_wrong_and_counted(password: str, alice: Any) -> None:
    assert authenticate(username="alice", password=password) is None
    assert FailedLogin.objects.count() == 1


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None
)
@example(username="\0", password="\ud800", agent="\x7f", forwarded="[")
@given(username=anything, password=anything, agent=anything, forwarded=anything)
def test_whatever_strangers_send_is_counted(
    username: str, password: str, agent: str, forwarded: str, db: None
) -> None:
    lockout.unlock_account(username)
    before = FailedLogin.objects.count()
    request = RequestFactory().post(
        "/login/", HTTP_USER_AGENT=agent, HTTP_X_FORWARDED_FOR=forwarded
    )
    assert authenticate(request, username=username, password=password) is None
    assert FailedLogin.objects.count() == before + 1


def test_create_takes_a_name_and_a_request() -> None:
    request = RequestFactory().post("/login/", HTTP_USER_AGENT="Firefox", REMOTE_ADDR="203.0.113.9")
    FailedLogin.objects.create("alice", request)
    failure = FailedLogin.objects.get()
    assert (failure.username, failure.ip_address, failure.path) == (
        "alice",
        "203.0.113.9",
        "/login/",
    )
    assert failure.user_agent is not None
    assert failure.user_agent.text == "Firefox"
    assert failure.outcome == FailedLogin.Outcome.COUNTED


@pytest.mark.django_db(transaction=True)
async def test_create_has_an_async_twin() -> None:
    failure = await FailedLogin.objects.acreate("Ali\nce", None)
    assert await FailedLogin.objects.aget() == failure
    assert failure.username == "Ali\ufffdce"


def test_the_current_interval_can_be_asked_for() -> None:
    FailedLogin.objects.create("alice")
    assert FailedLogin.objects.gte_cutoff().count() == 1
    assert FailedLogin.objects.filter(username="alice").gte_cutoff().count() == 1


def test_a_user_agent_is_stored_once() -> None:
    request = RequestFactory().post("/login/", HTTP_USER_AGENT="Firefox")
    for _ in range(3):
        lockout.handle_failed_login("alice", request)
    assert UserAgent.objects.get().text == "Firefox"


def test_records_have_names_for_people(guess: Any) -> None:
    guess(times=4)
    assert str(FailedLogin.objects.latest("pk")).startswith("alice (20")
    assert str(AccountLock.objects.get()).startswith("alice (20")
    assert str(UserAgent(text="Firefox")) == "Firefox"


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (Incident(pk=7, kind="spraying", about="198.51.100.0/24"), "spraying #7"),
        (Incident(kind="spraying", title="Monday's scan"), "Monday's scan"),
        (IncidentName(username="alice"), "alice"),
        (IncidentNetwork(network="198.51.100.7/32"), "198.51.100.7/32"),
        (IncidentEvent(what="found", when=NOW), "found (2026-01-01 12:00:00)"),
        (Exemption(network="198.51.100.7/32", user_agent="Scan/1"), "198.51.100.7/32 Scan/1"),
        (Exemption(user_agent="Scan/1"), "Scan/1"),
        (RefusedTries(username="alice", times=7), "alice: 7"),
        (IncidentCursor(failure=7, success=8, refusal=9), "7, 8, 9"),
    ],
)
def test_what_incidents_are_made_of_has_names_for_people(row: Any, name: str) -> None:
    assert str(row) == name


ADDRESSES = [
    "10.0.0.1",
    "10.255.255.255",
    "11.0.0.0",
    "203.0.113.9",
    "2001:db8::1",
    "2001:db9::",
    "::1",
    "0.0.0.0",
]


@pytest.fixture
def addresses() -> None:
    for address in [*ADDRESSES, None]:
        FailedLogin.objects.create("alice", ip_address=address)


@pytest.mark.usefixtures("addresses")
@pytest.mark.parametrize(
    "network",
    [
        "10.0.0.0/8",
        "10.0.0.1",
        "0.0.0.0/0",
        "::/0",
        "2001:db8::/32",
        "203.0.113.0/24",
        "::/127",
        "::fffe:0:0/95",
    ],
)
def test_a_network_finds_its_addresses_and_no_others(network: str) -> None:
    found = FailedLogin.objects.filter(ip_address__net=network).values_list("ip_address", flat=True)
    expected = [address for address in ADDRESSES if ip_address(address) in ip_network(network)]
    assert sorted(filter(None, found)) == sorted(expected)


@pytest.mark.usefixtures("addresses")
def test_mapped_addresses_are_ipv4() -> None:
    FailedLogin.objects.create("bob", ip_address="::ffff:10.0.0.7")
    assert FailedLogin.objects.get(username="bob").ip_address == "10.0.0.7"
    assert FailedLogin.objects.filter(ip_address__net="::ffff:10.0.0.0/104").count() == 3


@pytest.mark.usefixtures("addresses")
def test_exact_in_and_order_work_on_addresses() -> None:
    assert FailedLogin.objects.filter(ip_address="10.0.0.1").count() == 1
    assert FailedLogin.objects.filter(ip_address__in=["10.0.0.1", "::1"]).count() == 2
    assert FailedLogin.objects.filter(ip_address=None).count() == 1
    assert len(FailedLogin.objects.order_by("ip_address")) == len(ADDRESSES) + 1


@pytest.mark.parametrize(
    "network", ["10.0.0.0/33", "garbage", "", "10.0.0.0/8; --", "::/129", "10.0.0", None]
)
def test_what_is_no_network_is_told(network: Any) -> None:
    with pytest.raises(ValidationError, match=r"203\.0\.113\.0/24"):
        parse_network(network)


def test_addresses_have_no_text_to_search_in() -> None:
    with pytest.raises(NotImplementedError):
        list(FailedLogin.objects.filter(ip_address__startswith="10."))


def test_an_unknown_database_is_told() -> None:
    class Unknown:
        vendor = "unknown"

    with pytest.raises(NotSupportedError, match="unknown"):
        IPAddressField().db_type(Unknown())  # type: ignore[arg-type]


@pytest.mark.django_db
@pytest.mark.parametrize("one", ["203.0.113.7", "203.0.113.7/32", "2001:db8::1"])
def test_one_address_is_asked_for_as_one(one: str) -> None:
    # The index has the newest of it first; of a range, all would be sorted.
    FailedLogin.objects.create("alice", None, ip_address=one.partition("/")[0])
    rows = FailedLogin.objects.filter(ip_address__net=one)
    assert "BETWEEN" not in str(rows.query)
    assert rows.count() == 1


def test_a_network_is_found_by_the_index() -> None:
    plan = FailedLogin.objects.filter(ip_address__net="10.0.0.0/8").order_by().explain()
    if connection.vendor == "sqlite":
        assert "lockout_fail_address" in plan


def test_the_state_of_a_lock_is_the_same_for_a_row_and_for_a_query() -> None:
    now = timezone.now()
    later = now + timedelta(hours=1)
    earlier = now - timedelta(hours=1)
    for number, (until, ended_at, enforced) in enumerate(
        product((later, earlier), (None, now), (True, False))
    ):
        fields = {"until": until, "ended_at": ended_at, "enforced": enforced}
        AccountLock.objects.create(label="alice", key=number, started_at=earlier, **fields)
    rows = AccountLock.objects.all()
    for state in AccountLock.State:
        assert set(rows.in_states(state)) == {row for row in rows if row.state == state}
    assert (rows.open().count(), rows.expired().count(), rows.released().count()) == (1, 1, 2)
    assert not rows.in_states().exists()


# -- Network rules ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "cidr", "first"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.7"),
        (" 203.0.113.7/24 ", "203.0.113.0/24", "203.0.113.0"),
        ("2001:0DB8::7", "2001:db8::7/128", "2001:db8::7"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24", "203.0.113.0"),
    ],
)
def test_a_network_is_stored_in_one_spelling(written: str, cidr: str, first: str) -> None:
    rule = NetworkRule.objects.create(cidr=written)
    rule.refresh_from_db()
    assert (rule.cidr, rule.first, str(rule)) == (cidr, first, cidr)


@pytest.mark.parametrize("written", ["", "all", "203.0.113.0/33", "203.0.113.7%eth0"])
def test_what_is_no_network_is_not_stored(written: str) -> None:
    with pytest.raises(ValidationError):
        NetworkRule.objects.create(cidr=written)


def test_a_network_is_blocked_once_by_hand_and_once_by_each_list() -> None:
    for source in ("", "one", "two"):
        NetworkRule.objects.create(cidr="203.0.113.7", source=source)
    with pytest.raises(IntegrityError), transaction.atomic():
        NetworkRule.objects.create(cidr="203.0.113.7/32")


def test_the_manager_deletes_nothing() -> None:
    assert not hasattr(NetworkRule.objects, "delete")
