"""The seed is plausible, repeatable and complete."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command

from demo.history import History, Replay
from demo.management.commands.seed import Command, moment
from demo.people import (
    ATTACKED,
    BESIDE,
    SECURITY,
    STAFF,
    SUPPORT,
    Person,
    group_of,
    settle,
)
from demo.records import OPEN_LOCKS
from demo.traffic import DAYS, TRIED, Visit, visits
from lockout_admin.engine.ruleset import account_rules
from lockout_admin.engine.store import store
from lockout_admin.lockout import is_account_locked
from lockout_admin.management.commands.lockout_groups import GROUPS
from lockout_admin.models import (
    AccountLock,
    AuditEntry,
    Exemption,
    FailedLogin,
    IncidentCursor,
    NetworkRule,
    SuccessfulLogin,
    UserAgent,
)

from ..measuring import unmeasured

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
DOCUMENTATION = [
    ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
FAILURE = (
    "timestamp",
    "username",
    "subject",
    "ip_address",
    "user_agent",
    "path",
    "outcome",
    "repeated",
)
LOCK = (
    "started_at",
    "until",
    "rule",
    "label",
    "reason",
    "failures",
    "refused",
    "ended_at",
    "ended_by",
    "end_note",
    "grows",
)


def seed(**options: Any) -> str:
    out = StringIO()
    call_command(Command(), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed with one visit in twenty: enough for a rule, and soon done."""
    monkeypatch.setattr(
        "demo.management.commands.seed.visits", lambda seed, now: visits(seed, now)[::20]
    )


@pytest.fixture
def debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture(scope="module")
def traffic() -> list[Visit]:
    """The attempts of the ninety days."""
    return unmeasured(visits)(1, NOW)


@pytest.fixture(scope="module")
def history(traffic: list[Visit]) -> History:
    """What they leave."""
    return unmeasured(Replay(1, NOW).run)(traffic)


@pytest.mark.parametrize("repeated", [False, True])
def test_the_same_seed_makes_the_same_visits_and_another_makes_others(repeated: bool) -> None:
    assert (visits(1, NOW) == visits(1 if repeated else 2, NOW)) is repeated


def test_visits_are_of_the_ninety_days_before_now_in_order(traffic: list[Visit]) -> None:
    times = [visit.when for visit in traffic]
    assert times == sorted(times)
    assert NOW - timedelta(days=DAYS + 1) <= times[0]
    assert times[-1] < NOW


def test_addresses_are_for_documentation_only(traffic: list[Visit]) -> None:
    addresses = [ip_address(text) for text in {visit.address for visit in traffic}]
    assert all(any(address in network for network in DOCUMENTATION) for address in addresses)
    assert {address.version for address in addresses} == {4, 6}


def test_working_days_see_more_than_weekends(traffic: list[Visit]) -> None:
    people = [visit for visit in traffic if visit.address.startswith("192.0.2.")]
    weekend = [visit for visit in people if visit.when.weekday() >= 5]
    assert len(weekend) < len(people) / 7


def test_each_rule_locks_when_its_limit_is_reached(history: History) -> None:
    limits = {rule.name: rule.limit for rule in account_rules()}
    led = [lock for lock, first in history.locks if first]
    assert {lock.rule for lock in led} == limits.keys()
    assert all(lock.failures >= limits[lock.rule] for lock in led)
    outcomes = {(row.timestamp, row.subject): row.outcome for row in history.failures}
    # What staff released leads to nothing any more.
    ends = {FailedLogin.Outcome.LOCKED, FailedLogin.Outcome.RELEASED}
    assert {outcomes[lock.started_at, lock.subject or 0] for lock in led} == ends


@pytest.mark.parametrize(("most", "days"), [(34, 1), (130, 30)])
def test_no_name_has_more_passwords_evaluated_than_promised(
    history: History, most: int, days: int
) -> None:
    # Staff who release a lock start the counts anew.
    released = {lock.subject for lock, _ in history.locks if lock.ended_at}
    fresh: dict[int, list[datetime]] = {}
    for row in history.failures:
        if not row.repeated and row.subject not in released:
            fresh.setdefault(row.subject, []).append(row.timestamp)
    for times in fresh.values():
        pairs = zip(times, times[most:], strict=False)
        assert all(later - earlier >= timedelta(days=days) for earlier, later in pairs)


def test_a_phone_with_an_old_password_is_not_locked_out(history: History) -> None:
    repeated = [row for row in history.failures if row.repeated]
    assert len(repeated) == 2 * 59
    assert {row.outcome for row in repeated} <= {"counted", "cleared", "released"}


def test_each_refusal_is_a_row_that_incidents_count(history: History) -> None:
    refused = Counter(row.subject for row in history.refusals)
    by_rules = [lock for lock, first in history.locks if first]
    assert sum(lock.refused for lock in by_rules) > 1_000
    assert sum(refused.values()) == len(history.refusals)
    assert {lock.subject for lock in by_rules if lock.refused} <= refused.keys()
    assert all(row.network and row.user_agent_id for row in history.refusals)


def test_locks_of_a_username_do_not_overlap(history: History) -> None:
    ends: dict[int | None, datetime] = {}
    for lock, first in history.locks:
        if first:
            assert lock.started_at >= ends.get(lock.subject, lock.started_at)
            ends[lock.subject] = lock.ended_at or lock.until


