"""The list, the FilterSet and an action on all that match select the same rows."""

from __future__ import annotations

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockout_admin.evidence.filters import ActiveLockFilter, FailureFilter, SuccessFilter
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin

from .conftest import list_url, names, undone
from .test_unlocking import select

RANDOM = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
USERNAMES = ["alice", "Alan", "bob", "b%b", "élise", "eve"]

WHO = {
    "username": st.sampled_from([*USERNAMES, "a", "B", "%", "é", "E\u0301LISE", "\0"]),
    "match": st.sampled_from(["exact", "prefix", "contains", "x"]),
    "time": st.sampled_from(["15m", "24h", "all", "7d", "x"]),
    "after": st.sampled_from(["2020-01-01T00:00Z", "3000-01-01", "now"]),
    "before": st.sampled_from(["2020-01-01T00:00Z", "3000-01-01"]),
}
FAILURES = st.fixed_dictionaries(
    {},
    optional={
        **WHO,
        "net": st.sampled_from(["10.0.", "10.0.0.1 2001:db8::/32", "::/0", "0.0.0.0/0", "/33"]),
        "outcome": st.sampled_from(["counted", "locked,counted", "locked", "gone"]),
        "repeated": st.sampled_from(["yes", "no", "x"]),
        "common": st.sampled_from(["yes", "no", "x"]),
        "account": st.sampled_from(["yes", "no", "maybe"]),
        "agent": st.sampled_from(["curl", "none"]),
        "path": st.sampled_from(["login", "api"]),
        "pattern": st.sampled_from(["names", "addresses", "agents"]),
    },
)
SUCCESSES = st.fixed_dictionaries(
    {},
    optional={
        **WHO,
        "net": st.sampled_from(["10.0.", "10.0.0.1 2001:db8::/32", "::/0", "0.0.0.0/0", "/33"]),
        "event": st.sampled_from(["login", "verified,logout", "gone"]),
        "account": st.sampled_from(["1", "3", "none"]),
        "failed": st.sampled_from([*USERNAMES, "ALICE", "nobody", "\0"]),
        "agent": st.sampled_from(["curl", "none"]),
        "path": st.sampled_from(["login", "api"]),
    },
)
LOCKS = st.fixed_dictionaries(
    {},
    optional={
        **WHO,
        "reason": st.sampled_from(["limit", "manual,limit", "x"]),
        "by": st.just("olga"),
    },
)


def command(*arguments: str) -> list[str] | None:
    """Return what `lockout_export` prints, one name a line; ``None`` where it refuses."""
    out = io.StringIO(newline="")
    try:
        call_command("lockout_export", *arguments, stdout=out)
    except CommandError:
        return None
    return [row[0] for row in csv.reader(io.StringIO(out.getvalue(), newline=""))][1:]


@pytest.fixture
def failures(alice: Any, fail: Any) -> None:
    for number, name in enumerate(USERNAMES * 3):
        fail(
            name,
            agent=["curl", "Mozilla"][number % 2],
            ago=number**4,
            ip_address=[None, "10.0.0.1", "10.1.0.1", "2001:db8::1", "203.0.113.7"][number % 5],
            outcome=["counted", "locked", "cleared"][number % 3],
            path=["/login/", "/api/"][number % 2],
            repeated=number % 4 == 0,
            common=[True, False, None][number % 3],
        )


@RANDOM
@given(filters=FAILURES)
def test_failures(staff: Any, failures: None, filters: dict[str, str], browsers: Any) -> None:
    query = urlencode(filters)
    shown = names(browsers("root").get(list_url("failedlogin", f"?{query}")))
    selected = FailureFilter(QueryDict(query), FailedLogin.objects.all()).qs
    assert shown == list(selected.values_list("username", flat=True))


@pytest.fixture
def successes(failures: None, enter: Any) -> None:
    for number, name in enumerate(USERNAMES * 3):
        enter(
            name,
            agent=["curl", "Mozilla"][number % 2],
            ago=number**4,
            ip_address=[None, "10.0.0.1", "10.1.0.1", "2001:db8::1", "203.0.113.7"][number % 5],
            event=["login", "verified", "logout"][number % 3],
            path=["/login/", "/api/"][number % 2],
            account=str(number % 5),
        )


@RANDOM
@given(filters=SUCCESSES)
def test_successes(staff: Any, successes: None, filters: dict[str, str], browsers: Any) -> None:
    query = urlencode(filters)
    browser = browsers("root")
    shown = names(browser.get(list_url("successfullogin", f"?{query}")))
    selected = SuccessFilter(QueryDict(query), SuccessfulLogin.objects.all()).qs
    assert shown == list(selected.values_list("username", flat=True))
    told = command("successes", "--raw", "--columns", "username", "--where", query)
    assert told is None or told == shown


@RANDOM
@given(filters=LOCKS)
def test_locks(lock: Any, filters: dict[str, str], browsers: Any) -> None:
    if not AccountLock.objects.exists():
        for number, name in enumerate(USERNAMES):
            lock(
                name,
                600 + number,
                **({"reason": "manual", "locked_by": "Olga"} if number % 2 else {}),
            )
    query = urlencode(filters)
    listed = names(browsers("root").get(list_url("activelock", f"?{query}")))
    selected = ActiveLockFilter(QueryDict(query), AccountLock.objects.all()).qs
    assert sorted(listed) == sorted(selected.values_list("label", flat=True))
    asked = select(browsers("root"), across=True, query=f"?{query}")
    assert sorted(undone(asked) if asked.context else []) == sorted(listed)
