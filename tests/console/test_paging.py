"""Pages of a table that grows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import ModelAdmin, site
from django.contrib.admin.views.main import ChangeList
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from lockout_admin.admin.paging import AtLeast, CappedPaginator, RecordList
from lockout_admin.admin.records import RecordAdmin
from lockout_admin.admin.visits import VisitAdmin
from lockout_admin.models import FailedLogin

from .conftest import list_url, names


@pytest.fixture
def many(fail: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("lockout_admin.admin.paging.CAP", 4)
    return [fail(f"name{number}", ago=number) for number in range(6)]


def test_rows_are_counted_up_to_a_limit(many: Any) -> None:
    assert CappedPaginator(FailedLogin.objects.all(), 2).count == 4


def test_a_page_that_is_long_has_all_of_its_rows(staff: Any, many: Any, monkeypatch: Any) -> None:
    screen = "lockout_admin.admin.failures.FailedLoginAdmin"
    monkeypatch.setattr("lockout_admin.admin.paging.CAP", 100)
    monkeypatch.setattr(f"{screen}.list_max_show_all", 3)
    shown = staff("root").get(list_url("failedlogin")).context["cl"]
    assert [row.pk for row in shown.result_list] == [row.pk for row in many]


def test_less_than_the_limit_is_exact(fail: Any) -> None:
    fail()
    assert str(CappedPaginator(FailedLogin.objects.all(), 2).count) == "1"


@pytest.mark.parametrize(("grouped", "shown"), [(False, "10,000+"), (True, "10000")])
def test_more_is_shown_with_a_plus(settings: Any, grouped: bool, shown: str) -> None:
    settings.USE_THOUSAND_SEPARATOR = grouped
    assert f"{AtLeast(10_000)}" == shown == "%s" % AtLeast(10_000)  # noqa: UP031


def test_the_page_says_so(staff: Any, many: Any) -> None:
    page = staff("analyst").get(list_url("failedlogin", "?time=7d")).content.decode()
    assert "4+ failed logins" in page


@pytest.mark.parametrize("query", ["", "?time=7d", "?username=alice", "?q=alice"])
def test_a_list_of_a_range_does_not_offer_to_show_all(staff: Any, many: Any, query: str) -> None:
    """Without a query it is the list of its usual range: fewer rows than a wider one has."""
    page = staff("analyst").get(list_url("failedlogin", query)).content.decode()
    assert "Show all" not in page


@pytest.mark.parametrize("page", ["3", "9999999999", "0", "-1"])
def test_a_page_that_is_not_there_is_another(
    staff: Any, many: Any, monkeypatch: Any, page: str
) -> None:
    monkeypatch.setattr("lockout_admin.admin.failures.FailedLoginAdmin.list_per_page", 2)
    answer = staff("analyst").get(list_url("failedlogin"), {"p": page})
    assert names(answer) == (["name0", "name1"] if int(page) < 1 else ["name2", "name3"])


def test_the_list_of_a_theme_is_kept(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    class Themed(ChangeList):
        pass

    monkeypatch.setattr(ModelAdmin, "get_changelist", lambda self, request, **kwargs: Themed)
    changelist = site.get_model_admin(FailedLogin).get_changelist(rf.get("/"))
    assert issubclass(changelist, RecordList)
    assert issubclass(changelist, Themed)


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a page, and nothing above the list, which reads rows of its own."""
    monkeypatch.setattr("lockout_admin.admin.failures.FailedLoginAdmin.list_per_page", 2)
    monkeypatch.setattr(VisitAdmin, "above", RecordAdmin.above)


def reads(browser: Any, query: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the names on a page, and the statements that read failures."""
    with CaptureQueriesContext(connection) as captured:
        found = names(browser.get(list_url("failedlogin"), query))
    statements = [each["sql"].replace("`", '"') for each in captured.captured_queries]
    return found, [
        sql
        for sql in statements
        if 'FROM "lockout_admin_failedlogin"' in sql and "COUNT" not in sql
    ]


def test_a_page_is_found_in_an_index_and_then_read(
    staff: Any, many: Any, pages_of_two: None
) -> None:
    found, statements = reads(staff("analyst"), {"time": "all", "p": "2"})
    assert found == ["name2", "name3"]
    keys, rows = statements
    assert '"username"' not in keys
    assert "LIMIT" in keys
    assert '"username"' in rows
    assert "ORDER BY" not in rows


@pytest.fixture
def dense(fail: Any, monkeypatch: pytest.MonkeyPatch, pages_of_two: None) -> None:
    """Twelve names: the odd ones are bots, and the six oldest."""
    monkeypatch.setattr("lockout_admin.admin.paging.CAP", 4)
    monkeypatch.setattr("lockout_admin.admin.paging._SPARSEST", 2)
    for number in range(12):
        kind = "bot" if number % 2 or number > 5 else "man"
        fail(f"{kind}{number}", ago=number)


def test_a_filter_with_many_rows_is_looked_for_in_a_range(staff: Any, dense: None) -> None:
    found, statements = reads(
        staff("analyst"), {"time": "all", "username": "bot", "match": "prefix"}
    )
    assert found == ["bot1", "bot3"]
    assert sum(" BETWEEN " in sql for sql in statements) == 1
    assert len(statements) == 4


def test_of_the_oldest_too(staff: Any, dense: None) -> None:
    found, _ = reads(staff("root"), {"time": "all", "username": "bot", "match": "prefix", "o": "1"})
    assert found == ["bot11", "bot10"]


def test_what_is_not_in_the_range_is_found(
    staff: Any, dense: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockout_admin.admin.paging._SPARSEST", 1)
    found, statements = reads(
        staff("analyst"), {"time": "all", "username": "bot", "match": "prefix", "p": "2"}
    )
    assert found == ["bot5", "bot6"]
    assert len(statements) == 5


def test_a_row_that_went_between_is_left_out(
    staff: Any, many: Any, pages_of_two: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(RecordList, "_keys", lambda self, start, end: [many[1].pk, 0, many[0].pk])
    assert reads(staff("analyst"), {})[0] == ["name1", "name0"]


@pytest.mark.parametrize("number", ["x", "", None, "1e3", "\u0663x", "-5", "0"])
def test_what_is_no_page_is_the_first(number: Any, db: None) -> None:
    assert CappedPaginator(FailedLogin.objects.order_by("pk"), 10).validate_number(number) == 1
