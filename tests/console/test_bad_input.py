"""Whatever comes in a query string: never an error of the server, never more rows than asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps

from lockout_admin.admin.records import ScreenAdmin
from lockout_admin.evidence.filters import FailureFilter, LockFilter, SuccessFilter

from .conftest import list_url

VALUES = [
    "\0",
    "(",
    "[",
    "%",
    "_",
    "'",
    "\\",
    "/33",
    "1.2.3.4/33",
    "a" * 10_000,
    "9" * 30,
    "-1",
    "\ud800",
    "٣",
    "9999-12-31T23:59-12:00",
    "0001-01-01T00:00+14:00",
    "{}",
    ",",
]
MODELS = ["failedlogin", "successfullogin", "activelock", "accountlock"]
OTHERS = ["q", "o", "p", "e", "all", "_facets", "_to_field", "_popup"]
COLUMNS = [
    "username__regex",
    "ip_address",
    "ip_address__gte",
    "subject__startswith",
    "id__in",
    "user_agent__text",
    "nonsense",
]


@pytest.fixture(autouse=True)
def records(fail: Any, enter: Any, lock: Any) -> None:
    fail()
    enter()
    lock()


@pytest.mark.parametrize("model", MODELS)
def test_values(staff: Any, model: str) -> None:
    browser = staff("root")
    filters = {"failedlogin": FailureFilter, "successfullogin": SuccessFilter}
    for name in [*filters.get(model, LockFilter).names(), *OTHERS, *COLUMNS]:
        for value in VALUES:
            answer = browser.get(list_url(model), {name: value.encode("utf-8", "surrogatepass")})
            assert answer.status_code in {200, 302, 400}, (name, value)


@pytest.mark.parametrize("model", MODELS)
def test_values_of_a_history(staff: Any, model: str) -> None:
    browser = staff("root")
    record = apps.get_model("lockout_admin", model)._default_manager.first()
    for value in VALUES:
        page = {"p": value.encode("utf-8", "surrogatepass")}
        answer = browser.get(f"{list_url(model)}{record.pk}/history/", page, follow=True)
        assert answer.status_code == 200, value


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", COLUMNS)
def test_columns_cannot_be_probed(staff: Any, model: str, name: str) -> None:
    assert staff("root").get(list_url(model), {name: "1"}).status_code == 400


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["username", "time", "after", "q"])
def test_a_value_that_is_none_selects_no_row(staff: Any, model: str, name: str) -> None:
    answer = staff("root").get(list_url(model), {name: "\0"})
    assert not answer.context["cl"].result_list


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["username", "time", "after"])
def test_a_parameter_given_twice_selects_no_row(staff: Any, model: str, name: str) -> None:
    answer = staff("root").get(f"{list_url(model)}?{name}=nobody&{name}=")
    assert not answer.context["cl"].result_list
    assert "given more than once" in answer.content.decode()


@pytest.mark.parametrize("model", [*MODELS, "auditentry", "trusteddevice"])
@pytest.mark.parametrize("lookup", ["pk__in", "timestamp__gte", "account__startswith", "id__exact"])
def test_what_is_no_filter_is_refused(staff: Any, model: str, lookup: str) -> None:
    browser = staff("root")
    for value in ("9" * 30, "9999-12-31T23:59:59", "x"):
        assert browser.get(list_url(model), {lookup: value}).status_code == 400


def test_the_rule_is_in_one_place() -> None:
    assert "lookup_allowed" in vars(ScreenAdmin)
