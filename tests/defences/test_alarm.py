"""The site as a whole is under attack: more failures of strangers than are usual at that hour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import RequestFactory, override_settings
from django.utils import timezone
from freezegun.api import FrozenDateTimeFactory

from lockout_admin import lockout
from lockout_admin.defences import alarm
from lockout_admin.engine.store import store
from lockout_admin.exceptions import ChallengeRequired
from lockout_admin.models import FailedLogin, Outbox
from lockout_admin.notifications.notifiers import Notice
from lockout_admin.notifications.webhook import WebhookNotifier
from lockout_admin.signals import alarm_changed

HOOK = "lockout_admin.notifications.webhook.WebhookNotifier"
MAIL = "lockout_admin.notifications.mail.MailNotifier"
KEYS: dict[str, Any] = {
    "ALARM_LEAST": 20,
    "ALARM_FACTOR": 3,
    "TRUSTED_PROXIES": 0,
    "NOTIFIERS": [MAIL, HOOK],
    "BASE_URL": "https://shop.example",
    "WEBHOOK_URL": "https://hook.example",
    "WEBHOOK_SECRET": "a secret",
}


@pytest.fixture(autouse=True)
def _on(db: None, clock: FrozenDateTimeFactory) -> Iterator[None]:
    with override_settings(LOCKOUT_ADMIN=KEYS):
        yield
    alarm._sites.clear()


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What the signal said: whether the alarm is on, and of how many failures."""
    heard: list[Any] = []

    def hear(is_on: bool, failures: int, **signal: Any) -> None:
        heard.append((is_on, failures))

    alarm_changed.connect(hear)
    yield heard
    alarm_changed.disconnect(hear)


def failed(times: int, when: datetime | None = None, device: int | None = None) -> None:
    """Write failures as the past has them."""
    when = when or timezone.now()
    FailedLogin.objects.bulk_create(
        FailedLogin(
            timestamp=when, subject=number, fine=number, username=f"alarm-{number}", device=device
        )
        for number in range(times)
    )


def minute(clock: FrozenDateTimeFactory) -> None:
    """Let a minute pass, and somebody fail: then this process counts."""
    alarm.watch()
    clock.tick(61)
    alarm.watch()


