"""What a page costs does not depend on how many rows it shows, nor on how many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lockout_admin.engine.store import store
from lockout_admin.evidence import leads
from lockout_admin.models import NetworkRule

from .conftest import list_url


def statements(browser: Any, url: str) -> list[str]:
    browser.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.fixture
def fill(fail: Any, enter: Any, lock: Any) -> Callable[[int], None]:
    def fill(count: int) -> None:
        for number in range(count):
            username = f"name{count}-{number}"
            lock(username, first_failure=fail(username).pk)
            user = get_user_model().objects.create_user(username)
            enter(username, account=str(user.pk))
            NetworkRule.objects.create(cidr=f"192.0.2.{number}", source=f"list{count}")

    return fill


#: URL -> statements: session, user, and two for permissions come first.
COSTS = [
    (list_url("failedlogin"), 8),
    (list_url("failedlogin", "?username=name2-1"), 17),
    (list_url("failedlogin", "?net=203.0.113.0/24"), 14),
    (list_url("successfullogin"), 8),
    (list_url("successfullogin", "?failed=name2-1"), 14),
    (list_url("activelock"), 13),
    (list_url("accountlock"), 12),
    (list_url("accountlock") + "policy/", 2),
    (list_url("networkrule"), 7),
    (list_url("networkrule", "?net=192.0.2.0/24"), 7),
    (list_url("accountlock") + "search/?q=name&list", 24),
    (list_url("accountlock") + "search/?q=jane", 31),
    (leads.to_name("admin", "name2-1"), 24),
    (leads.to_network("admin", "203.0.113.7"), 9),
    (leads.to_network("admin", "203.0.113.0/24"), 10),
    ("/admin/", 4),
    ("/console/auth/user/", 8),
    ("/admin/lockout_admin/", 17),
]


@pytest.mark.parametrize(("url", "cost"), COSTS)
def test_the_cost_is_flat(staff: Any, fill: Any, url: str, cost: int, settings: Any) -> None:
    settings.ROOT_URLCONF = (
        "tests.console.urls" if url.startswith("/console") else settings.ROOT_URLCONF
    )
    browser = staff("root")
    fill(2)
    before = len(statements(browser, url))
    fill(10)
    assert len(statements(browser, url)) == before <= cost


@pytest.mark.parametrize("url", [url for url, _cost in COSTS if "login/" in url or "lock/" in url])
def test_nothing_is_counted_without_a_limit(staff: Any, fill: Any, url: str) -> None:
    browser = staff("root")
    fill(2)
    for sql in statements(browser, url):
        assert "LIMIT" in sql or "COUNT(*)" not in sql
        assert "SELECT DISTINCT" not in sql


@pytest.mark.parametrize(("model", "times"), [("activelock", 3), ("accountlock", 1)])
def test_a_page_of_locks_asks_the_cache_once_for_its_rows(
    staff: Any, fill: Any, monkeypatch: Any, model: str, times: int
) -> None:
    calls = Mock(wraps=store.get_many)
    monkeypatch.setattr(store, "get_many", calls)
    fill(5)
    browser = staff("root")
    calls.reset_mock()
    browser.get(list_url(model))
    # The index of what the store enforces, and the locks that it tells of.
    assert calls.call_count == times
