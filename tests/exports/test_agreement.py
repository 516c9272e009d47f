"""One filter, one answer: the list, the export and the command agree."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockout_admin.models import FailedLogin

from .test_admin import FORM, LIST, PAGE, names
from .test_command import run

FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "username": st.sampled_from(
            ["alice", "ALICE", "al", "b", "%", "_", "'", "\N{LATIN SMALL LETTER A WITH ACUTE}"]
        ),
        "match": st.sampled_from(["exact", "prefix", "contains", "nonsense"]),
        "net": st.sampled_from(
            ["192.0.2.0/24", "192.0.2.1", "2001:db8::/32,198.51.100.", "::/0", "0.0.0.0/0", "/33"]
        ),
        "outcome": st.sampled_from(["counted", "locked,counted", "locked", "x"]),
        "account": st.sampled_from(["yes", "no"]),
        "agent": st.sampled_from(["Mozilla", "curl"]),
        "path": st.sampled_from(["/login", "/"]),
        "time": st.sampled_from(["15m", "24h", "90d", "all"]),
        "after": st.sampled_from(["2020-01-01", "3000-01-01T00:00Z", "yesterday"]),
        "before": st.sampled_from(["2020-01-02", "3000-01-02T00:00Z"]),
    },
)


@pytest.fixture
def records(alice: Any, failures: Any) -> None:
    failures("alice", "Alice", "alma", "bob", "50%", "o'hara", path="/login/")
    failures("alice", "bob", ip_address="2001:db8::1", outcome="locked", user_agent_id=None)
    failures("al_ma", "\xe1lice", ip_address="198.51.100.9")


def listed(query: str, user: User) -> list[str]:
    request = RequestFactory().get(f"{LIST}?{query}")
    request.user = user
    changelist = site.get_model_admin(FailedLogin).get_changelist_instance(request)
    return list(changelist.queryset.values_list("username", flat=True))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(filters=FILTERS)
def test_a_filter_selects_the_same_rows_everywhere(
    filters: dict[str, str], records: None, admin_client: Client
) -> None:
    query = urlencode(filters)
    expected = listed(query, User.objects.get(username="admin"))
    response = admin_client.post(f"{PAGE}?{query}", FORM)
    try:
        printed = run("failures", "--raw", "--columns", "username", "--where", query).split("\r\n")[
            1:-1
        ]
    except CommandError:
        assert (expected, response.streaming) == ([], False)
    else:
        assert expected == printed == names(response)