@pytest.mark.parametrize("username", TRIED)
def test_the_accounts_to_try_start_afresh(history: History, username: str) -> None:
    assert not [
        lock
        for lock, _ in history.locks
        if lock.label == username and lock.until > NOW - timedelta(days=1)
    ]
    remembered = [
        row
        for row in history.failures
        if row.username == username and row.timestamp > NOW - timedelta(days=30)
    ]
    assert len(remembered) < 96  # four tries are left in the slowest rule, too


@pytest.mark.parametrize("person", [*ATTACKED, *BESIDE], ids=lambda person: person.username)
def test_whoever_an_attack_is_to_show_has_tries_left(history: History, person: Person) -> None:
    whens = [
        row.timestamp
        for row in history.failures
        if row.username == person.username and not row.repeated
    ]
    # Four, and a typo: in the rule of a day, and in that of thirty days.
    for days, limit in ((1, 10), (30, 100)):
        assert sum(when > NOW - timedelta(days=days) for when in whens) + 5 <= limit


@pytest.mark.django_db
def test_seeding_twice_with_one_seed_and_moment_makes_the_same_rows(
    debug: None, thinned: None
) -> None:
    def rows() -> tuple[list[Any], list[Any]]:
        seed(now=NOW, reset=True)
        locks = AccountLock.objects.filter(started_at__lt=NOW)
        return list(FailedLogin.objects.values_list(*FAILURE)), list(locks.values_list(*LOCK))

    assert rows() == rows()


@pytest.mark.django_db
def test_the_seed_fills_every_table_and_open_locks_hold(debug: None, thinned: None) -> None:
    assert "failed and" in seed(now=NOW)
    assert FailedLogin.objects.filter(user_agent__text__startswith="python-requests").exists()
    assert not FailedLogin.objects.exclude(user_agent__in=UserAgent.objects.all()).exists()
    assert AccountLock.objects.exclude(ended_by="").exists()
    assert {*SuccessfulLogin.objects.values_list("event", flat=True)} == {"login", "verified"}
    carol = get_user_model().objects.get(username="carol")
    assert SuccessfulLogin.objects.filter(account=carol.pk).exists()
    assert all(is_account_locked(username) for username, *_ in OPEN_LOCKS)


@pytest.mark.django_db
@pytest.mark.parametrize("alias", ["default", None])
def test_a_reset_forgets_what_staff_did_and_what_the_store_holds(
    debug: None, thinned: None, settings: Any, alias: str | None
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "CACHE": alias}
    NetworkRule.objects.create(cidr="192.0.2.7", action="block")
    Exemption.objects.create(network="192.0.2.0/24", user_agent="x", verdict="scanner")
    IncidentCursor.objects.create(pk=1, failure=10_000)
    store.set_many({"a guess": 1}, 3600)
    seed(now=NOW, reset=True)
    assert not NetworkRule.objects.exists()
    assert not Exemption.objects.exists()
    assert not IncidentCursor.objects.exists()
    assert store.get_many(["a guess"]) == {}


@pytest.mark.django_db
def test_the_audit_says_what_the_staff_of_the_seed_did(debug: None, thinned: None) -> None:
    for _ in range(2):
        seed(now=NOW, reset=True)
    locks = AccountLock.objects.filter(reason="manual").count()
    assert AuditEntry.objects.filter(actor="admin", action="lock").count() == locks
    ended = AccountLock.objects.exclude(ended_at=None)
    unlocked = AuditEntry.objects.filter(actor="support", action="unlock")
    assert {*unlocked.values_list("label", "timestamp")} == {
        *ended.values_list("label", "ended_at")
    }


@pytest.mark.django_db
def test_a_database_with_records_is_left_alone() -> None:
    FailedLogin.objects.create("alice")
    assert seed(if_empty=True) == ""
    with pytest.raises(CommandError, match="--reset"):
        seed()
    assert FailedLogin.objects.count() == 1


@pytest.mark.parametrize("text", ["", "now", "2026-13-01T00:00:00Z", "2026-01-32"])
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="no moment"):
        moment(text)


def test_a_moment_is_in_utc_unless_it_says_otherwise() -> None:
    assert moment("2026-03-04T15:00:00") == moment("2026-03-04T16:00:00+01:00") == NOW


@pytest.mark.django_db
@pytest.mark.parametrize("role", [SUPPORT, SECURITY])
def test_a_role_is_a_group_that_sites_make(role: str) -> None:
    group_of(role).permissions.add(Permission.objects.get(codename="add_user"))
    permissions = group_of(role).permissions
    assert set(permissions.values_list("codename", flat=True)) == set(GROUPS[role])


@pytest.mark.django_db
def test_only_the_administrator_is_a_superuser(debug: None) -> None:
    settle()
    superusers = get_user_model().objects.filter(is_superuser=True)
    assert [user.username for user in superusers] == ["admin"]


@pytest.mark.django_db
@pytest.mark.parametrize("person", STAFF, ids=lambda person: person.username)
def test_staff_get_in_with_their_published_passwords(debug: None, person: Any) -> None:
    settle()
    user: Any = authenticate(None, username=person.username, password=person.password)
    assert user.is_staff


@pytest.mark.django_db
def test_outside_debug_the_published_passwords_open_nothing() -> None:
    staff = settle()
    assert not any(authenticate(None, username=p.username, password=p.password) for p in STAFF)
    assert all(authenticate(None, username=p.username, password=p.password) for p in staff)
