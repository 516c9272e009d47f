"""Blocked and allowed networks, at the login."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import aauthenticate, authenticate
from django.db import Error, connection, transaction
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.defences import lists, telling
from lockout_admin.defences.matching import Networks
from lockout_admin.engine.contract import Unavailable
from lockout_admin.engine.store import store
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, FailedLogin, NetworkRule
from lockout_admin.signals import network_refused

from ..conftest import HOME, request_from

ELSEWHERE = "192.0.2.1"


def block(cidr: str = "203.0.113.0/24", **fields: Any) -> NetworkRule:
    rule: NetworkRule = NetworkRule.objects.create(cidr=cidr, **fields)
    return rule


def allow(cidr: str) -> NetworkRule:
    return block(cidr, action="allow")


def refusal(ip_address: str | None = HOME, name: str = "alice") -> AccountLocked | None:
    """Return what an attempt from an address meets; it is abandoned."""
    request = ip_address and request_from(ip_address)
    try:
        with lockout.attempt(name, request, password="x") as attempt:
            attempt.abandon()
    except AccountLocked as refusal:
        return refusal
    return None


# -- Refused ------------------------------------------------------------------------------------


def test_a_blocked_network_is_refused_and_counted_nowhere(alice: Any, guess: Any) -> None:
    block()
    guess(times=20)
    assert not FailedLogin.objects.exists()
    assert not AccountLock.objects.exists()
    assert lockout.get_standing("alice").verdict == "free"


def test_a_blocked_network_is_refused_the_right_password(alice: Any, client: Client) -> None:
    block()
    right = {"username": "alice", "password": "right"}
    assert authenticate(request_from(HOME), **right) is None
    assert authenticate(request_from(ELSEWHERE), **right) == alice
    assert client.post("/admin/login/", right, REMOTE_ADDR=HOME).status_code == 429


@pytest.mark.django_db(transaction=True)
async def test_async_code_is_refused_alike(alice: Any) -> None:
    await sync_to_async(block)()
    right = {"username": "alice", "password": "right"}
    assert await aauthenticate(request_from(HOME), **right) is None
    assert await aauthenticate(request_from(ELSEWHERE), **right) == alice
    with pytest.raises(AccountLocked):
        async with lockout.attempt("alice", ip_address=HOME):
            ...


def test_a_site_that_likes_answers_gets_none(alice: Any, guess: Any) -> None:
    block()
    with override_settings(LOCKOUT_ADMIN={"CACHE": "default", "RAISE_WHEN_LOCKED": False}):
        assert LockoutBackend().authenticate(request_from(HOME), "alice", "right") is None


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_that_is_broken_the_last_rules_hold(alice: Any, monkeypatch: Any) -> None:
    block()
    assert refusal()
    with transaction.atomic():
        transaction.set_rollback(True)
        monkeypatch.setattr(lists, "CHECK_SECS", 0)
        monkeypatch.setattr(lists, "RELOAD_SECS", 0)
        assert refusal()


def test_it_can_not_keep_a_name_locked(alice: Any, guess: Any) -> None:
    guess(times=3)
    block()
    guess(times=20)
    assert refusal(ELSEWHERE) is None


@pytest.mark.parametrize("ip_address", [None, "", "unknown", "10.0.0.256", "unix:/run/site"])
def test_what_is_no_address_is_in_no_network(ip_address: str | None, db: None) -> None:
    allow("10.0.0.0/8")
    assert lists.is_allowed("10.0.0.1")
    assert not lists.is_allowed(ip_address)


@pytest.mark.parametrize("name", ["alice", "nobody", ""])
def test_the_answer_is_that_of_a_first_lock_for_every_name(alice: Any, name: str) -> None:
    block()
    met = refusal(name=name)
    assert met
    assert (met.reason, met.retry_after) == (AccountLocked.LOCKED, 60)


def test_the_answer_does_not_outlast_the_block(clock: Any, db: None) -> None:
    block(until=timezone.now() + timedelta(seconds=20))
    met = refusal()
    assert met
    assert met.retry_after == 20


def test_what_is_allowed_by_hand_no_list_blocks(db: None) -> None:
    block(f"{HOME}/32", source="drop")
    assert refusal()
    allow("203.0.113.0/24")
    assert refusal() is None
    block(f"{HOME}/32")
    assert refusal()


def test_what_is_blocked_by_hand_no_list_allows(db: None) -> None:
    block()
    block(f"{HOME}/32", action="allow", source="partners")
    assert refusal()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cidr", "address"),
    [
        ("203.0.113.5", HOME),
        ("203.0.113.5/32", f"::ffff:{HOME}"),
        ("::ffff:203.0.113.5/128", HOME),
        ("2001:db8::/32", "2001:DB8:0:1::7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_an_address_is_matched_however_it_is_written(cidr: str, address: str) -> None:
    block(cidr)
    assert refusal(address)


@pytest.mark.django_db
@pytest.mark.parametrize("address", [None, "", "unix", "203.0.114.1", "2001:db8::7"])
def test_who_is_not_in_it_is_not_refused(address: str | None) -> None:
    block()
    assert refusal(address) is None


@pytest.mark.django_db
def test_an_address_that_may_be_a_proxys_is_not_refused() -> None:
    block("10.0.0.0/8")
    assert refusal("10.0.0.1") is None
    with override_settings(LOCKOUT_ADMIN={"CACHE": "default", "TRUSTED_PROXIES": 0}):
        assert refusal("10.0.0.1")


def test_it_ends_by_itself_without_a_refresh(
    clock: FrozenDateTimeFactory, db: None, monkeypatch: Any
) -> None:
    block(until=timezone.now() + timedelta(seconds=60))
    assert refusal()
    monkeypatch.setattr(lists.Lists, "_check", pytest.fail)
    monkeypatch.setattr(lists, "is_over", lambda since, seconds: False)
    clock.tick(timedelta(seconds=60))
    assert refusal() is None


# -- Allowed ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_allowed_network_is_no_matter_of_network_rules() -> None:
    allow("203.0.113.0/24")
    assert lists.is_allowed(HOME)
    assert not lists.is_allowed(ELSEWHERE)
    assert not lists.is_allowed(None)


def test_an_allowed_network_is_bound_by_the_rules_on_accounts(alice: Any, guess: Any) -> None:
    allow("203.0.113.0/24")
    guess(times=4)
    assert AccountLock.objects.get().label == "alice"


@pytest.mark.django_db
def test_a_network_is_taken_out_of_a_list_that_blocks_it() -> None:
    block(source="drop")
    allow("203.0.113.0/24")
    assert refusal() is None


# -- A change -----------------------------------------------------------------------------------


def wait(clock: FrozenDateTimeFactory, seconds: float = lists.CHECK_SECS) -> None:
    clock.tick(timedelta(seconds=seconds))


class Process:
    """Another process: it knows what it has read, and hears of changes from the store only."""

    def __init__(self) -> None:
        self.lists = lists.Lists(lists._key())

    def blocks(self) -> int:
        return self.lists.in_force().size


def test_another_process_hears_of_a_change_within_seconds(
    clock: FrozenDateTimeFactory, db: None
) -> None:
    other = Process()
    assert other.blocks() == 0
    rule = block()
    assert other.blocks() == 0
    wait(clock)
    assert other.blocks() == 1
    rule.delete()
    wait(clock)
    assert other.blocks() == 0


@pytest.mark.parametrize("cache", ["default", None])
def test_it_hears_of_every_kind_of_change(
    clock: FrozenDateTimeFactory, db: None, cache: str | None
) -> None:
    with override_settings(LOCKOUT_ADMIN={"CACHE": cache}):
        other = Process()
        rows = [NetworkRule(cidr=f"192.0.2.{n}/32", first=f"192.0.2.{n}") for n in range(3)]
        changes: list[tuple[Callable[[], Any], int]] = [
            (lambda: NetworkRule.objects.bulk_create(rows), 3),
            (lambda: NetworkRule.objects.filter(cidr="192.0.2.1/32").delete(), 2),
            (lambda: NetworkRule.objects.update(until=timezone.now()), 0),
            (lambda: NetworkRule.objects.create(cidr="192.0.2.9"), 1),
        ]
        other.blocks()
        for change, size in changes:
            change()
            wait(clock)
            assert other.blocks() == size


def test_between_two_looks_nothing_is_asked(
    clock: FrozenDateTimeFactory, db: None, monkeypatch: Any
) -> None:
    other = Process()
    other.blocks()
    monkeypatch.setattr(store, "get_many", pytest.fail)
    with CaptureQueriesContext(connection) as queries:
        other.blocks()
    assert not list(queries)


def test_a_look_that_finds_nothing_new_costs_no_sql(clock: FrozenDateTimeFactory, db: None) -> None:
    other = Process()
    other.blocks()
    wait(clock)
    with CaptureQueriesContext(connection) as queries:
        other.blocks()
    assert not [query for query in queries if "networkrule" in query["sql"]]


def test_what_was_changed_past_all_programs_is_read_in_the_end(
    clock: FrozenDateTimeFactory, db: None
) -> None:
    other = Process()
    rule = block()
    assert other.blocks() == 1
    NetworkRule.objects.filter(pk=rule.pk)._raw_delete("default")
    wait(clock, lists.RELOAD_SECS)
    assert other.blocks() == 0


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_is_none() -> None:
    with transaction.atomic():
        block()
        transaction.set_rollback(True)
    assert refusal() is None


@pytest.mark.django_db(transaction=True)
def test_a_change_holds_once_it_is_committed() -> None:
    assert refusal() is None
    with transaction.atomic():
        block()
    assert refusal()


def test_sites_that_share_rules_hear_of_one_anothers_changes(
    clock: FrozenDateTimeFactory, db: None
) -> None:
    assert refusal() is None
    with override_settings(LOCKOUT_ADMIN={"CACHE": "default", "NAMESPACE": "other"}):
        block()
        assert refusal()
    assert refusal() is None  # they may be tenants, each with rules of its own
    wait(clock)
    assert refusal()


def test_a_process_keeps_the_lists_of_so_many_sites(db: None, monkeypatch: Any) -> None:
    lists._known.start_over()
    monkeypatch.setattr(lists, "_MOST", 2)
    for tenant in "abc":
        with override_settings(LOCKOUT_ADMIN={"CACHE": "default", "NAMESPACE": tenant}):
            assert refusal() is None
    assert len(lists._known._lists) == 1


# -- Parts that fail ----------------------------------------------------------------------------


def test_a_dead_store_changes_nothing(
    clock: FrozenDateTimeFactory, db: None, monkeypatch: Any
) -> None:
    other = Process()
    block()
    assert other.blocks() == 1

    def dead(*args: Any) -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(store, "run", dead)
    wait(clock)
    assert other.blocks() == 1


def test_a_dead_database_changes_nothing(
    clock: FrozenDateTimeFactory, db: None, monkeypatch: Any, caplog: Any
) -> None:
    other = Process()
    block()
    assert other.blocks() == 1

    def dead() -> Any:
        raise Error("gone")

    with monkeypatch.context() as patch:
        patch.setattr(lists, "_read", dead)
        NetworkRule.objects.all().delete()
        wait(clock)
        assert other.blocks() == 1
        assert "network_rules_unreadable" in caplog.text
    wait(clock)
    assert other.blocks() == 1
    wait(clock, lists.RETRY_SECS)
    assert other.blocks() == 0


def test_a_row_that_is_no_network_is_said_and_left_out(db: None, caplog: Any) -> None:
    NetworkRule.objects.bulk_create([NetworkRule(cidr="all", first=HOME)])
    assert refusal() is None
    assert "network_rule_unreadable" in caplog.text


def test_of_two_that_put_a_mark_up_one_does(db: None, monkeypatch: Any) -> None:
    one, other = Process(), Process()
    add = store.add

    def late(key: str, value: Any, seconds: int) -> Any:
        monkeypatch.setattr(store, "add", add)
        one.blocks()
        return add(key, value, seconds)

    monkeypatch.setattr(store, "add", late)
    other.blocks()
    assert one.lists._seen == other.lists._seen is not None


def test_while_one_reads_the_others_go_on(
    clock: FrozenDateTimeFactory, db: None, monkeypatch: Any
) -> None:
    other = Process()
    other.blocks()
    wait(clock)
    with other.lists._lock:
        assert other.blocks() == 0


def test_the_first_to_come_wait_for_the_list(db: None, monkeypatch: Any) -> None:
    other = Process()
    began, go_on = threading.Event(), threading.Event()
    networks = Networks([("203.0.113.0/24", "block", None, "")])

    def slow() -> Any:
        began.set()
        go_on.wait(10)
        return networks

    monkeypatch.setattr(lists, "_read", slow)
    monkeypatch.setattr(other.lists, "_mark", lambda: "mark")
    sizes: list[int] = []
    threads = [threading.Thread(target=lambda: sizes.append(other.blocks())) for _ in range(3)]
    threads[0].start()
    began.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert sizes == [1, 1, 1]


# -- Told ---------------------------------------------------------------------------------------


@pytest.fixture
def told() -> Any:
    found: list[tuple[str, int]] = []

    def receive(network: str, refused: int, **signal: Any) -> None:
        found.append((network, refused))

    network_refused.connect(receive)
    yield found
    network_refused.disconnect(receive)


def test_a_siege_is_told_once_a_minute(
    clock: FrozenDateTimeFactory, db: None, told: Any, caplog: Any
) -> None:
    lists._known.start_over()
    block()
    block("198.51.100.0/24")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            refusal()
        refusal("198.51.100.1")
        wait(clock, 60)
        refusal()
    assert told == [("203.0.113.0/24", 1), ("198.51.100.0/24", 1), ("203.0.113.0/24", 5)]
    assert len(caplog.records) == 3
    assert "alice" not in caplog.text


def test_a_siege_from_everywhere_fills_no_log(
    clock: FrozenDateTimeFactory, db: None, told: Any, monkeypatch: Any
) -> None:
    lists._known.start_over()
    monkeypatch.setattr(telling, "MOST_TOLD", 2)
    for number in range(5):
        block(f"192.0.2.{number}")
        refusal(f"192.0.2.{number}")
    assert len(told) == 2
    wait(clock, 60)
    refusal("192.0.2.4")
    assert len(told) == 3
