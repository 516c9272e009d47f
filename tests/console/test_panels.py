"""Above a list: the picture of its range, and what its filters come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.db.models import F, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from freezegun import freeze_time

from lockout_admin.engine.store import store
from lockout_admin.evidence import bars, loudness, summaries
from lockout_admin.evidence.histograms import MOST, Histogram, edges_of
from lockout_admin.evidence.loudness import Loudness
from lockout_admin.evidence.slices import at_most, count_slices
from lockout_admin.identity.subject import Subject
from lockout_admin.models import AccountLock, FailedLogin, SuccessfulLogin
from lockout_admin.models.lookups import StartsWith

from .conftest import list_url, names

FAILURES, SUCCESSES = list_url("failedlogin"), list_url("successfullogin")
ACTIVE = list_url("activelock")
ALL = ("failures", "refused", "successes")
DAY = 86_400
NOON = "2026-03-10 12:30:00"


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with freeze_time(NOON):
        yield


@pytest.fixture
def olga(staff: Any) -> Client:
    browser: Client = staff("security")
    SuccessfulLogin.objects.all().delete()  # of her own
    return browser


def picture(browser: Client, url: str) -> Any:
    return browser.get(url).context["picture"]


def counts(shown: Any) -> list[tuple[int, ...]]:
    return [bar.counts for bar in shown.loudness.histogram.bars if bar.total]


# -- The picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reach", "bars", "step"),
    [
        (timedelta(minutes=15), 4, timedelta(minutes=5)),
        (timedelta(days=1), 25, timedelta(hours=1)),
        (timedelta(days=7), 8, timedelta(days=1)),
        (timedelta(days=90), 91, timedelta(days=1)),
        (timedelta(days=400), 58, timedelta(days=7)),
        (timedelta(days=9000), 26, timedelta(days=365)),
    ],
)
def test_bars_are_hours_or_days_and_never_too_many(
    reach: timedelta, bars: int, step: timedelta
) -> None:
    end = datetime(2026, 3, 10, 12, 31, tzinfo=UTC)
    edges = edges_of(end - reach, end)
    assert edges[0] <= end - reach
    assert edges[-1] >= end
    assert abs(len(edges) - 1 - bars) <= 1
    assert len(edges) <= MOST + 2
    assert (edges[1] - edges[0]) == step


def test_a_day_is_a_day_where_clocks_are_set() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with timezone.override(berlin):
        edges = edges_of(
            datetime(2026, 3, 27, 15, tzinfo=berlin), datetime(2026, 4, 3, 15, tzinfo=berlin)
        )
    assert {edge.astimezone(berlin).hour for edge in edges} == {0}
    lengths = [high.astimezone(UTC) - low.astimezone(UTC) for low, high in pairwise(edges)]
    assert sorted(set(lengths)) == [timedelta(hours=23), timedelta(hours=24)]


def test_naive_moments_stay_naive() -> None:
    edges = edges_of(datetime(2026, 3, 1, 5), datetime(2026, 3, 9, 5))
    assert edges[0] == datetime(2026, 3, 1)


def test_what_is_rare_beside_the_rest_is_seen() -> None:
    start = datetime(2026, 3, 10, tzinfo=UTC)
    edges = [start, start + timedelta(hours=1)]
    events = {"failures": [(start, 1)], "successes": [(start, 100_000)]}
    (bar,) = Histogram.of(edges, events).bars
    assert [(part.kind, part.height >= 1) for part in bar.parts] == [
        ("failures", True),
        ("successes", True),
    ]
    assert all(part.y >= 0 for part in bar.parts)


def test_what_is_out_of_the_range_is_left_out() -> None:
    start = datetime(2026, 3, 10, tzinfo=UTC)
    edges = [start, start + timedelta(hours=1)]
    shown = Histogram.of(edges, {"failures": [(start - timedelta(1), 1), (edges[-1], 1)]})
    assert shown.highest == 0


def test_failures_refusals_and_successes_are_stacked(
    olga: Client, fail: Any, enter: Any, lock: Any
) -> None:
    for ago in (60, 120, 2 * DAY):
        fail(ago=ago)
    enter(ago=90)
    enter(ago=91, event="logout")
    AccountLock.objects.filter(pk=lock().pk).update(refused=7, settled=True)
    assert counts(picture(olga, FAILURES)) == [(2, 7, 1)]
    assert counts(picture(olga, f"{FAILURES}?time=7d")) == [(1, 0, 0), (2, 7, 1)]
    assert counts(picture(olga, list_url("activelock"))) == [(1, 0, 0), (2, 7, 1)]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("username=alice", [(1, 3, 1)]),
        ("username=bob", [(1, 0, 0)]),
        ("net=10.0.0.0/8", [(1, 0, 0)]),
        ("agent=Firefox", [(2, 0, 1)]),
        ("username=carol", None),
        ("net=nonsense", None),
    ],
)
def test_the_picture_is_of_what_the_filters_select(
    olga: Client, fail: Any, enter: Any, lock: Any, query: str, shown: Any
) -> None:
    fail("alice", ago=60)
    fail("bob", ago=60, ip_address="10.1.2.3")
    enter("alice", ago=60)
    AccountLock.objects.filter(pk=lock("alice").pk).update(refused=3)
    found = picture(olga, f"{FAILURES}?{query}")
    assert (found and counts(found)) == shown


@pytest.mark.parametrize(
    ("which", "query", "shown"),
    [
        (FAILURES, "q=alice", [(1, 3, 1)]),
        (FAILURES, "q=+ALICE+", [(1, 3, 1)]),
        (FAILURES, "q=al", [(1, 3, 1)]),
        (FAILURES, "q=10.0.0.0/8", [(1, 0, 0)]),
        (FAILURES, "q=carol", None),
        (FAILURES, "q=alice%00", None),
        (FAILURES, "q=" + "a" * 300, None),
        (FAILURES, "q=al&net=10.0.0.0/8", None),
        (FAILURES, "q=&account=", [(2, 3, 1)]),
        (FAILURES, "time=24h&path=/sso/", [(1, 0, 0)]),
        (FAILURES, "time=24h&path=/sso/&q=alice", None),
        (FAILURES, "time=24h&account=yes", [(1, 0, 0)]),
        (FAILURES, "time=24h&outcome=nonsense", None),
        (SUCCESSES, "q=bo", [(1, 0, 0)]),
        (SUCCESSES, "event=login", [(0, 0, 1)]),
        (SUCCESSES, "event=logout", None),
        (ACTIVE, "q=al", [(1, 3, 1)]),
        (ACTIVE, "q=10.0.0.0/8", None),
        (ACTIVE, "by=staff", [(0, 3, 0)]),
        (ACTIVE, "by=nobody", None),
    ],
)
def test_the_picture_is_of_what_the_list_shows(
    olga: Client, fail: Any, enter: Any, lock: Any, alice: Any, which: str, query: str, shown: Any
) -> None:
    fail("alice", ago=60)
    fail("bob", ago=60, ip_address="10.1.2.3", path="/sso/")
    enter("alice", ago=60)
    one = lock("alice")
    AccountLock.objects.filter(pk=one.pk).update(refused=3, locked_by="staff")
    found = picture(olga, f"{which}?{query}")
    assert (found and counts(found)) == shown


def test_where_a_name_is_no_filter_of_visits_nothing_is_drawn() -> None:
    assert Loudness.of({"username": "x", "match": "contains", "time": "all"}, ALL) is None


def test_nobody_is_shown_a_kind_of_records_that_they_may_not_see(
    staff: Any, fail: Any, enter: Any, lock: Any
) -> None:
    fail()
    enter()
    AccountLock.objects.filter(pk=lock().pk).update(refused=3)
    sam = staff("support")
    sam_sees = set(picture(sam, list_url("activelock")).kinds)
    user = get_user_model().objects.get(username="support")
    assert sam_sees == {
        kind
        for kind, model in zip(ALL, ("failedlogin", "accountlock", "successfullogin"), strict=True)
        if user.has_perm(f"lockout_admin.view_{model}")
    }
    user.groups.clear()
    user.user_permissions.add(*_permissions("view_failedlogin"))
    assert picture(sam, FAILURES).kinds == ("failures",)
    page = sam.get(f"{FAILURES}?username=alice").content.decode()
    assert "<dt>entered</dt>" not in page
    assert "<dt>refused</dt>" not in page


def _permissions(*codenames: str) -> Any:
    return Permission.objects.filter(codename__in=codenames)


def test_each_bar_leads_to_its_time(olga: Client, fail: Any) -> None:
    fail("early", ago=5 * 3600)
    fail("late", ago=60)
    page = olga.get(FAILURES).content.decode()
    links = re.findall(r'<a href="(\?[^"]+)" data-start', page)
    found = [names(olga.get(FAILURES + url.replace("&amp;", "&"))) for url in links]
    assert [found for found in found if found] == [["early"], ["late"]]


def test_a_list_of_any_time_says_which_days_are_drawn(olga: Client, fail: Any) -> None:
    fail("alice")
    said = "the last 30 days"
    assert said in olga.get(list_url("failedlogin", "?time=all")).content.decode()
    assert said not in olga.get(list_url("failedlogin", "?time=24h")).content.decode()


def test_the_picture_is_a_table_too(olga: Client, fail: Any) -> None:
    fail(ago=60)
    page = olga.get(FAILURES).content.decode()
    table = page.partition("<details><summary>As a table")[2].partition("</details>")[0]
    assert "2026-03-10 06:00:00 CST (UTC-06:00)" in table or "CDT" in table
    assert "<td>1</td><td>0</td><td>0</td>" in table
    assert "style=" not in page.partition("<figure")[2].partition("</figure>")[0]


def test_of_too_many_each_bar_is_counted_up_to_a_limit(
    olga: Client, fail: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(loudness, "FEW", 2)
    monkeypatch.setattr(bars, "CAP", 2)
    for ago in (60, 61, 62, 5 * 3600):
        fail(ago=ago)
    shown = picture(olga, FAILURES)
    assert counts(shown) == [(1, 0, 0), (2, 0, 0)]
    assert shown.loudness.is_capped
    assert "a bar is counted up to" in olga.get(FAILURES).content.decode()


def test_bars_that_are_over_are_counted_once_a_day(
    olga: Client, fail: Any, enter: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(loudness, "FEW", 2)
    for ago in (60, 2 * 3600, 2 * 3600, 23 * 3600 + 1900):
        fail(ago=ago)
        enter(ago=ago)
    first = counts(picture(olga, FAILURES))
    # The bars of now and of the start of the range: more comes, and a part of it is left out.
    assert first == [(1, 0, 1), (2, 0, 2), (1, 0, 1)]
    FailedLogin.objects.all().delete()
    for ago in (30, 40, 50):
        fail(ago=ago)
    assert counts(picture(olga, FAILURES)) == [(0, 0, 1), (2, 0, 2), (3, 0, 1)]
    # What is learned later keeps nothing of before: tomorrow all of it is counted anew.
    with freeze_time(datetime(2026, 3, 10, 20, 0, tzinfo=UTC)):
        assert (2, 0, 2) in counts(picture(olga, FAILURES))
    with freeze_time(datetime(2026, 3, 11, 8, 0, tzinfo=UTC)):
        assert (0, 0, 2) in counts(picture(olga, FAILURES))
    with freeze_time(datetime(2026, 3, 11, 12, 31, tzinfo=UTC)):
        fail(ago=10)
        # After a day nothing is remembered.
        week = f"{FAILURES}?time=7d"
        assert sum(one[0] for one in counts(picture(olga, week))) == 4


@pytest.mark.parametrize(
    "odd", [7, [1, 2], [1, 2, "3"], [1, 2, True], [1773144000, 1773147600, -7], {}, "x"]
)
def test_bars_are_counted_whatever_the_store_has_of_them(
    olga: Client, fail: Any, monkeypatch: Any, odd: Any
) -> None:
    monkeypatch.setattr(loudness, "FEW", 2)
    monkeypatch.setattr(store, "get_many", lambda keys: dict.fromkeys(keys, odd))
    for ago in (60, 61, 62, 5 * 3600):
        fail(ago=ago)
    assert counts(picture(olga, FAILURES)) == [(1, 0, 0), (3, 0, 0)]


@pytest.mark.parametrize("few", [0, 1000])
def test_an_hour_that_clocks_leave_out_has_no_bars(fail: Any, monkeypatch: Any, few: int) -> None:
    monkeypatch.setattr(loudness, "FEW", few)
    night = {"after": "2026-03-29T00:30", "before": "2026-03-29T05:00"}
    with freeze_time("2026-03-29 12:00:00"), timezone.override(ZoneInfo("Europe/Berlin")):
        for second in range(4):
            moment = datetime(2026, 3, 29, 1, 2, second, tzinfo=UTC)
            FailedLogin.objects.filter(pk=fail().pk).update(timestamp=moment)
        shown = Loudness.of(night, ["failures"])
    assert shown is not None
    found = [(bar.start.isoformat(), bar.total) for bar in shown.histogram.bars if bar.total]
    assert found == [("2026-03-29T03:00:00+02:00", 4)]


def test_a_part_of_a_bar_is_never_remembered_as_all_of_it(fail: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(loudness, "FEW", 0)
    edge = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    read = loudness._READ["failures"]
    with freeze_time(edge + timedelta(hours=1) - timedelta(milliseconds=10)) as clock:
        for seconds in (0.5, 100):
            moment = edge + timedelta(seconds=seconds)
            FailedLogin.objects.filter(pk=fail().pk).update(timestamp=moment)

        def late(*args: Any) -> Any:
            clock.tick(timedelta(seconds=2))  # what was counted before took so long
            return read(*args)

        monkeypatch.setitem(loudness._READ, "failures", late)
        Loudness.of({"time": "1h"}, ["failures"])
        clock.tick(timedelta(minutes=10))
        hour = {"after": "2026-03-10T12:00+00:00", "before": "2026-03-10T13:00+00:00"}
        shown = Loudness.of(hour, ["failures"])
    assert shown is not None
    assert sum(bar.total for bar in shown.histogram.bars) == 2


def test_many_ends_of_logins_are_no_logins(enter: Any, monkeypatch: Any, db: None) -> None:
    monkeypatch.setattr(loudness, "FEW", 0)
    monkeypatch.setattr(bars, "CAP", 5)
    for number in range(2):
        enter(ago=3 * 3600 + number)
    for number in range(7):
        enter(ago=3 * 3600 + number, event=SuccessfulLogin.Event.LOGOUT)
    shown = Loudness.of({"time": "24h"}, ["successes"])
    assert shown is not None
    assert [bar.total for bar in shown.histogram.bars if bar.total] == [2]


@pytest.mark.parametrize("odd", [10**30, -(10**30), True, -5, "x"])
def test_the_newest_are_found_whatever_the_store_has_of_them(
    olga: Client, fail: Any, monkeypatch: Any, odd: Any
) -> None:
    fail()
    read = store.get_many

    def garbled(keys: Any) -> Any:
        return {key: odd for key in keys if "newest" in key} or read(keys)

    monkeypatch.setattr(store, "get_many", garbled)
    assert counts(picture(olga, f"{FAILURES}?net=203.0.113.0/24")) == [(1, 0, 0)]


def test_of_too_many_of_a_name_the_newest_are_shown_and_it_is_said(
    olga: Client, fail: Any, lock: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(loudness, "SAMPLE", 2)
    for ago in (60, 61, 62, 5 * 3600):
        fail(ago=ago)
    page = olga.get(f"{FAILURES}?username=alice")
    assert counts(page.context["picture"]) == [(3, 0, 0)]
    assert "the newest are shown" in page.content.decode()
    for number in range(3):
        AccountLock.objects.filter(pk=lock(f"n{number}").pk).update(refused=1)
    assert picture(olga, FAILURES).loudness.since is not None


@pytest.mark.parametrize(
    ("which", "query"),
    [(FAILURES, "time=24h&path=/"), (SUCCESSES, "event=login"), (ACTIVE, "reason=limit")],
)
def test_of_too_many_that_a_filter_of_one_kind_selects_likewise(
    olga: Client, fail: Any, enter: Any, lock: Any, monkeypatch: Any, which: str, query: str
) -> None:
    monkeypatch.setattr(loudness, "SAMPLE", 2)
    for number, ago in enumerate((60, 61, 62, 5 * 3600)):
        fail(ago=ago)
        enter(ago=ago)
        AccountLock.objects.filter(pk=lock(f"n{number}").pk).update(
            refused=1, started_at=timezone.now() - timedelta(seconds=ago)
        )
    shown = picture(olga, f"{which}?{query}")
    assert shown.loudness.since is not None
    assert [sum(bar) for bar in counts(shown)] == [3]


@pytest.mark.parametrize("query", ["net=203.0.113.0/24", "username=al&match=prefix", "q=al"])
def test_the_newest_of_much_are_looked_for_among_the_newest_of_all_first(
    olga: Client, fail: Any, monkeypatch: Any, query: str
) -> None:
    monkeypatch.setattr(loudness, "SAMPLE", 2)
    monkeypatch.setattr(loudness, "_SPARSEST", 2)
    for ago in (60, 61, 62, 63, 3600, 7200, 10_800, 14_400):
        fail(ago=ago)
    everything = counts(picture(olga, f"{FAILURES}?{query}"))
    assert everything == [(3, 0, 0)]
    # Where the newest are others, they are looked for behind them.
    for ago in range(1, 20):
        fail("bob", ago=ago, ip_address="198.51.100.1")
    cache.clear()  # where the newest begin is remembered for a minute
    assert counts(picture(olga, f"{FAILURES}?{query}")) == everything


@pytest.mark.parametrize("order", [(), ("-timestamp", "-id"), ("timestamp",), ("ip_address",)])
def test_counting_ends_at_a_limit_in_each_order(fail: Any, order: tuple[str, ...]) -> None:
    rows = FailedLogin.objects.order_by(*order)
    assert at_most(rows, 2) == 0
    for _ in range(3):
        fail()
    assert (at_most(rows, 2), at_most(rows, 9)) == (2, 3)


@pytest.mark.parametrize(("most", "counted"), [(2, 2), (3, 3), (4, 4), (9, 5)])
def test_what_one_of_two_conditions_selects_may_be_enough(
    fail: Any, most: int, counted: int
) -> None:
    for name, times in {"alice": 3, "alicia": 2, "bob": 4}.items():
        for _ in range(times):
            fail(name)
    searched = Q(subject__in=Subject.of("alice").keys) | Q(StartsWith(F("username"), "ali"))
    rows = FailedLogin.objects.filter(timestamp__gt=timezone.now() - timedelta(days=1))
    with CaptureQueriesContext(connection) as asked:
        assert at_most(rows.filter(searched).order_by("-timestamp"), most) == counted
    assert len(asked) == {2: 1, 3: 1, 4: 2, 9: 3}[most]
    assert not any(" OR " in one["sql"] for one in asked.captured_queries[:2])


# -- What the filters come to ---------------------------------------------------------------------


def strip(browser: Client, url: str) -> Any:
    return browser.get(url).context["strip"]


def test_a_filtered_list_says_what_it_comes_to(
    olga: Client, fail: Any, enter: Any, lock: Any
) -> None:
    get_user_model().objects.create_user("alice")
    for username, address in (("alice", "10.0.0.1"), ("ALICE", "10.0.0.2"), ("zoe", "10.0.1.1")):
        fail(username, ip_address=address, ago=60)
    fail("zoe", ip_address="2001:db8::1", agent="", ago=7200)
    enter(ago=90)
    enter("zoe", ago=100)
    AccountLock.objects.filter(pk=lock().pk).update(refused=7, settled=True)
    shown = strip(olga, f"{FAILURES}?net=10.0.0.0/8,2001:db8::/32")
    summary = shown.summary
    assert (summary.rows, summary.names, summary.existing, summary.networks) == (4, 2, 1, 3)
    assert summary.top_networks[0] == ("10.0.0.0/24", 2)
    assert (summary.last - summary.first).total_seconds() == 7140
    assert [count for _text, count in summary.top_agents] == [3]
    assert summary.refused == 7
    assert summary.entered == 0
    page = olga.get(f"{FAILURES}?net=10.0.0.0/8").content.decode()
    assert "Firefox 145 on Linux" in page or "Firefox on Linux" in page
    assert "1 exist" in page


def test_who_entered_from_these_addresses_is_counted(olga: Client, fail: Any, enter: Any) -> None:
    fail("alice", ago=120)
    enter("zoe", ago=90)
    enter("zoe", ago=80, event="logout")
    fail("alice", ago=60)
    assert strip(olga, f"{FAILURES}?username=alice").summary.entered == 1
    # Of everybody, honest people are most of it.
    assert strip(olga, f"{FAILURES}?time=7d").summary.entered is None
    assert strip(olga, f"{SUCCESSES}?username=zoe").summary.entered is None


@pytest.mark.parametrize("query", ["", "?username=bob", "?net=nonsense"])
def test_without_rows_or_filters_there_is_nothing_to_say(
    olga: Client, fail: Any, query: str
) -> None:
    fail()
    assert strip(olga, FAILURES + query) is None


def test_a_sample_is_said_to_be_one(olga: Client, fail: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(loudness, "SAMPLE", 2)
    for number in range(3):
        fail(f"name{number}", ago=number)
    page = olga.get(f"{FAILURES}?time=7d")
    assert page.context["strip"].summary.rows == 2
    assert "the newest 2" in page.content.decode()


def test_the_newest_are_taken_in_whatever_order_they_are_shown(
    olga: Client, fail: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(loudness, "SAMPLE", 1)
    fail("old", ago=3600)
    fail("new", ip_address="10.0.0.1")
    shown = strip(olga, f"{FAILURES}?time=7d&o=-4").summary
    assert shown.last == timezone.now()


def test_agents_that_are_gone_are_left_out(olga: Client, fail: Any) -> None:
    row = fail()
    row.user_agent.delete()
    assert strip(olga, f"{FAILURES}?time=7d").summary.top_agents == ()


def test_names_beyond_the_limit_are_not_compared(olga: Client, fail: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(summaries, "MOST_NAMES", 1)
    for name in ("a", "b"):
        get_user_model().objects.create_user(name)
        fail(name)
    assert strip(olga, f"{FAILURES}?time=7d").summary.existing == 1


@pytest.mark.parametrize(
    ("sparsest", "order"), [(2, ""), (2, "&o=1"), (2, "&o=-4"), (1, ""), (1, "&o=1")]
)
def test_the_newest_of_many_are_found_in_an_index(
    olga: Client, fail: Any, monkeypatch: Any, sparsest: int, order: str
) -> None:
    monkeypatch.setattr("lockout_admin.admin.paging.CAP", 4)
    monkeypatch.setattr("lockout_admin.admin.paging._SPARSEST", sparsest)
    monkeypatch.setattr(loudness, "SAMPLE", 3)
    for number in range(12):
        fail("bot" if number % 2 or number > 5 else "man", ago=number)
    summary = strip(olga, f"{FAILURES}?time=all&username=bot{order}").summary
    ago = [(timezone.now() - moment).total_seconds() for moment in (summary.last, summary.first)]
    assert (summary.rows, ago) == (3, [1, 5])


def test_what_nothing_passes_has_no_rows_in_any_slice(db: None) -> None:
    now = timezone.now()
    edges = [(now, now), (now - timedelta(days=1), now)]
    assert count_slices(FailedLogin.objects.none(), "timestamp", edges, 5) == [0, 0]
