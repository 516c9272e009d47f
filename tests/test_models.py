"""Whatever strangers send is stored, on every database, and found again by name and by network."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import NotSupportedError, connection
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lockout_admin import lockout
from lockout_admin.fields import AddressField, parse_network
from lockout_admin.identity import Subject
from lockout_admin.models import AccountLock, FailedLogin, UserAgent

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
    request = RequestFactory().post("/login/", HTTP_USER_AGENT="x" * 100_000, HTTP_X_FORWARDED_FOR="garbage," * 9999)
    for _ in range(5):
        assert authenticate(request, username=username, password="wrong") is None
    assert FailedLogin.objects.filter(subject=Subject.of(username).key).count() == 4
    assert lockout.is_account_locked(username)


@pytest.mark.parametrize("username", ODD_NAMES)
def test_odd_names_in_the_login_form_make_no_error(username: str, alice: Any, client: Client) -> None:
    typed = username.encode(errors="surrogatepass").decode(errors="replace")
    for _ in range(6):
        response = client.post("/login/", {"username": typed, "password": "wrong"})
        assert response.status_code in (200, 429)


@pytest.mark.parametrize("password", ["\0", "\ud800", "", "\n", "x" * 10_000])
def test_odd_passwords_are_wrong_and_counted(password: str, alice: Any) -> None:
    assert authenticate(username="alice", password=password) is None
    assert FailedLogin.objects.count() == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@example(username="\0", password="\ud800", agent="\x7f", forwarded="[")
@given(username=anything, password=anything, agent=anything, forwarded=anything)
def test_whatever_strangers_send_is_counted(username: str, password: str, agent: str, forwarded: str, db: None) -> None:
    lockout.unlock_account(username)
    before = FailedLogin.objects.count()
    request = RequestFactory().post("/login/", HTTP_USER_AGENT=agent, HTTP_X_FORWARDED_FOR=forwarded)
    assert authenticate(request, username=username, password=password) is None
    assert FailedLogin.objects.count() == before + 1


def test_create_takes_a_name_and_a_request() -> None:
    request = RequestFactory().post("/login/", HTTP_USER_AGENT="Firefox", REMOTE_ADDR="203.0.113.9")
    FailedLogin.objects.create("alice", request)
    failure = FailedLogin.objects.get()
    assert (failure.username, failure.address, failure.gateway) == ("alice", "203.0.113.9", "/login/")
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


ADDRESSES = ["10.0.0.1", "10.255.255.255", "11.0.0.0", "203.0.113.9", "2001:db8::1", "2001:db9::", "::1", "0.0.0.0"]


@pytest.fixture
def addresses() -> None:
    for address in [*ADDRESSES, None]:
        FailedLogin.objects.create("alice", address=address)


@pytest.mark.usefixtures("addresses")
@pytest.mark.parametrize(
    "network",
    ["10.0.0.0/8", "10.0.0.1", "0.0.0.0/0", "::/0", "2001:db8::/32", "203.0.113.0/24", "::/127", "::fffe:0:0/95"],
)
def test_a_network_finds_its_addresses_and_no_others(network: str) -> None:
    found = FailedLogin.objects.filter(address__net=network).values_list("address", flat=True)
    expected = [address for address in ADDRESSES if ip_address(address) in ip_network(network)]
    assert sorted(filter(None, found)) == sorted(expected)


@pytest.mark.usefixtures("addresses")
def test_mapped_addresses_are_ipv4() -> None:
    FailedLogin.objects.create("bob", address="::ffff:10.0.0.7")
    assert FailedLogin.objects.get(username="bob").address == "10.0.0.7"
    assert FailedLogin.objects.filter(address__net="::ffff:10.0.0.0/104").count() == 3


@pytest.mark.usefixtures("addresses")
def test_exact_in_and_order_work_on_addresses() -> None:
    assert FailedLogin.objects.filter(address="10.0.0.1").count() == 1
    assert FailedLogin.objects.filter(address__in=["10.0.0.1", "::1"]).count() == 2
    assert FailedLogin.objects.filter(address=None).count() == 1
    assert len(FailedLogin.objects.order_by("address")) == len(ADDRESSES) + 1


@pytest.mark.parametrize("network", ["10.0.0.0/33", "garbage", "", "10.0.0.0/8; --", "::/129", "10.0.0", None])
def test_what_is_no_network_is_told(network: Any) -> None:
    with pytest.raises(ValidationError, match=r"203\.0\.113\.0/24"):
        parse_network(network)


def test_addresses_have_no_text_to_search_in() -> None:
    with pytest.raises(NotImplementedError):
        list(FailedLogin.objects.filter(address__startswith="10."))


def test_an_unknown_database_is_told() -> None:
    class Unknown:
        vendor = "unknown"

    with pytest.raises(NotSupportedError, match="unknown"):
        AddressField().db_type(Unknown())  # type: ignore[arg-type]


def test_a_network_is_found_by_the_index() -> None:
    plan = FailedLogin.objects.filter(address__net="10.0.0.0/8").order_by().explain()
    if connection.vendor == "sqlite":
        assert "lockout_fail_address" in plan
