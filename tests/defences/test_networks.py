"""Rules that count by network: spraying and stuffing from one place, offices that share one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address, ip_network
from itertools import count
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from lockout_admin import lockout
from lockout_admin.backends import LockoutBackend
from lockout_admin.defences import networks
from lockout_admin.engine import locks
from lockout_admin.engine.buckets import buckets_of, matters_of
from lockout_admin.engine.conditions import OneOf
from lockout_admin.engine.rules import HOUR, Facts, LockTerms, Matter, Rule, Scope
from lockout_admin.engine.ruleset import account_rules
from lockout_admin.engine.standing import Standing
from lockout_admin.exceptions import AccountLocked
from lockout_admin.identity.client import Client
from lockout_admin.identity.network import network_of, number_of, wide_network_of
from lockout_admin.identity.subject import Subject, digests
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin

from ..conftest import HOME, request_from
from ..engine.conftest import ELSEWHERE
from .conftest import spray

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

Attempt = Callable[..., str]


# -- What a network gets ------------------------------------------------------------------------


def test_ten_names_from_one_network_are_its_limit(attempt: Attempt) -> None:
    assert spray(attempt, 12) == ["wrong"] * 10 + ["locked"] * 2
    lock = AccountLock.objects.get()
    assert (lock.scope, lock.rule, lock.label, lock.subject, lock.failures) == (
        "network",
        "spraying",
        f"{HOME}/32",
        None,
        10,
    )


def test_twenty_failures_from_one_network_are_its_limit(guesses: Any, clock: Any) -> None:
    answers = []
    for number in range(7):
        answers += guesses(3, username=f"person-{number}")
        clock.tick(1)
    assert answers == ["wrong"] * 20 + ["locked"]
    assert AccountLock.objects.get().rule == "network"


def test_names_count_however_often_each_has_failed(guesses: Any, settings: Any) -> None:
    alone = dict.fromkeys(("network", "network-wide", "spraying-wide"))
    loose = {name: {"limit": 100} for name in ("account", "account-daily")}
    settings.MAX_FAILED_LOGIN_ATTEMPTS = 100
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": {**alone, **loose}}
    answers = [guesses(12, username=f"person-{number}") for number in range(10)]
    assert answers == [["wrong"] * 12] * 9 + [["wrong"] + ["locked"] * 11]


def test_of_names_that_failed_often_one_row_each_is_read() -> None:
    facts = Facts(Subject.of("alice"), Client(HOME))
    spraying = next(rule for rule in networks.rules() if rule.name == "spraying")
    rows = [
        FailedLogin.objects.build(Subject.of(f"person-{number % 9}"), Client(HOME))
        for number in range(900)
    ]
    FailedLogin.objects.bulk_create(rows)
    matters = matters_of(buckets_of(facts, [spraying]))
    (state,) = Standing.of(matters, None, None, timezone.now()).states.values()
    assert sorted(row.subject for row in state.failures) == sorted(
        Subject.of(f"person-{number}").key for number in range(9)
    )


def test_spraying_gets_thirty_names_in_an_hour(attempt: Attempt, clock: Any) -> None:
    answers = []
    for number in range(360):
        answers += spray(attempt, 1, start=number)
        clock.tick(10)
    assert answers.count("wrong") == 30


def test_who_is_elsewhere_is_not_refused(attempt: Attempt, alice: Any) -> None:
    spray(attempt, 11)
    assert attempt("right") == "locked"
    assert attempt("right", ip=ELSEWHERE) == "in"


def test_a_right_password_never_ends_the_count_of_a_network(attempt: Attempt, alice: Any) -> None:
    answers = []
    for number in range(12):
        answers += spray(attempt, 1, start=number)
        attempt("right")
    assert answers == ["wrong"] * 10 + ["locked"] * 2


def test_a_repetition_counts_for_no_network(attempt: Attempt, clock: Any) -> None:
    for _ in range(100):
        assert attempt("old password") == "wrong"
        clock.tick(30)
    assert not AccountLock.objects.exists()


def test_unlocking_names_gives_their_network_nothing_back(attempt: Attempt) -> None:
    spray(attempt, 9)
    for number in range(9):
        lockout.unlock_account(f"person-{number}")
    assert spray(attempt, 2, start=9) == ["wrong", "locked"]


def test_a_network_is_unlocked_and_counted_anew(attempt: Attempt, clock: Any) -> None:
    spray(attempt, 11)
    clock.tick(1)
    locks.release({AccountLock.objects.get().key}, "staff", "our office")
    assert spray(attempt, 11, start=20) == ["wrong"] * 10 + ["locked"]


def test_a_lock_of_a_network_outlives_a_flush(attempt: Attempt, clock: Any) -> None:
    spray(attempt, 10)
    cache.clear()
    assert spray(attempt, 1, start=20) == ["locked"]
    clock.tick(901)
    assert spray(attempt, 1, start=20) == ["wrong"]


def batch(request: Any) -> HttpResponse:
    for number in range(40):
        with suppress(AccountLocked):
            authenticate(request, username=f"person-{number}", password="Winter2026")
    return HttpResponse("done")


urlpatterns = [path("batch/", batch)]


@pytest.mark.urls(__name__)
def test_failures_of_one_request_count_before_they_are_written(
    client: Any,
) -> None:
    """A batch of logins in one request; the test's transaction stands for ATOMIC_REQUESTS."""
    client.post("/batch/", REMOTE_ADDR=HOME)
    assert FailedLogin.objects.count() == 10


