"""What owners are told whose accounts were entered, by staff, and what they can do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone, translation

from lockout_admin import lockout
from lockout_admin.defences import devices
from lockout_admin.evidence.places import Place, Places
from lockout_admin.identity.client import Client as Source
from lockout_admin.identity.subject import Subject
from lockout_admin.incidents import remedies, verbs
from lockout_admin.models import (
    AuditEntry,
    Incident,
    IncidentName,
    Outbox,
    SuccessfulLogin,
    TrustedDevice,
)
from lockout_admin.notifications import links

from .conftest import SITE, link_in, send

pytestmark = pytest.mark.usefixtures("clock")

THIEF = "198.51.100.66"


def opened() -> Incident:
    now = timezone.now()
    return Incident.objects.create(
        kind="spraying", about=THIEF, started_at=now, last_seen_at=now, entered=1
    )


def inside(incident: Incident, user: Any, username: str = "") -> IncidentName:
    name = username or user.get_username()
    return IncidentName.objects.create(
        incident=incident,
        subject=Subject.of(name).key,
        username=name,
        entered_at=timezone.now() - timedelta(days=2),
        account=str(user.pk),
        how="network",
    )


@pytest.fixture
def incident(alice: Any) -> Incident:
    """Somebody was in Alice's account two days ago, and only now staff know."""
    found = opened()
    row = inside(found, alice)
    SuccessfulLogin.objects.build(
        Subject.of("alice"),
        Source(THIEF, "evil-tool/1.0", "/secret/"),
        timestamp=row.entered_at,
        account=row.account,
    ).save()
    return found


def tell(incident: Incident) -> list[Any]:
    """Have the owners told; return the mails."""
    remedies.tell_owners(incident, "olga", "Ticket 4711")
    return send()


def letter(message: Any) -> str:
    return f"{message.subject}\n{message.body}\n{message.alternatives[0][0]}"


# -- The mail -----------------------------------------------------------------------------------


def test_the_owner_is_told_when_somebody_was_in(incident: Incident) -> None:
    (message,) = tell(incident)
    assert message.to == ["alice@example.com"]
    assert message.subject == "Somebody was in your account at shop.example"
    assert "When: Dec. 30, 2025, 6 a.m. CST" in message.body
    assert f"{SITE}/account/link/" in message.body
    assert "Country" not in message.body


def test_nothing_else_is_told_of_whoever_it_was(incident: Incident, monkeypatch: Any) -> None:
    monkeypatch.setattr(Places, "of", lambda self, address: Place("DE", "AS64500", "Evil Networks"))
    (message,) = tell(incident)
    assert "Country: DE" in message.body
    for told in (THIEF, "evil-tool", "secret", "AS64500", "Evil Networks", "spraying", "olga"):
        assert told not in letter(message)
    assert "Country: DE" in message.alternatives[0][0]


def test_the_mail_is_in_the_language_of_the_owner_and_not_of_staff(
    incident: Incident, settings: Any
) -> None:
    settings.LANGUAGE_CODE = "de"
    with translation.override("fr"):
        (message,) = tell(incident)
    assert message.body.startswith("Guten Tag alice,")


def test_nobody_is_told_by_the_program_alone(incident: Incident) -> None:
    assert send() == []


def test_an_owner_is_told_once_an_incident(incident: Incident, alice: Any) -> None:
    inside(incident, alice, "alice@example.com")
    assert len(tell(incident)) == 1
    inside(incident, alice, "Alice!")
    assert tell(incident) == []
    assert [owner.why_not for owner in remedies.owners(incident)] == ["told"]
    another = opened()
    inside(another, alice)
    assert len(tell(another)) == 1


def test_of_two_who_tell_at_once_one_does(incident: Incident) -> None:
    (owner,) = remedies.owners(incident)
    assert remedies._claim(incident, owner.row)
    assert not remedies._claim(incident, owner.row)


def test_whoever_tells_at_the_same_time_sends_no_second_mail(
    incident: Incident, monkeypatch: Any
) -> None:
    seen = remedies.owners(incident)
    tell(incident)
    monkeypatch.setattr(remedies, "owners", lambda incident: seen)
    assert tell(incident) == []


def test_it_is_known_of_what_was_merged(incident: Incident, alice: Any) -> None:
    tell(incident)
    into = opened()
    inside(into, alice)
    verbs.merge(into, [incident], "olga")
    assert tell(into) == []


@pytest.mark.parametrize(
    ("fields", "why"), [({"email": ""}, "address"), ({"is_active": False}, "inactive")]
)
def test_who_cannot_be_told_is_left_out(
    incident: Incident, alice: Any, fields: dict[str, Any], why: str
) -> None:
    get_user_model().objects.update(**fields)
    assert [owner.why_not for owner in remedies.owners(incident)] == [why]
    assert tell(incident) == []
    assert not AuditEntry.objects.exists()


def test_an_entry_of_which_no_login_is_kept_has_no_place(incident: Incident) -> None:
    SuccessfulLogin.objects.all().delete()
    assert "Country" not in tell(incident)[0].body


