"""An admin of a site's own, made of ours, may have filters of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import path

from lockout_admin.admin.failures import FailedLoginAdmin
from lockout_admin.models import FailedLogin

from .conftest import list_url, names


class Initial(admin.SimpleListFilter):
    title = "initial"
    parameter_name = "initial"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("a", "A"), ("b", "B")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(username__startswith=self.value() or "")


class OwnAdmin(FailedLoginAdmin):
    list_filter = (
        "repeated",
        Initial,
        ("path", admin.AllValuesFieldListFilter),
        "timestamp",
    )

    def get_list_filter(self, request: Any) -> list[Any]:
        return [*super().get_list_filter(request), ("user_agent", admin.RelatedOnlyFieldListFilter)]


own = admin.AdminSite(name="admin")
own.register(FailedLogin, OwnAdmin)
urlpatterns = [path("admin/", own.urls)]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def rows(fail: Any) -> None:
    fail("alice", path="/login/")
    fail("anne", path="/api/", agent="curl")
    fail("bob", path="/login/", repeated=True)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "bob anne alice"),
        ("repeated__exact=1", "bob"),
        ("initial=a", "anne alice"),
        ("initial=a&username=anne", "anne"),
        ("timestamp__gte=2020-01-01T00:00Z&timestamp__lt=2021-01-01T00:00Z", ""),
        ("timestamp__isnull=False&initial=b", "bob"),
    ],
)
def test_they_work_beside_ours(rows: None, staff: Any, query: str, shown: str) -> None:
    page = staff("root").get(list_url("failedlogin", f"?{query}"))
    assert page.status_code == 200
    assert names(page) == shown.split()


def test_a_related_one_works(rows: None, staff: Any) -> None:
    agent = FailedLogin.objects.get(username="anne").user_agent_id
    page = staff("root").get(list_url("failedlogin", f"?user_agent__id__exact={agent}"))
    assert names(page) == ["anne"]


@pytest.mark.parametrize(
    "query", ["outcome__regex=.", "user_agent__text=curl", "initials=a", "filterset=1"]
)
def test_what_nobody_listed_is_refused(rows: None, staff: Any, query: str, client: Client) -> None:
    assert staff("root").get(list_url("failedlogin", f"?{query}")).status_code == 400