def test_twenty_failures_in_ten_minutes_raise_it(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    minute(clock)
    assert alarm.is_on()
    assert told == [(True, 20)]


def test_a_new_site_is_calm_below_the_least(clock: FrozenDateTimeFactory, told: list[Any]) -> None:
    failed(19)
    minute(clock)
    assert not alarm.is_on()
    assert told == []


def test_what_owners_mistype_on_their_devices_does_not_count(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(100, device=1)
    minute(clock)
    assert told == []


def test_old_failures_do_not_count(clock: FrozenDateTimeFactory, told: list[Any]) -> None:
    failed(100)
    clock.tick(600)
    minute(clock)
    assert told == []


@pytest.mark.parametrize(("failures", "expected"), [(89, []), (90, [(True, 90)])])
def test_what_is_usual_at_the_hour_of_the_week_is_no_attack(
    clock: FrozenDateTimeFactory, told: list[Any], failures: int, expected: list[Any]
) -> None:
    """30 in ten minutes are usual. Last week's attack does not make another one so."""
    now = timezone.now()
    for weeks, times in ((1, 5000), (2, 180), (3, 180), (4, 180)):
        failed(times, now - timedelta(weeks=weeks))
    failed(1, now - timedelta(weeks=5))
    failed(failures)
    minute(clock)
    assert told == expected


def test_another_hour_of_the_week_says_nothing(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    for weeks in range(1, 5):
        failed(180, timezone.now() - timedelta(weeks=weeks, hours=2))
    failed(20)
    minute(clock)
    assert told == [(True, 20)]


def test_it_ends_by_itself_and_both_are_told_once(
    clock: FrozenDateTimeFactory, told: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    failed(30)
    minute(clock)
    minute(clock)
    clock.tick(600)
    minute(clock)
    minute(clock)
    assert told == [(True, 30), (False, 0)]
    assert not alarm.is_on()
    kinds = Outbox.objects.order_by("id").values_list("kind", "notifier", "username")
    assert list(kinds) == [("alarm", HOOK, ""), ("calm", HOOK, "")]
    codes = [
        record.getMessage()
        for record in caplog.records
        if "attack_detected" in record.msg % record.args
    ]
    assert len(codes) == 2
    fields = json.loads(codes[0].partition(" ")[2])
    assert fields["event.action"] == "begin"
    assert fields["failures"] == 30


def test_the_webhook_says_how_many() -> None:
    row = Outbox(kind=Outbox.Kind.ALARM, failures=30)
    content = WebhookNotifier().content(Notice(row))
    assert content["type"] == "lockout.alarm"
    assert content["data"]["failures"] == 30


def test_it_goes_on_until_half_is_left(clock: FrozenDateTimeFactory, told: list[Any]) -> None:
    failed(20)
    minute(clock)
    clock.tick(480)
    failed(10)
    clock.tick(120)
    minute(clock)
    assert told == [(True, 20)]
    assert alarm.is_on()


def test_one_that_nobody_looks_at_is_over(clock: FrozenDateTimeFactory) -> None:
    failed(20)
    minute(clock)
    clock.tick(1201)
    assert not alarm.is_on()


def test_the_first_attempt_after_a_siege_ends_it(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    minute(clock)
    clock.tick(601)
    with lockout.attempt("alarm-owner", RequestFactory().post("/"), password="x") as under_way:
        under_way.succeeded()
    assert told == [(True, 20), (False, 0)]


def logs_in() -> None:
    """Come in, as an owner does."""
    with lockout.attempt("alarm-owner", RequestFactory().post("/"), password="x") as under_way:
        under_way.succeeded()


@pytest.mark.parametrize("seconds", [0, 55])
def test_a_burst_is_seen_with_the_next_attempt_whoever_comes(
    seconds: int, clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    """Within a minute of the last count: no failure comes after it."""
    minute(clock)
    clock.tick(seconds)
    failed(29)
    with lockout.attempt("alarm-new", RequestFactory().post("/"), password="x"):
        pass
    clock.tick(61)
    logs_in()
    assert told == [(True, 30)]


def test_processes_that_live_for_seconds_see_it(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    for worker in range(12):
        alarm._sites.clear()
        for number in range(4):
            request = RequestFactory(REMOTE_ADDR=f"198.51.{worker}.{number}").post("/")
            with lockout.attempt(f"alarm-{worker}-{number}", request, password="x"):
                pass
            clock.tick(3)
    assert [is_on for is_on, _failures in told] == [True]


def test_the_end_is_told_however_late_and_by_whomever(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    minute(clock)
    alarm._sites.clear()  # that process is gone
    logs_in()
    clock.tick(3 * 3600)
    logs_in()
    clock.tick(61)
    logs_in()
    assert told == [(True, 20), (False, 0)]


def test_what_a_program_repeats_is_no_attack(clock: FrozenDateTimeFactory, told: list[Any]) -> None:
    failed(500)
    FailedLogin.objects.update(repeated=True)
    minute(clock)
    assert told == []


def test_of_all_processes_one_counts_in_a_minute(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    store.add(alarm._site().key("turn"), 1, 3600)
    minute(clock)
    assert told == []


def test_a_process_that_is_at_it_is_not_disturbed(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    with alarm._site().lock:
        minute(clock)
    assert told == []


def test_nothing_is_asked_in_the_first_minute(
    django_assert_num_queries: Any, told: list[Any]
) -> None:
    failed(20)
    with django_assert_num_queries(0):
        alarm.watch()
        alarm.watch()


def test_a_failure_is_what_makes_a_process_look(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    for number in range(2):
        with lockout.attempt(f"alarm-{number}-new", RequestFactory().post("/"), password="x"):
            pass
        clock.tick(61)
    assert told == [(True, 21)]


@override_settings(LOCKOUT_ADMIN={**KEYS, "ALARM_LEAST": 0})
def test_it_can_be_switched_off(clock: FrozenDateTimeFactory, told: list[Any]) -> None:
    failed(500)
    minute(clock)
    assert told == []


def test_a_database_that_does_not_answer_changes_nothing(
    clock: FrozenDateTimeFactory,
    told: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any) -> int:
        raise DatabaseError

    failed(20)
    monkeypatch.setattr(alarm, "_strangers", fail)
    minute(clock)
    assert told == []
    assert "alarm_not_reckoned" in caplog.text


def test_a_store_that_does_not_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    site = alarm._site()
    site.since = 1.0
    monkeypatch.setattr(store, "get_many", lambda keys: None)
    assert alarm.is_on()


def test_a_process_forgets_sites_when_there_are_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "_MOST", 1)
    alarm._site()
    with override_settings(LOCKOUT_ADMIN={**KEYS, "NAMESPACE": "elsewhere"}):
        alarm._site()
    assert len(alarm._sites) == 1


# -- With the challenge -------------------------------------------------------------------------

CHALLENGED = {**KEYS, "CHALLENGE": "lockout_admin.defences.work.ProofOfWork"}


def sprayed(names: int) -> int:
    """Try one password on so many names, from a network each; return how many were compared."""
    compared = 0
    for number in range(names):
        request = RequestFactory(REMOTE_ADDR=f"198.51.{number // 250}.{number % 250}").post("/")
        try:
            with lockout.attempt(f"sprayed-{number}", request, password="Winter2026"):
                compared += 1
        except ChallengeRequired:
            continue
    return compared


@override_settings(LOCKOUT_ADMIN=CHALLENGED)
def test_spraying_from_everywhere_is_stopped_while_it_goes_on(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    """No rule sees it: each name and each network fails once. The alarm does, within two minutes.

    What is left unanswered keeps the alarm up, as long as somebody sprays.
    """
    compared = []
    for _ in range(20):
        compared.append(sprayed(30))
        clock.tick(61)
    assert compared[0] == 30
    assert sum(compared) <= 61
    assert compared[2:] == [0] * 18
    assert [is_on for is_on, _failures in told] == [True]
    clock.tick(1200)
    assert sprayed(1) == 1


@override_settings(LOCKOUT_ADMIN=CHALLENGED)
@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8:7:{number:x}::1"])
def test_who_is_asked_and_has_one_network_raises_no_alarm(
    clock: FrozenDateTimeFactory, told: list[Any], address: str
) -> None:
    failed(5)
    for _ in range(12):
        for number in range(100):
            alarm.asked(address.format(number=number))
        clock.tick(61)
    assert told == []


@override_settings(LOCKOUT_ADMIN=CHALLENGED)
def test_people_who_answer_do_not_keep_an_alarm_up(
    clock: FrozenDateTimeFactory, told: list[Any]
) -> None:
    failed(20)
    minute(clock)
    for _ in range(10):
        for person in range(30):
            alarm.asked(f"198.51.100.{person}")
            alarm.answered(f"198.51.100.{person}")
        clock.tick(61)
    minute(clock)
    assert [is_on for is_on, _failures in told] == [True, False]


def test_a_counter_that_another_process_begins_counts_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    increment = store.increment
    there = [0]
    alarm.answered(None)
    monkeypatch.setattr(store, "increment", lambda key: there.pop() if there else increment(key))
    alarm.answered(None)
    found = store.get_many([alarm._site().key(f"answered:{alarm._minute(timezone.now())}")])
    assert list((found or {}).values()) == [2]