def test_who_told_and_why_is_in_the_audit(incident: Incident) -> None:
    tell(incident)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.label) == ("olga", "tell", "alice")
    assert entry.details == f"Ticket 4711 (incident {incident.pk})"


# -- The link -----------------------------------------------------------------------------------


@pytest.fixture
def resets(settings: Any) -> None:
    """The site has a page for forgotten passwords."""
    settings.ROOT_URLCONF = "tests.notifications.resetting"


def test_looking_does_nothing(incident: Incident, browser: Client) -> None:
    (message,) = tell(incident)
    page = browser.get(link_in(message)).content.decode()
    assert "Sign out everywhere" in page
    assert "choose a new password" not in page
    assert Outbox.objects.get().used_at is None


@pytest.mark.usefixtures("resets")
def test_the_owner_signs_out_everywhere_and_chooses_a_password(
    incident: Incident, alice: Any, browser: Client
) -> None:
    thief = Client()
    thief.force_login(alice)
    devices._record(7, str(alice.pk), Source(THIEF, "evil-tool/1.0"))
    (message,) = tell(incident)
    path = link_in(message)
    assert "choose a new password" in browser.get(path).content.decode()
    answer = browser.post(path, follow=True)
    assert answer.status_code == 200
    alice.refresh_from_db()
    assert not alice.check_password("right")
    assert thief.get("/admin/").status_code == 302
    assert not TrustedDevice.objects.trusted().exists()
    form = {"new_password1": "far better 47", "new_password2": "far better 47"}
    browser.post(answer.redirect_chain[-1][0], form)
    alice.refresh_from_db()
    assert alice.check_password("far better 47")
    details = AuditEntry.objects.get(actor="the owner, by mail").details
    assert details == "signed out everywhere, password expired"


def test_without_a_page_for_passwords_the_owner_signs_out(
    incident: Incident, alice: Any, browser: Client
) -> None:
    thief = Client()
    thief.force_login(alice)
    devices._record(7, str(alice.pk), Source(THIEF))
    (message,) = tell(incident)
    page = browser.post(link_in(message)).content.decode()
    assert "All devices are signed out" in page
    assert "change it at once" in page
    alice.refresh_from_db()
    assert alice.check_password("right")
    assert not thief.session.exists(thief.session.session_key or "-")
    assert TrustedDevice.objects.get().end_reason == "revoked"


def test_sessions_that_cannot_be_listed_go_on(
    incident: Incident, browser: Client, settings: Any
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    (message,) = tell(incident)
    assert browser.post(link_in(message)).status_code == 200


@pytest.mark.usefixtures("resets")
def test_whose_password_is_elsewhere_is_given_none_here(
    incident: Incident, alice: Any, browser: Client
) -> None:
    alice.set_unusable_password()
    alice.save()
    (message,) = tell(incident)
    assert browser.post(link_in(message)).status_code == 200
    alice.refresh_from_db()
    assert not alice.has_usable_password()


@pytest.mark.usefixtures("resets")
def test_the_link_is_good_once(incident: Incident, browser: Client) -> None:
    (message,) = tell(incident)
    path = link_in(message)
    assert browser.post(path).status_code == 303
    assert browser.get(path).status_code == 410
    assert browser.post(path).status_code == 410


def test_of_two_clicks_one_counts(incident: Incident, browser: Client, monkeypatch: Any) -> None:
    (message,) = tell(incident)
    monkeypatch.setattr(links.Opening, "spend", lambda self: False)
    assert browser.post(link_in(message)).status_code == 410


@pytest.mark.parametrize(
    ("more", "status"), [(links.ENTERED_LASTS - 1, 200), (links.ENTERED_LASTS + 1, 410)]
)
def test_the_link_lasts_three_days(
    incident: Incident, browser: Client, clock: Any, more: int, status: int
) -> None:
    (message,) = tell(incident)
    clock.tick(more)
    assert browser.get(link_in(message)).status_code == status


@pytest.mark.usefixtures("resets")
def test_whoever_was_in_and_changed_the_password_does_not_void_the_link(
    incident: Incident, alice: Any, browser: Client
) -> None:
    (message,) = tell(incident)
    alice.set_password("of the thief")
    alice.save()
    assert browser.post(link_in(message)).status_code == 303


def test_another_address_voids_the_link(incident: Incident, alice: Any, browser: Client) -> None:
    (message,) = tell(incident)
    alice.email = "mallory@example.com"
    alice.save()
    assert browser.get(link_in(message)).status_code == 410


@pytest.mark.usefixtures("resets")
def test_the_link_lets_nobody_in_whom_staff_have_locked(
    incident: Incident, browser: Client, guess: Callable[..., Any]
) -> None:
    lockout.lock_account("alice", seconds=3600, by="olga", note="entered")
    (message,) = tell(incident)
    assert browser.post(link_in(message)).status_code == 303
    assert lockout.is_account_locked("alice")
