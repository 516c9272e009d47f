"""The first look: what is going on, and whether the protection is well."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from lockout_admin.engine.breaker import Breaker
from lockout_admin.engine.store import Store, store
from lockout_admin.evidence import health, series
from lockout_admin.evidence.health import State
from lockout_admin.evidence.overview import Overview
from lockout_admin.evidence.pictures import HEIGHT, Picture, Row, spark
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, Incident, Outbox

INDEX = "/admin/lockout_admin/"
QUARTER = 15 * 60
NOTIFY = "lockout_admin.notifications.mail.MailNotifier"


def totals(found: Overview) -> dict[str, int]:
    return {row.name: row.total for row in found.picture.rows}


def test_a_quiet_day(db: None) -> None:
    found = Overview.now()
    assert (found.locks, found.networks, found.mails) == (0, 0, 0)
    assert not any([found.incidents, found.under_fire, found.sources])
    assert totals(found) == {"failures": 0, "refused": 0, "successes": 0}


@pytest.mark.usefixtures("clock")
def test_a_bar_that_is_counted_up_to_a_limit_says_so(
    staff: Any, fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "CAP", 2)
    fail("alice", ago=1)
    said = "a bar is counted up to 2"
    browser = staff("root")
    assert said not in browser.get(INDEX).content.decode()
    for _ in range(2):
        fail("alice", ago=1)
    page = browser.get(INDEX).content.decode()
    assert page.count(said) == 1
    assert "failures: 2+" in page


@pytest.mark.usefixtures("clock")
def test_the_figures(fail: Any, lock: Any, enter: Any) -> None:
    lock("alice", refused=9, settled=True)
    lock("bob", reason="manual")
    row = lock("carol")
    AccountLock.objects.filter(pk=row.pk).update(subject=None, label="192.0.2.0/24")
    for number in range(3):
        fail(f"name{number}", ip_address="2001:db8::1")
    fail(ago=25 * 3600)
    enter()
    enter(event="logout")
    now = timezone.now()
    for ago in (60, 25 * 3600):
        when = now - timedelta(seconds=ago)
        Outbox.objects.create(kind="locked", subject=1, notifier=NOTIFY, state="sent", sent_at=when)
    found = Overview.now()
    assert (found.by_rule, found.by_hand, found.networks, found.mails) == (2, 1, 1, 1)
    assert found.locks == 3
    assert [(one.label, one.count, one.names) for one in found.sources] == [("2001:db8::1", 3, 3)]
    assert [one.label for one in found.under_fire] == ["alice"]
    assert found.under_fire[0].count == 9
    assert totals(found) == {"failures": 3, "refused": 9, "successes": 1}


def test_who_may_not_see_logins_sees_no_bars_of_them(enter: Any) -> None:
    enter()
    assert "successes" not in totals(Overview.now(sees_logins=False))


@pytest.mark.usefixtures("clock")
def test_entries_come_first_and_then_what_goes_on(db: None) -> None:
    now = timezone.now()

    def incident(kind: str, **fields: Any) -> None:
        Incident.objects.create(kind=kind, started_at=now, **{"last_seen_at": now, **fields})

    incident("spraying", over_at=now)
    incident("dictionary", last_seen_at=now - timedelta(hours=1))
    incident("stuffing", entered=1, over_at=now, last_seen_at=now - timedelta(days=1))
    incident("distributed", state="closed")
    kinds = [one.kind for one in Overview.now().incidents]
    assert kinds == ["stuffing", "dictionary", "spraying"]


# -- Series -------------------------------------------------------------------------------------


def test_what_is_over_is_counted_once(fail: Any, clock: Any) -> None:
    fail(ago=2 * QUARTER)
    fail()
    last = series.this_quarter()
    assert series.failures(last)[-3:] == [1, 0, 1]
    fail(ago=2 * QUARTER)
    fail()
    assert series.failures(last)[-3:] == [1, 0, 2]


def test_a_week_before(fail: Any, clock: Any) -> None:
    fail(ago=7 * 24 * 3600)
    assert series.failures(series.this_quarter() - series.WEEK)[-1] == 1


@pytest.mark.parametrize("value", ["x", [1], ["x"] * 96, None])
def test_whatever_is_in_the_store_is_survived(fail: Any, clock: Any, value: Any) -> None:
    fail(ago=2 * QUARTER)
    last = series.this_quarter()
    series.failures(last)
    day = last // series.DAY
    store.set_many(dict.fromkeys(_keys(day), value), 60)
    assert series.failures(last)[-3] == 1


def _keys(day: int) -> list[str]:
    prefix = f"lockout_admin:{{quarters:{Subject.of('').key:x}}}:failures"
    return [f"{prefix}:{one}" for one in (day - 1, day)]


def test_moments_without_a_zone(settings: Any) -> None:
    settings.USE_TZ = False
    start, end = series.edges_of(series.this_quarter())
    assert start.tzinfo is None
    assert start <= timezone.now() < end


def test_bars_are_piled() -> None:
    start = timezone.now()
    rows = [Row("failures", "", [1, 0]), Row("refused", "", [3, 0])]
    found = Picture.of([start, start], rows, before=[0, 4])
    assert [(bar.name, bar.y, bar.height) for bar in found.bars] == [
        ("failures", HEIGHT * 3 // 4, HEIGHT // 4),
        ("refused", 0, HEIGHT * 3 // 4),
    ]
    assert found.line == f"180,{HEIGHT} 540,0"
    assert [one.counts for one in found.slices] == [(1, 3)]


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(), ("2026-11-28 22:41:07",)),
        (timedelta(seconds=20), ("2026-11-28 22:41:07", "2026-11-28 22:41:47")),
        (timedelta(minutes=1), ("2026-11-28 22:41", "2026-11-28 22:43")),
    ],
)
def test_the_ends_of_a_picture_differ(length: timedelta, told: tuple[str, ...]) -> None:
    start = datetime(2026, 11, 28, 22, 41, 7)
    found = Picture.of([start, start + length], [Row("failures", "", [1, 0])])
    assert found.told == told


def test_a_sparkline() -> None:
    assert spark([0, 1, 2]) == [(4, 10, 10), (8, 0, 20)]


# -- Health -------------------------------------------------------------------------------------

WELL = {"CACHE": "default", "TRUSTED_PROXIES": 0, "BASE_URL": "https://shop.example"}


def states() -> dict[str, State]:
    return {one.part: one.state for one in health.findings()}


def bad() -> dict[str, str]:
    found = [one for one in health.findings() if one.state is not State.OK]
    assert all(one.remedy and one.name in ("look", "bad") for one in found)
    return {one.part: one.said for one in found}


@pytest.fixture(autouse=True)
def _well(settings: Any) -> None:
    settings.LOCKOUT_ADMIN = WELL


def test_all_is_well(db: None) -> None:
    assert set(states().values()) == {State.OK}
    assert bad() == {}


def test_the_store_is_in_the_database(db: None, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**WELL, "CACHE": None}
    assert states()["store"] is State.OK


def test_no_store_answers(db: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(Store, "get_many", lambda self, keys: None)
    monkeypatch.setattr("lockout_admin.engine.strays.find", list)
    assert bad() == {"store": "No store answers."}


def test_a_cache_is_down(db: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(Breaker, "allows", lambda self: True)
    store.get_many(["x"])
    breaker = store._caches["default"].breaker
    assert breaker
    monkeypatch.setattr(breaker, "is_open", True)
    assert "does not answer" in bad()["cache"]


@pytest.mark.parametrize(
    ("own", "part"),
    [
        ({"TRUSTED_PROXIES": None}, "proxy"),
        ({"BASE_URL": ""}, "mail"),
        ({"MODE": "monitor"}, "policy"),
        ({"RULES": {"network": {"mode": "monitor"}}}, "policy"),
    ],
)
def test_what_the_site_has_to_say(db: None, settings: Any, own: Any, part: str) -> None:
    settings.LOCKOUT_ADMIN = {**WELL, **own}
    assert list(bad()) == [part]


def test_nobody_prunes(fail: Any) -> None:
    fail(ago=181 * 24 * 3600)
    assert bad() == {}
    fail(ago=183 * 24 * 3600)
    assert "older than the 180 days" in bad()["retention"]


@pytest.mark.parametrize(("kind", "remedy"), [("task", "workers"), ("thread", "lockout_notify")])
def test_mails_wait(db: None, monkeypatch: Any, kind: str, remedy: str) -> None:
    monkeypatch.setattr("lockout_admin.notifications.running.kind", lambda: kind)
    due = timezone.now() - timedelta(minutes=16)
    Outbox.objects.create(kind="locked", subject=1, notifier=NOTIFY, due=due)
    (found,) = [one for one in health.findings() if one.state is State.BAD]
    assert found.said == "1 mail waits."
    assert remedy in found.remedy


def test_mails_are_lost(db: None) -> None:
    Outbox.objects.create(kind="locked", subject=1, notifier=NOTIFY, state="dropped", why="failed")
    assert bad() == {"mail": "1 mail could not be delivered today."}


def test_a_path_is_not_guarded(db: None, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [
        "lockout_admin.backends.LockoutBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]
    assert "1 unguarded login path" in bad()["paths"]


def test_only_the_store_knows_a_lock(lock: Any) -> None:
    lock()
    AccountLock.objects.all().delete()
    assert bad() == {"locks": "1 lock is known to the store alone."}


# -- On the pages -------------------------------------------------------------------------------


@pytest.fixture
def incident(db: None) -> Incident:
    now = timezone.now()
    found = {"kind": "spraying", "about": "192.0.2.0/24", "names": 195, "entered": 2}
    return Incident.objects.create(started_at=now, last_seen_at=now, **found)


def test_the_panel(staff: Any, fail: Any, lock: Any, incident: Incident) -> None:
    lock()
    fail("bob", ip_address="2001:db8::1")
    page = unescape(staff("security").get(INDEX).content.decode())
    for text in (
        "Under attack",
        "195 names",
        "2 entered",
        f"/incident/{incident.pk}/change/",
        "1 by rule, 0 by hand",
        "Health",
        "1 name · 1 failure",
        "lockout-chart-failures",
    ):
        assert text in page, text


def test_one_line_on_the_first_page(staff: Any, incident: Incident) -> None:
    page = staff("security").get("/admin/").content.decode()
    assert f"/incident/{incident.pk}/change/" in page
    Incident.objects.create(kind="stuffing", started_at=timezone.now(), last_seen_at=timezone.now())
    Incident.objects.update(over_at=timezone.now())
    page = staff("root").get("/admin/").content.decode()
    assert "and 1 more incident" in page
    assert "Incident, over by now" in page


def test_a_quiet_panel(staff: Any) -> None:
    page = staff("security").get(INDEX).content.decode()
    assert "No open incident." in page
    assert "Under attack" not in page


def test_who_may_not_know_sees_no_figures(staff: Any, fail: Any, incident: Incident) -> None:
    stranger = staff("stranger")
    assert "Under attack" not in stranger.get("/admin/").content.decode()
    answer = stranger.get(INDEX)
    assert answer.status_code in {403, 404} or "Locks now" not in answer.content.decode()
    browser = staff("analyst")
    assert "Under attack" not in browser.get(INDEX).content.decode()
    user = get_user_model().objects.get(username="analyst")
    user.user_permissions.set(Permission.objects.filter(codename="view_incident"))
    page = browser.get(INDEX).content.decode()
    assert "Under attack" in page
    assert "Locks now" not in page
    assert "2 entered" not in page
