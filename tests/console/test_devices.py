"""The screen of trusted devices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.admin import selections
from lockout_admin.admin.devices import _accounts_called
from lockout_admin.admin.owned import devices_of
from lockout_admin.defences import devices
from lockout_admin.identity.client import Client as Source
from lockout_admin.models import AuditEntry, SuccessfulLogin, TrustedDevice

from .conftest import confirm, said

pytestmark = pytest.mark.django_db

LIST = "/admin/lockout_admin/trusteddevice/"


@pytest.fixture
def device() -> TrustedDevice:
    """A browser of Alice, who is gone from the accounts unless a test makes her."""
    devices._record(7, "4711", Source("203.0.113.5", "Firefox <b>"))
    return TrustedDevice.objects.get()


def post(client: Client, *pks: int, **more: str) -> Any:
    return client.post(LIST, {"action": "revoke", "_selected_action": pks, **more})


def test_the_list_says_whose_browser_it_is(admin_client: Client, alice: Any) -> None:
    devices._record(7, str(alice.pk), Source("203.0.113.5", "Firefox"))
    SuccessfulLogin.objects.create(
        username="alice",
        subject=1,
        account=str(alice.pk),
        device=7,
        timestamp=timezone.now().replace(year=2025, month=3, day=4),
    )
    page = admin_client.get(LIST).content.decode()
    assert all(text in page for text in ("alice", "Firefox", "203.0.113.5", "2025-03-04"))


def test_of_an_account_that_is_gone_the_key_is_told(
    admin_client: Client, device: TrustedDevice
) -> None:
    page = admin_client.get(LIST).content.decode()
    assert "4711" in page
    assert str(device).startswith("4711 (")
    assert "<b>" not in page.partition("Firefox")[2][:10]


@pytest.mark.parametrize("term", ["alice", "PK", "nobody", "x\x00"])
def test_devices_are_found_by_the_account(admin_client: Client, alice: Any, term: str) -> None:
    devices._record(7, str(alice.pk), Source())
    answer = admin_client.get(LIST, {"q": str(alice.pk) if term == "PK" else term})
    assert answer.status_code == 200
    found = len(answer.context["cl"].result_list) if term != "x\x00" else 0
    assert found == (1 if term in ("alice", "PK") else 0)


def test_a_name_that_no_account_can_have_finds_nothing(settings: Any) -> None:
    settings.AUTH_USER_MODEL = "people.Identified"
    assert _accounts_called("no UUID") == []


def test_a_device_is_revoked_with_a_reason_and_audited(
    admin_client: Client, device: TrustedDevice
) -> None:
    asked = post(admin_client, device.pk)
    assert "4711" in asked.content.decode()
    assert "The device was lost or stolen" in asked.content.decode()
    asked = confirm(admin_client, LIST, asked, "")
    assert "This field is required." in asked.content.decode()
    assert said(confirm(admin_client, LIST, asked, "Laptop was stolen")) == (
        "1 device is trusted no more."
    )
    device.refresh_from_db()
    assert (device.end_reason, device.ended_by) == ("revoked", "admin")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.label) == ("admin", "revoke", "4711")
    assert "Laptop was stolen" in entry.details
    assert "revoked" in admin_client.get(LIST).content.decode()


def test_what_is_not_trusted_any_more_is_not_revoked(
    admin_client: Client, device: TrustedDevice
) -> None:
    asked = post(admin_client, device.pk)
    TrustedDevice.objects.update(ended_at=timezone.now(), end_reason="used up")
    assert said(confirm(admin_client, LIST, asked)) == "0 devices are trusted no more."
    assert post(admin_client, device.pk).status_code == 302
    assert not AuditEntry.objects.exists()


def test_all_that_a_filter_finds_are_revoked_however_many(
    admin_client: Client, clock: FrozenDateTimeFactory
) -> None:
    until = timezone.now() + timedelta(days=1)
    made = {"account": "4711", "first_seen": timezone.now(), "until": until}
    TrustedDevice.objects.bulk_create(TrustedDevice(pk=2**62 + n, **made) for n in range(1100))
    asked = post(admin_client, 2**62, select_across="1")
    assert len(asked.context["hidden"]) == 4
    assert "and 1,050 more" in asked.content.decode()
    clock.tick(1)
    devices._record(8, "1", Source())
    answer = confirm(admin_client, LIST, asked, "All of them")
    assert said(answer) == "1,100 devices are trusted no more."
    assert TrustedDevice.objects.trusted().get().pk == 8
    assert AuditEntry.objects.count() == 1100


def test_a_long_revocation_goes_on_once_it_is_confirmed_again(
    admin_client: Client, device: TrustedDevice, monkeypatch: Any
) -> None:
    devices._record(8, "1", Source())
    asked = post(admin_client, 7, 8)
    monkeypatch.setattr(selections, "CHUNK", 1)
    monkeypatch.setattr(selections, "time", Mock(monotonic=Mock(side_effect=[0, 21])))
    asked = confirm(admin_client, LIST, asked)
    monkeypatch.undo()
    assert "There are more. Confirm again to continue." in asked.content.decode()
    assert said(confirm(admin_client, LIST, asked)) == "1 device is trusted no more."


@pytest.mark.parametrize("key", ["abc", "\0", "9" * 19, "9" * 5000, "1.5", "-1"])
def test_what_is_no_key_of_a_device_is_refused(admin_client: Client, key: str) -> None:
    form = {"action": "revoke", "_selected_action": key}
    assert admin_client.post(LIST, form).status_code == 400


@pytest.mark.parametrize(("filtered", "found"), [("yes", 1), ("no", 2), ("x", 0)])
def test_the_list_is_filtered_by_state(
    admin_client: Client, device: TrustedDevice, filtered: str, found: int
) -> None:
    now = timezone.now()
    devices._record(8, "1", Source(), for_once=True)
    devices._record(9, "1", Source())
    TrustedDevice.objects.filter(pk=8).update(until=now)
    TrustedDevice.objects.filter(pk=9).update(ended_at=now, end_reason="password")
    page = admin_client.get(LIST, {"trusted": filtered})
    assert len(page.context["cl"].result_list) == found


def test_nobody_makes_changes_or_deletes_a_device(
    admin_client: Client, device: TrustedDevice
) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{device.pk}/delete/", {"post": "yes"}).status_code == 403
    answer = admin_client.post(f"{LIST}{device.pk}/change/", {"account": "1"})
    assert answer.status_code == 403
    assert TrustedDevice.objects.get().account == "4711"


def test_who_may_only_look_revokes_nothing(
    client: Client, device: TrustedDevice, django_user_model: Any
) -> None:
    user = django_user_model.objects.create_user("sam", is_staff=True)
    permissions = get_user_model()._meta.apps.get_model("auth", "Permission").objects
    user.user_permissions.set(permissions.filter(codename="view_trusteddevice"))
    client.force_login(user)
    assert client.get(LIST).status_code == 200
    post(client, device.pk, token="x", reason="x")
    device.refresh_from_db()
    assert device.ended_at is None


def test_a_users_page_lists_his_devices(admin_client: Client, alice: Any) -> None:
    assert "none" in devices_of("admin", alice, sees_logins=True)
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    devices._record(7, str(alice.pk), Source("2a00:1450:1:2:3::4", agent))
    devices._record(8, str(alice.pk), Source())
    shown = devices_of("admin", alice, sees_logins=True)
    assert "Firefox on Linux" in shown
    assert "Mozilla" not in shown
    assert "2a00:1450:1:2::/64" in shown.replace("<wbr>", "")
    assert "a program, or a browser that is not known" in shown
    assert shown.count("first seen") == shown.count("last login") == 2
    assert f"?q={alice.pk}" in shown
