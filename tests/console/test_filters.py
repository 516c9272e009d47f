"""What each filter selects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import F
from django.http import QueryDict
from django.utils import timezone

from lockout_admin.evidence.filters import ActiveLockFilter, FailureFilter, LockFilter
from lockout_admin.evidence.inputs import MomentInput
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin
from lockout_admin.models.lookups import StartsWith

HOUR = 3600
DAY = 24 * HOUR


def found(query: str, filterset: Any = FailureFilter, model: Any = FailedLogin) -> set[str]:
    chosen = filterset(QueryDict(query), model.objects.all())
    assert chosen.qs is chosen.qs
    return set(chosen.qs.values_list(filterset.name_field, flat=True))


def errors(query: str) -> dict[str, Any]:
    filterset = FailureFilter(QueryDict(query), FailedLogin.objects.all())
    assert filterset.is_valid() or not filterset.qs.exists()
    return dict(filterset.errors)


@pytest.fixture
def failures(alice: Any, fail: Callable[..., FailedLogin]) -> None:
    fail("alice", ip_address="10.0.1.1", path="/admin/login/")
    fail("Alicia", ip_address="10.1.0.1", agent="curl/8.5.0", ago=2 * HOUR, outcome="locked")
    fail("bob_2", ip_address="2001:db8::1", ago=2 * DAY, outcome="cleared")
    fail("b%b", ip_address=None, agent="", ago=40 * DAY)


@pytest.mark.parametrize(
    ("query", "usernames"),
    [
        ("", "alice Alicia"),
        ("time=15m", "alice"),
        ("time=7d", "alice Alicia bob_2"),
        ("time=all", "alice Alicia bob_2 b%b"),
        ("username=ALICE", "alice"),
        ("username=%EF%BD%81lice", "alice"),
        ("username=ali", ""),
        ("username=ali&match=prefix", "alice"),
        ("username=lic&match=contains", "alice Alicia"),
        ("username=b_&match=prefix&time=all", ""),
        ("username=b%25&match=prefix&time=all", "b%b"),
        ("net=10.0.1.1", "alice"),
        ("net=10.0.", "alice"),
        ("net=10.", "alice Alicia"),
        ("net=10.0.0.0/16,2001:db8::/32&time=all", "alice bob_2"),
        ("net=10.0.0.0/16 2001:db8:&time=all", "alice bob_2"),
        ("net=::ffff:10.0.0.0/104", "alice Alicia"),
        ("net=::/0&time=all", "bob_2"),
        ("agent=CURL", "Alicia"),
        ("agent=none-has-this", ""),
        ('agent="curl/8.5.0"', "Alicia"),
        ('agent="curl/8.5"', ""),
        ('agent="', ""),
        ("path=admin", "alice"),
        ("account=yes", "alice"),
        ("account=no", "Alicia"),
        ("outcome=locked", "Alicia"),
        ("outcome=locked,cleared&time=all", "Alicia bob_2"),
        ("outcome=", "alice Alicia"),
        ("net=10.&outcome=locked&agent=curl", "Alicia"),
        ("net=10.&account=yes&path=login&time=all", "alice"),
        ("agent=curl&username=lic&match=contains&time=all", "Alicia"),
    ],
)
def test_failures(failures: None, query: str, usernames: str) -> None:
    assert found(query) == set(usernames.split())


def test_a_plain_dict_will_do(failures: None) -> None:
    assert FailureFilter({"outcome": "locked"}).qs.get().username == "Alicia"
    assert FailureFilter().qs.count() == 2


@pytest.mark.parametrize(
    ("query", "usernames"),
    [
        ("after=2026-01-01T11:00Z", "alice"),
        ("after=2026-01-01T13:00%2B02:00", "alice"),
        ("before=2026-01-01T11:00Z", "Alicia bob_2 b%b"),
        ("after=2025-12-01T00:00Z&before=2026-01-01T11:00Z", "Alicia bob_2"),
        ("after=2025-12-01T00:00Z&time=24h", "alice Alicia bob_2"),
        ("after=2025-12-01T00:00Z&time=never", ""),
        ("after=2025-12-01T00:00Z&time=24h&time=7d", ""),
    ],
)
def test_from_and_to(clock: Any, failures: None, query: str, usernames: str) -> None:
    assert found(query) == set(usernames.split())


def test_many_user_agents_are_not_named_one_by_one(
    failures: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockout_admin.evidence.visits._NAMED_AGENTS", 0)
    assert found("agent=curl") == {"Alicia"}


def test_a_masked_name_is_found(fail: Any) -> None:
    masked, other = Subject.of("hunter2").masked, Subject.of("hunter3").masked
    fail("hunter2", ago=60)
    FailedLogin.objects.update(username=masked)
    assert found(f"username={masked}") == {masked}
    assert found(f"username={other}") == set()


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("net=/33", "net"),
        ("net=10.0.0.0/33", "net"),
        ("net=2001:db8::/129", "net"),
        ("net=10.0.0.1, nonsense", "net"),
        ("net=fe80::1%25eth0", "net"),
        ("net=,", "net"),
        ("net=" + "10.0.0.1," * 101, "net"),
        ("net=" + "1" * 10_000, "net"),
        ("net=1.2.3.4.", "net"),
        ("net=::1:", "net"),
        ("username=%00", "username"),
        ("username=" + "a" * 10_000, "username"),
        ("match=regex", "match"),
        ("agent=" + "a" * 10_000, "agent"),
        ("outcome=gone", "outcome"),
        ("outcome=locked,gone", "outcome"),
        ("outcome=locked&outcome=cleared", "outcome"),
        ("net=10.0.0.1&net=", "net"),
        ("time=5m", "time"),
        ("time=1h&time=", "time"),
        ("after=yesterday", "after"),
        ("after=0001-01-01", "after"),
        ("before=9999-12-31T23:59:59", "before"),
        ("after=2026-01-02&before=2026-01-01", "before"),
        ("pattern=names&time=30d", "pattern"),
        ("pattern=names&time=all", "pattern"),
        ("pattern=names&time=all&net=10.", "pattern"),
        ("account=yes&time=all", "account"),
        ("path=login&time=30d", "path"),
        ("repeated=yes&time=30d", "repeated"),
        ("username=a&match=contains&time=all", "username"),
    ],
)
def test_a_wrong_filter_selects_nothing(failures: None, query: str, wrong: str) -> None:
    assert list(errors(query)) == [wrong]


@pytest.mark.parametrize(
    ("pattern", "findings"),
    [
        ("names", [("198.51.100.1", 6, 6, "net")]),
        ("addresses", [("dora", 5, 5, "username")]),
        ("agents", [("python-requests", 6, 6, "agent")]),
    ],
)
def test_patterns(fail: Any, pattern: str, findings: Any) -> None:
    for number in range(6):
        fail(f"name{number}", ip_address="198.51.100.1", agent="python-requests")
    for number in range(5):
        fail("dora", ip_address=f"2001:db8::{number}", agent=FIVE[number])
    fail("dora", ip_address=None, agent="", ago=2 * DAY)
    filterset = FailureFilter(QueryDict(f"pattern={pattern}"), FailedLogin.objects.all())
    assert filterset.qs.count() == findings[0][2]
    assert [(f.label, f.distinct, f.failures, f.parameter) for f in filterset.findings] == findings
    fail("other", agent="python-requests/2")
    finding = filterset.findings[0]
    alone = FailureFilter(
        QueryDict(urlencode({finding.parameter: finding.value})), FailedLogin.objects.all()
    )
    assert alone.qs.count() == finding.failures


FIVE = ["one", "two", "three", "four", "five"]


@pytest.fixture
def some_locks(lock: Any) -> None:
    lock("open")
    lock("byhand", reason="manual", locked_by="Olga")
    over = lock("over")
    released = lock("released")
    old = lock("old")
    AccountLock.objects.filter(pk=over.pk).update(until=over.started_at)
    AccountLock.objects.filter(pk=released.pk).update(ended_at=released.started_at, ended_by="sam")
    AccountLock.objects.filter(pk=old.pk).update(
        started_at="2020-01-01T00:00Z", until="2020-01-02T00:00Z"
    )


@pytest.mark.parametrize(
    ("query", "usernames"),
    [
        ("", "open byhand over released"),
        ("time=all", "open byhand over released old"),
        ("state=open", "open byhand"),
        ("state=expired", "over"),
        ("state=expired,released", "over released"),
        ("state=,", ""),
        ("reason=manual", "byhand"),
        ("by=Olga", "byhand"),
        ("by=sam", "released"),
        # MariaDB compares names of users as it keeps them apart.
        ("by=olga", "byhand" if connection.vendor == "mysql" else ""),
        ("username=OPEN", "open"),
        ("state=gone", ""),
        ("by=Olga&time=all", "byhand"),
        ("by=Olga&username=byhand&time=all", "byhand"),
    ],
)
def test_locks(some_locks: None, query: str, usernames: str) -> None:
    assert found(query, LockFilter, AccountLock) == set(usernames.split())


@pytest.mark.parametrize(("query", "wrong"), [("time=all", ["state"]), ("time=30d", [])])
def test_no_index_serves_what_would_have_locked(db: None, query: str, wrong: list[str]) -> None:
    filterset = LockFilter(QueryDict(f"state=monitored&{query}"), AccountLock.objects.all())
    assert list(filterset.errors) == wrong


def test_rows_of_an_older_secret_are_found(fail: Any, settings: Any) -> None:
    fail("alice")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new secret"
    assert found("username=ALICE") == {"alice"}


def test_open_locks_have_no_default_time_range(some_locks: None) -> None:
    assert "old" in found("", ActiveLockFilter, AccountLock)
    assert "state" not in ActiveLockFilter.names()


@pytest.mark.parametrize(
    ("method", "sql", "params"),
    [
        ("as_postgresql", "{} LIKE %s", ("b\\%%",)),
        ("as_mysql", "({0} LIKE %s AND {0} LIKE BINARY %s)", ("b\\%%", "b\\%%")),
        ("as_sql", "({0} >= %s AND {0} < %s)", ("b%", "b%\U0010ffff")),
    ],
)
def test_each_database_is_asked_for_a_prefix_in_its_way(
    method: str, sql: str, params: tuple[str, ...]
) -> None:
    query = FailedLogin.objects.all().query
    lookup = StartsWith(F("username"), "b%").resolve_expression(query)
    column = lookup.lhs.as_sql(query.get_compiler("default"), connection)[0]
    assert getattr(lookup, method)(query.get_compiler("default"), connection) == (
        sql.format(column),
        params,
    )


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("", None),
        ("2026-01-01T12:00", "2026-01-01T12:00:00"),
        ("2026-01-01 12:00:30Z", "2026-01-01T13:00:30"),
        ("2026-01-01T12:00:30.897140", "2026-01-01T12:00:30.897"),
        ("2026-01-01T12:00:30.000140", "2026-01-01T12:00:30"),
        ("2026-13-01T12:00", "2026-13-01T12:00"),
        ("noon", "noon"),
    ],
)
def test_a_moment_is_shown_as_the_picker_wants_it(typed: str, shown: str | None) -> None:
    with timezone.override("Europe/Berlin"):
        assert MomentInput().format_value(typed) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("2026-01-01T12:00:30", "2026-01-01T12:00:30"),
        ("2026-01-01T12:00:30.897", "2026-01-01T12:00:30.897"),
        ("2026-01-01T12:00:30.897140", "2026-01-01T12:00:30.898"),
        ("2026-01-01T12:00:30.999999", "2026-01-01T12:00:31"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999"),
    ],
)
def test_an_end_is_shown_no_earlier_than_it_is(typed: str, shown: str) -> None:
    assert MomentInput(is_end=True).format_value(typed) == shown