def test_a_proxy_that_was_not_declared_locks_nobody(attempt: Attempt) -> None:
    assert spray(attempt, 30, ip="10.0.0.1") == ["wrong"] * 30


def test_a_private_address_of_a_site_that_declared_its_proxies_is_a_network(
    attempt: Attempt, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "TRUSTED_PROXIES": 0}
    assert spray(attempt, 11, ip="10.0.0.1")[-1] == "locked"


# -- Which network ------------------------------------------------------------------------------


def test_addresses_of_one_64_are_one_network(attempt: Attempt) -> None:
    answers = [
        spray(attempt, 1, ip=f"2001:db8::{number:x}", start=number)[0] for number in range(1, 12)
    ]
    assert answers == ["wrong"] * 10 + ["locked"]


def test_a_48_gets_four_times_as_much(attempt: Attempt) -> None:
    answers = [
        spray(attempt, 1, ip=f"2001:db8:0:{number:x}::1", start=number)[0]
        for number in range(1, 43)
    ]
    assert answers == ["wrong"] * 40 + ["locked"] * 2
    assert AccountLock.objects.get().label == "2001:db8::/48"


def test_a_site_says_how_large_networks_are(attempt: Attempt, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {
        **settings.LOCKOUT_ADMIN,
        "IPV4_NETWORK_PREFIX": 24,
        "IPV6_NETWORK_PREFIX": 56,
        "IPV6_WIDE_PREFIX": 32,
    }
    assert network_of("198.51.100.7") == "198.51.100.0/24"
    assert network_of("2001:db8:1:2ff::1") == "2001:db8:1:200::/56"
    assert wide_network_of("2001:db8:1::1") == "2001:db8::/32"
    answers = [
        spray(attempt, 1, ip=f"198.51.100.{number}", start=number)[0] for number in range(1, 12)
    ]
    assert answers[-1] == "locked"


def test_an_address_with_a_zone_is_in_its_network(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {"TRUSTED_PROXIES": 1}
    assert network_of("fe80::1%eth0") == "fe80::/64"
    with pytest.raises(ValueError, match="does not appear to be"):
        network_of("nowhere")


@given(st.ip_addresses())
def test_each_network_has_a_number_of_its_own_that_the_database_takes(address: Any) -> None:
    number = number_of(network_of(str(address)) or f"{address}/{address.max_prefixlen}")
    assert number is not None
    assert -(2**63) <= number < 2**63
    if address.version == 4:
        assert number & 0xFFFFFFFF == int(address)
    else:
        assert number % 2**64 == int(address) >> 64


def test_numbers_follow_each_other_as_networks_do() -> None:
    first, second = (number_of(f"2001:db8:0:{n}::/64") for n in (1, 2))
    assert first is not None
    assert second == first + 1
    assert number_of("ffff::/64") != number_of("0.0.0.0/32") != number_of("::/64")


# -- Credit: an office, a gateway ---------------------------------------------------------------


def test_each_account_that_came_in_from_there_adds_to_the_limits(
    attempt: Attempt, office: Any
) -> None:
    office(*range(3))
    assert spray(attempt, 15) == ["wrong"] * 13 + ["locked"] * 2


def test_more_than_forty_accounts_add_no_more(attempt: Attempt, office: Any) -> None:
    office(*range(60))
    assert spray(attempt, 52) == ["wrong"] * 50 + ["locked"] * 2


def test_failures_have_five_for_each_account(guesses: Any, office: Any) -> None:
    office(1)
    answers = [answer for n in range(9) for answer in guesses(3, username=f"person-{n}")]
    assert answers == ["wrong"] * 25 + ["locked"] * 2


def test_a_new_account_vouches_for_nothing(attempt: Attempt, logged_in: Any) -> None:
    logged_in(1, 2, 3, days_ago=6)
    logged_in(1, 2, 3)
    assert spray(attempt, 11)[-1] == "locked"


def test_an_account_that_was_made_long_ago_vouches(attempt: Attempt, logged_in: Any) -> None:
    """On the first days of the app, when the log of logins is young."""
    joined = timezone.now() - timedelta(days=8)
    old = get_user_model().objects.create_user("old", date_joined=joined)
    new = get_user_model().objects.create_user("new")
    logged_in(old.pk, new.pk)
    assert spray(attempt, 12) == ["wrong"] * 11 + ["locked"]


def test_an_account_vouches_for_one_network_a_day(attempt: Attempt, office: Any) -> None:
    """A hundred accounts of one's own buy little: each adds to one network."""
    office(1, 2, ip=ELSEWHERE)
    office(1, 2, ip=HOME)
    with_credit = spray(attempt, 13, ip=ELSEWHERE)
    without = spray(attempt, 13, ip=HOME, start=50)
    assert sorted([with_credit.count("wrong"), without.count("wrong")]) == [10, 12]


def test_a_hundred_accounts_on_a_hundred_networks_buy_a_name_each(
    attempt: Attempt, logged_in: Any
) -> None:
    """What an attacker gets for accounts of his own: one name, or five failures, a network."""
    ours = range(100)
    logged_in(*ours, ip="192.0.2.99", days_ago=30)
    for pk in ours:
        logged_in(pk, ip=f"198.18.{pk}.1")
    answers = [spray(attempt, 12, ip=f"198.18.{pk}.1", start=100 * pk) for pk in ours]
    assert answers == [["wrong"] * 11 + ["locked"]] * 100


def test_a_hundred_accounts_of_ones_own_buy_no_guess_at_an_account(
    attempt: Attempt, guesses: Any, office: Any
) -> None:
    for pk in range(100):
        office(pk, ip=f"198.18.{pk}.1")
    answers = [answer for pk in range(100) for answer in guesses(1, ip=f"198.18.{pk}.1")]
    assert answers == ["wrong"] * 4 + ["locked"] * 96


def test_who_has_not_given_his_second_factor_vouches_for_nothing(
    attempt: Attempt, logged_in: Any
) -> None:
    logged_in(1, 2, days_ago=30)
    logged_in(1, 2, event=SuccessfulLogin.Event.VERIFIED)
    assert spray(attempt, 11)[-1] == "locked"


@pytest.mark.parametrize("account", ["not-a-number", ""])
def test_accounts_of_another_kind_vouch_for_nothing(
    attempt: Attempt, logged_in: Any, account: str
) -> None:
    logged_in(account)
    assert spray(attempt, 11)[-1] == "locked"


def test_without_date_joined_the_log_alone_tells_how_old_an_account_is(
    attempt: Attempt, office: Any, settings: Any
) -> None:
    settings.AUTH_USER_MODEL = "people.Identified"
    office(1)
    assert networks._count_made_before(["1"], timezone.now()) == 0
    settings.AUTH_USER_MODEL = "auth.User"
    assert spray(attempt, 12) == ["wrong"] * 11 + ["locked"]


@pytest.mark.django_db(transaction=True)
def test_without_the_log_of_logins_the_limits_hold(attempt: Attempt, caplog: Any) -> None:
    with connection.schema_editor() as editor:
        editor.delete_model(SuccessfulLogin)
    try:
        assert spray(attempt, 11)[-1] == "locked"
        assert "credit_unreadable" in caplog.text
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(SuccessfulLogin)


# -- Rules that sites write ---------------------------------------------------------------------


def use(settings: Any, *rules: Rule) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "RULES": [*account_rules(), *rules]}


def a_rule(scope: Scope, limit: int, **terms: Any) -> Rule:
    return Rule("own", scope, limit, HOUR, LockTerms(900), starts_anew=True, **terms)


def both(salt: str, label: str, *columns: str) -> Callable[[Facts], Matter | None]:
    """Count what has the values of an attempt in some columns."""

    def of(facts: Facts) -> Matter | None:
        row = FailedLogin.objects.build(facts.subject, facts.client)
        values = {column: getattr(row, column) for column in columns}
        text = "\0".join(map(str, values.values()))
        rows = tuple(OneOf(name.removesuffix("_id"), (values[name],)) for name in columns)
        return Matter(salt, digests(salt, text), label, rows)

    return of


@pytest.mark.parametrize(
    ("columns", "same", "other"),
    [
        (("subject", "network"), {}, {"ip": ELSEWHERE}),
        (("subject", "network"), {}, {"username": "bob"}),
        (("network", "user_agent_id"), {"username": "bob"}, {"ip": ELSEWHERE}),
    ],
    ids=["name and network", "name and network, other name", "network and agent"],
)
def test_what_peers_count_together_is_a_rule(
    settings: Any, columns: tuple[str, ...], same: dict[str, str], other: dict[str, str]
) -> None:
    use(settings, a_rule(Scope("own", both("own", "both", *columns)), limit=2))
    fresh = count()

    def guess(username: str = "alice", ip: str = HOME) -> str:
        request = request_from(ip, **{"User-Agent": "curl"})
        try:
            LockoutBackend().authenticate(request, username, f"wrong {next(fresh)}")
        except AccountLocked:
            return "locked"
        return "wrong"

    assert [guess(), guess(), guess(**same)] == ["wrong", "wrong", "locked"]
    assert guess(**other) == "wrong"


def test_a_limit_may_depend_on_the_attempt(settings: Any, attempt: Attempt) -> None:
    """Three for clients of an address range that is known for nothing good."""
    bad = ip_network("203.0.113.0/24")

    def limit_of(facts: Facts) -> int:
        return 3 if ip_address(str(facts.client.ip_address)) in bad else 100

    use(settings, a_rule(networks.NETWORK, limit=8, limit_of=limit_of))
    assert spray(attempt, 4) == ["wrong"] * 3 + ["locked"]
    assert spray(attempt, 9, ip=ELSEWHERE) == ["wrong"] * 8 + ["locked"]


def test_a_rule_with_credit_of_a_scope_that_knows_no_accounts_has_none(
    settings: Any, attempt: Attempt
) -> None:
    scope = Scope("own", networks.NETWORK.of)
    use(settings, a_rule(scope, limit=3, credit=5))
    assert spray(attempt, 4) == ["wrong"] * 3 + ["locked"]
