"""Whatever comes in a query string: never an error of the server, never more rows than asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.utils import timezone

from lockout_admin.admin.records import ScreenAdmin
from lockout_admin.evidence.deeds import AuditFilter
from lockout_admin.evidence.filters import FailureFilter, LockFilter, SuccessFilter
from lockout_admin.evidence.networks import NetworkRuleFilter
from lockout_admin.models import AccountLock, Incident

from ..measuring import unmeasured
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
    get = unmeasured(staff("root").get)
    filters = {"failedlogin": FailureFilter, "successfullogin": SuccessFilter}
    for name in [*filters.get(model, LockFilter).names(), *OTHERS, *COLUMNS]:
        for value in VALUES:
            answer = get(list_url(model), {name: value.encode("utf-8", "surrogatepass")})
            assert answer.status_code in {200, 302, 400}, (name, value)


@pytest.mark.parametrize("model", MODELS)
def test_values_of_a_history(staff: Any, model: str) -> None:
    get = unmeasured(staff("root").get)
    record = apps.get_model("lockout_admin", model)._default_manager.first()
    for value in VALUES:
        page = {"p": value.encode("utf-8", "surrogatepass")}
        answer = get(f"{list_url(model)}{record.pk}/history/", page, follow=True)
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


# -- The other lists, and whatever else takes a parameter -----------------------------------------

#: Which of them is what depends on who reads it: a number, a moment, an address, a pattern.
ODD = [
    *("\0", "\ud800", "a" * 10_000, "-1", "9" * 30, "\u202e<b>x</b>", "=cmd|'/c calc'!A0"),
    *("999.1.1.1/99", "::ffff:1.2.3.4", "fe80::1%eth0", "0.0.0.0/0", "::/0", "10.0.0.0/8"),
    *("0000-01-01T00:00", "9999-12-31T23:59:59", "2026-03-08T02:30", "2026-11-01T01:30"),
    *("(a+)+$", "8f14e45f-ceea-467f-a8e3-1ad9b1e2c3d4", "\u0663", "1_0", "1e400", "NaN"),
]
LISTS: dict[str, list[str]] = {
    "networkrule": [*NetworkRuleFilter.names()],
    "auditentry": [*AuditFilter.names()],
    "trusteddevice": ["trusted"],
    "incident": ["state", "going", "kind"],
    "exemption": ["verdict"],
}


def sent(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("kind", LISTS)
def test_values_of_the_other_lists(browsers: Any, kind: str) -> None:
    get = unmeasured(browsers("root").get)
    for name in [*LISTS[kind], "q", "o", "p", "_to_field"]:
        for value in ODD:
            answer = get(list_url(kind), {name: sent(value)})
            assert answer.status_code in {200, 302, 400}, (name, value)


@pytest.mark.parametrize("page", ["search", "policy/try", "policy", "export"])
def test_values_of_a_question(browsers: Any, page: str) -> None:
    get = unmeasured(browsers("root").get)
    for name in ("q", "list", "days", "username", "before"):
        for value in ODD:
            answer = get(f"{list_url('accountlock')}{page}/", {name: sent(value)})
            assert answer.status_code in {200, 302, 400}, (name, value)
            assert answer.status_code != 302 or answer.url.startswith("/admin/lockout_admin/")


KINDS = [*MODELS, *LISTS]
ENDS = ["change", "history", "delete"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_key_has_no_page(browsers: Any, kind: str) -> None:
    get = unmeasured(browsers("root").get)
    for value in ODD:
        part = quote(sent(value), safe="")
        for page in (*ENDS, "unlock", "block"):
            answer = get(f"{list_url(kind)}{part}/{page}/", follow=True)
            assert answer.status_code in {200, 302, 403, 404}, (page, value)


def test_what_is_no_name_and_no_network_has_no_page(browsers: Any) -> None:
    get = unmeasured(browsers("root").get)
    for value in ODD:
        part = quote(sent(value), safe="")
        for page in ("name", "network"):
            # Django leads from what looks like an old address to a page that is not there.
            answer = get(f"{list_url('accountlock')}{page}/{part}/", follow=True)
            assert answer.status_code in {200, 404}, (page, value)


#: Page -> fields that are posted to it, all of them the same odd value.
FORMS = {
    "activelock/add/": ["username", "duration", "seconds", "note", "anyway"],
    "activelock/record/": ["stray"],
    "activelock/": ["action", "_selected_action", "select_across", "index", "after", "token"],
    "activelock/{lock}/unlock/": ["token", "reason", "confirmed", "by_hand"],
    "accountlock/policy/try/": ["days", "PRESET", "MODE", "LOCK_GROWTH_FACTOR", "limit-network"],
    "accountlock/export/": ["format", "picked", "raw"],
    "networkrule/add/": ["cidr", "action", "duration", "at_0", "at_1", "at", "reason", "anyway"],
    "networkrule/import/": ["format", "import_file"],
    "networkrule/process_import/": ["import_file_name", "original_file_name", "format"],
    "networkrule/": ["action", "_selected_action", "token"],
    "trusteddevice/": ["action", "_selected_action", "token", "reason"],
    "exemption/": ["action", "_selected_action", "select_across", "index"],
    "incident/{incident}/block/": ["token"],
    **{
        f"incident/{{incident}}/do/{verb}/": ["title", "note", "verdict", "other"]
        for verb in ("name", "note", "close")
    },
}


@pytest.mark.parametrize("page", FORMS)
def test_values_of_a_form(browsers: Any, page: str) -> None:
    now = timezone.now()
    incident = Incident.objects.create(kind="spraying", started_at=now, last_seen_at=now)
    lock = AccountLock.objects.earliest("pk")
    url = f"/admin/lockout_admin/{page.format(lock=lock.pk, incident=incident.pk)}"
    actions = {"activelock/": "unlock", "exemption/": "undo", "trusteddevice/": "revoke"}
    for value in ODD:
        form: dict[str, Any] = dict.fromkeys(FORMS[page], sent(value))
        if page in actions:
            form["action"] = actions[page]
        answer = browsers("root").post(url, form)
        answer.getvalue()
        assert answer.status_code in {200, 302, 400, 403}, value
        assert not getattr(answer, "url", "/").startswith(("//", "http")), value
    assert AccountLock.objects.fresh().get(pk=lock.pk).ended_at is None
