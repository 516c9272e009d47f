"""Alerts: what is told to those who look after the site, to whom, and how often."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from lockout_admin.engine.breaker import LOOK_SECS, Breaker
from lockout_admin.models import FailedLogin, Incident, IncidentEvent, Outbox
from lockout_admin.notifications import alerts, wording
from lockout_admin.notifications.notifiers import Notice
from lockout_admin.notifications.webhook import WebhookNotifier
from lockout_admin.notifications.wording import Wording
from lockout_admin.signals import alarm_changed, engine_changed, incident_changed

from .conftest import SITE, send

Guess = Callable[..., Any]
Kind = Outbox.Kind
What = IncidentEvent.What

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(autouse=True)
def _with_an_admin(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.urls"


@pytest.fixture
def olga(db: None) -> Any:
    """She runs operations: she gets alerts, and may see incidents and locks."""
    kinds = ("incident", "accountlock", "successfullogin", "failedlogin")
    return holder("olga", "receive_alerts", *(f"view_{kind}" for kind in kinds))


def holder(name: str, *codenames: str, address: str | None = None) -> Any:
    address = f"{name}@example.com" if address is None else address
    user = get_user_model().objects.create_user(name, address, "right", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def incident(**fields: Any) -> Incident:
    now = timezone.now()
    figures = {"names": 195, "networks": 1, "evaluated": 22, "refused": 173, "names_existing": 9}
    found = {"kind": "spraying", "about": "192.0.2.0/24", "started_at": now, "last_seen_at": now}
    return Incident.objects.create(**{**found, **figures, **fields})


def has(one: Incident, what: str) -> None:
    incident_changed.send(Incident, incident=one, what=what)


def degraded(name: str = "default") -> None:
    engine_changed.send(Breaker, name=name, is_well=False, reason="TimeoutError")


def well(name: str = "default") -> None:
    engine_changed.send(Breaker, name=name, is_well=True, reason="")


def settle(more: float, clock: Any) -> list[str]:
    """Go on by so many seconds, and return the subjects of what is sent then."""
    clock.tick(more)
    return [message.subject for message in send()]


# -- What is told -------------------------------------------------------------------------------


def test_an_incident_is_told_with_its_reason_and_its_page(olga: Any) -> None:
    found = incident()
    has(found, What.FOUND)
    (message,) = send()
    assert message.subject == "An attack on logins, spraying so far (shop.example)"
    assert "Names: 195, of accounts: 9; networks: 1" in message.body
    assert "evaluated: 22, refused: 173" in message.body
    assert f"{SITE}/admin/lockout_admin/incident/{found.pk}/change/" in message.body
    html = message.alternatives[0][0]
    assert f'href="{SITE}/admin/lockout_admin/incident/{found.pk}/change/"' in html


def test_who_may_not_see_names_is_not_told_how_many_exist(db: None) -> None:
    holder("sam", "receive_alerts", "view_incident")
    has(incident(), What.FOUND)
    (message,) = send()
    assert "Names: 195; networks: 1" in message.body
    assert "of accounts" not in message.body + message.alternatives[0][0]


def test_whose_account_of_staff_is_locked_is_not_told_by_locks_alone(db: None) -> None:
    holder("sam", "receive_alerts", "view_accountlock")
    assert alerts.recipients(Kind.STAFF) == []


def test_an_alert_has_nothing_that_strangers_typed(olga: Any) -> None:
    has(incident(kind="brute-force", about="<b>pay here: evil.example</b>"), What.FOUND)
    (message,) = send()
    assert "evil.example" not in message.body + message.alternatives[0][0] + message.subject


def test_an_entry_is_told_with_what_to_do(olga: Any) -> None:
    has(incident(entered=2), What.ENTERED)
    (message,) = send()
    assert message.subject == "2 accounts were entered in an attack (shop.example)"
    assert "End their sessions" in message.body


@pytest.mark.parametrize("what", [What.FOUND, What.ENTERED])
def test_an_alert_says_why_there_is_an_incident(olga: Any, what: str) -> None:
    has(incident(sign="names-hour", counted=195, least=10), what)
    (message,) = send()
    assert "195 strange names from one network in an hour; the threshold is 10." in message.body


@pytest.mark.parametrize("what", [What.GREW, What.OVER, What.NOTED, What.CLOSED])
def test_other_steps_are_not_told(olga: Any, what: str) -> None:
    has(incident(), what)
    assert not Outbox.objects.exists()


@pytest.mark.parametrize("fields", [{"state": "closed"}, {"merged": True}])
def test_what_is_settled_before_it_goes_out_is_not_told(olga: Any, fields: Any) -> None:
    into = incident() if fields.pop("merged", False) else None
    one = incident(merged_into=into, **fields)
    has(one, What.FOUND)
    has(one, What.ENTERED)
    assert send() == []
    assert set(Outbox.objects.values_list("why", flat=True)) == {Outbox.Why.NOT_NEW}


def test_a_lock_of_staff_is_told(olga: Any, guess: Guess) -> None:
    guess("olga", times=4)
    to_owner, message = send()
    assert to_owner.to == ["olga@example.com"]
    assert message.subject == "An account of staff is locked (shop.example)"
    assert "“olga”" in message.body
    assert "4 wrong ones" in message.body
    assert "/admin/lockout_admin/accountlock/?username=olga&time=7d" in message.body


@pytest.mark.usefixtures("alice")
def test_a_lock_of_anybody_else_is_not(olga: Any, guess: Guess) -> None:
    for name in ("alice", "nobody"):
        guess(name, times=4)
    assert [message.to for message in send()] == [["alice@example.com"]]
    assert not Outbox.objects.filter(kind=Kind.STAFF).exists()


def test_whether_a_name_is_of_staff_is_not_looked_up_where_it_is_locked(
    olga: Any, guess: Guess
) -> None:
    guess("olga", times=4)
    assert set(Outbox.objects.values_list("kind", flat=True)) == {Kind.LOCKED}


def test_a_lock_of_staff_is_logged(
    olga: Any, guess: Guess, caplog: pytest.LogCaptureFixture
) -> None:
    guess("olga", times=4)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "lockout_admin"):
        send()
    assert '"event.action": "staff_locked"' in caplog.text


def test_an_incident_is_logged(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "lockout_admin"):
        has(incident(entered=1), What.ENTERED)
    (record,) = [one for one in caplog.records if getattr(one, "event", "") == "attack_detected"]
    ecs = record.ecs  # type: ignore[attr-defined]
    assert (ecs["incident.kind"], ecs["incident.entered"]) == ("spraying", 1)
    assert ecs["event.outcome"] == "success"


def test_a_cache_that_is_down_and_back_is_told(olga: Any, clock: Any) -> None:
    degraded()
    (down,) = send()
    assert down.subject == "A cache of the login protection is down (shop.example)"
    assert "TimeoutError" in down.body
    clock.tick(60)
    well()
    (back,) = send()
    assert back.subject == "The cache of the login protection is back (shop.example)"


def finds_out(request: HttpRequest) -> HttpResponse:
    """Find a cache dead and the site under attack, and fail."""
    Breaker("default", lambda: True).trip("dead")
    now = timezone.now()
    alarm_changed.send(FailedLogin, is_on=True, failures=99, usual=1.0, since=now)
    raise ValueError


#: The site on which this is found out.
urlpatterns = [path("finds-out/", finds_out)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_atomic", [True, False])
def test_what_a_request_finds_out_is_told_though_it_is_rolled_back(
    settings: Any, is_atomic: bool
) -> None:
    settings.ROOT_URLCONF = __name__
    hook = {
        "NOTIFIERS": ["lockout_admin.notifications.webhook.WebhookNotifier"],
        "WEBHOOK_URL": "https://soc.example",
        "WEBHOOK_SECRET": "secret",
    }
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, **hook}
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = is_atomic
    try:
        Client(raise_request_exception=False).get("/finds-out/")
    finally:
        settings.DATABASES["default"]["ATOMIC_REQUESTS"] = False
    kinds = Outbox.objects.values_list("kind", flat=True)
    assert sorted(set(kinds)) == [Kind.ALARM, Kind.DEGRADED]


@pytest.mark.django_db(transaction=True)
def test_the_breaker_says_so(clock: Any) -> None:
    heard: list[tuple[str, bool]] = []

    def hear(name: str, is_well: bool, **signal: Any) -> None:
        heard.append((name, is_well))

    engine_changed.connect(hear)
    try:
        breaker = Breaker("default", lambda: True)
        breaker.trip("dead")
        breaker.trip("dead")
        breaker._look()
    finally:
        engine_changed.disconnect(hear)
    assert LOOK_SECS
    assert heard == [("default", False), ("default", True)]


# -- Who is told --------------------------------------------------------------------------------


def told() -> list[str]:
    return sorted(address for message in send() for address in message.bcc)


def test_nobody_sees_who_else_is_told(olga: Any) -> None:
    holder("omar", "receive_alerts", "view_incident")
    has(incident(), What.FOUND)
    (message,) = send()
    assert sorted(message.bcc) == ["olga@example.com", "omar@example.com"]
    assert message.to == message.cc == []
    assert "olga" not in str(message.message())


def test_superusers_have_every_permission(db: None) -> None:
    get_user_model().objects.create_superuser("root", "root@example.com", "right")
    has(incident(), What.FOUND)
    assert told() == ["root@example.com"]


@pytest.mark.parametrize(
    ("codenames", "address"),
    [
        (["view_incident", "view_successfullogin"], None),
        (["receive_alerts"], None),
        (["receive_alerts", "view_accountlock"], None),
        (["receive_alerts", "view_incident"], ""),
    ],
)
def test_who_may_not_see_the_matter_is_not_told(
    db: None, codenames: list[str], address: str | None
) -> None:
    holder("sam", *codenames, address=address)
    has(incident(), What.FOUND)
    assert told() == []
    assert Outbox.objects.get().why == Outbox.Why.NO_ADDRESS


def test_who_is_not_active_is_not_told(olga: Any) -> None:
    olga.is_active = False
    olga.save()
    has(incident(), What.FOUND)
    assert told() == []


def test_accounts_without_permissions_are_not_told(olga: Any, monkeypatch: Any) -> None:
    monkeypatch.delattr(type(get_user_model()._default_manager), "with_perm")
    assert alerts.recipients(Kind.INCIDENT) == []


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ([], []),
        (["incident"], ["incident"]),
        (["entry"], ["entry"]),
        (["engine"], ["degraded"]),
        (["staff"], ["staff"]),
    ],
)
def test_the_site_says_of_what_there_are_alerts(
    olga: Any, settings: Any, guess: Guess, wanted: list[str], kinds: list[str]
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "ALERTS": wanted}
    one = incident()
    has(one, What.FOUND)
    has(one, What.ENTERED)
    degraded()
    guess("olga", times=4)
    send()
    found = Outbox.objects.filter(kind__in=Outbox.ALERTS).values_list("kind", flat=True)
    assert sorted(found) == kinds


def test_without_an_admin_there_is_no_page(olga: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.notifications.without_login"
    has(incident(), What.FOUND)
    (message,) = send()
    assert "http" not in message.body


def test_without_the_sites_address_there_is_no_page(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {}
    assert wording.page_of("app_list", "lockout_admin") == ""


# -- How often ----------------------------------------------------------------------------------

DOWN = "A cache of the login protection is down (shop.example)"
BACK = "The cache of the login protection is back (shop.example)"


def test_of_many_processes_one_is_heard(olga: Any, clock: Any) -> None:
    for _ in range(3):
        degraded()
    assert settle(0, clock) == [DOWN]
    for _ in range(3):
        well()
    assert settle(1, clock) == [BACK]
    assert settle(3600, clock) == []


def test_silences_grow(olga: Any, clock: Any) -> None:
    one = incident()
    heard = []
    for minute in range(24 * 60):
        one.entered += 1
        one.save()
        has(one, What.ENTERED)
        heard += [minute for _message in send()]
        clock.tick(60)
    assert heard == pytest.approx([0, 10, 30, 70, 150, 310, 630, 1270], abs=8)


def test_what_waits_says_how_things_are_when_it_goes_out(olga: Any, clock: Any) -> None:
    one = incident(entered=1)
    has(one, What.ENTERED)
    assert settle(0, clock) == ["1 account was entered in an attack (shop.example)"]
    for number in (2, 3):
        one.entered = number
        one.save()
        has(one, What.ENTERED)
        assert settle(1, clock) == []
    assert settle(620, clock) == ["3 accounts were entered in an attack (shop.example)"]
    assert settle(3600, clock) == []


def test_topics_do_not_silence_each_other(olga: Any, clock: Any) -> None:
    for number in range(2):
        one = incident(entered=number + 1)
        has(one, What.FOUND)
        has(one, What.ENTERED)
    assert len(settle(0, clock)) == 4


def test_what_is_well_again_before_it_is_told_is_not_told(olga: Any, clock: Any) -> None:
    degraded()
    well()
    assert settle(0, clock) == []


def test_a_flapping_cache_is_told_ever_less_often(olga: Any, clock: Any) -> None:
    heard: list[str] = []
    for _ in range(120):
        degraded()
        heard += settle(30, clock)
        well()
        heard += settle(30, clock)
    assert 4 <= len(heard) <= 10
    assert heard[:2] == [DOWN, BACK]


def test_another_senders_message_of_the_topic_is_waited_for(olga: Any, clock: Any) -> None:
    one = incident()
    has(one, What.ENTERED)
    Outbox.objects.update(
        state=Outbox.State.SENDING,
        sent_at=timezone.now() - timedelta(seconds=1),
        due=timezone.now() + timedelta(minutes=5),
    )
    has(one, What.ENTERED)
    assert settle(0, clock) == []
    Outbox.objects.filter(state=Outbox.State.SENDING).update(state=Outbox.State.SENT)
    assert settle(40, clock) == []  # the silence after it
    assert len(settle(620, clock)) == 1


def test_an_older_one_that_waits_says_it(olga: Any, clock: Any) -> None:
    one = incident(entered=1)
    has(one, What.ENTERED)
    Outbox.objects.filter(kind=Kind.ENTRY).update(state=Outbox.State.SENDING)
    has(one, What.ENTERED)
    Outbox.objects.filter(kind=Kind.ENTRY).update(state=Outbox.State.WAITING)
    assert len(settle(0, clock)) == 1
    assert Outbox.objects.filter(why=Outbox.Why.NOT_NEW).count() == 1


def test_a_wording_of_no_incident_is_none(db: None) -> None:
    for topic in ("", "incident:x", "incident:99"):
        assert Wording.of(Outbox(kind=Kind.INCIDENT, topic=topic)) is None
        assert Wording.of(Outbox(kind=Kind.ENTRY, topic=topic)) is None


def test_a_webhook_is_told_the_reason_and_the_page(db: None) -> None:
    one = incident()
    row = Outbox(kind=Kind.INCIDENT, topic=f"incident:{one.pk}")
    content = WebhookNotifier().content(Notice(row))
    wording = Wording.of(row)
    assert wording
    assert content["type"] == "lockout.incident"
    assert content["data"]["reason"] == f"{wording.title}. {wording.reason}"
    assert content["data"]["page"].endswith(f"/incident/{one.pk}/change/")
    row.topic = f"incident:{one.pk + 1}"
    assert "reason" not in WebhookNotifier().content(Notice(row))["data"]


def test_an_incident_that_is_settled_while_its_mail_is_written(olga: Any) -> None:
    row = Outbox(kind=Kind.INCIDENT, topic="incident:99")
    alerts.AlertNotifier().notify(Notice(row))
    assert mail.outbox == []


def test_no_more_alerts_an_hour_than_a_person_reads(settings: Any) -> None:
    assert alerts.AlertNotifier.most_per_hour() == 60
    settings.LOCKOUT_ADMIN = {"MAILS_PER_HOUR": 5}
    assert alerts.AlertNotifier.most_per_hour() == 5
