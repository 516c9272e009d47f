"""The first look."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from lockout_admin.evidence.overview import Overview

INDEX = "/admin/lockout_admin/"
DAY = 24 * 3600


def test_a_quiet_hour(db: None) -> None:
    assert Overview.now() == Overview(locks=0, failures=0, usual=0, source=None)


def test_the_figures(fail: Any, lock: Any) -> None:
    lock()
    for number in range(3):
        fail(f"name{number}")
    fail(ip_address="2001:db8::1")
    fail(ip_address=None)
    fail(ago=3700)
    for day in range(1, 8):
        fail(ago=day * DAY + 60)
    assert Overview.now() == Overview(locks=1, failures=5, usual=1, source=("203.0.113.7", 3))


def test_the_usual_is_remembered(fail: Any) -> None:
    Overview.now()
    fail(ago=DAY + 60)
    assert Overview.now().usual == 0


@pytest.mark.parametrize(
    ("failures", "usual", "alarming"),
    [(19, 0, False), (20, 0, True), (60, 20, False), (61, 20, True)],
)
def test_alarm(failures: int, usual: float, alarming: bool) -> None:
    assert Overview(0, failures, usual, None).alarming == alarming


def test_the_panel(staff: Any, fail: Any, lock: Any) -> None:
    lock()
    for number in range(25):
        fail(f"name{number}", ip_address="2001:db8::1")
    page = unescape(staff("analyst").get(INDEX).content.decode())
    for text in (
        "?time=1h&net=2001%3Adb8%3A%3A1",
        "25 failures",
        "Far more than usual",
        "usual at this hour: 0",
    ):
        assert text in page


def test_a_quiet_panel(staff: Any) -> None:
    page = staff("analyst").get(INDEX).content.decode()
    assert "Top source" in page
    assert "Far more" not in page


def test_who_may_not_know_sees_no_figures(staff: Any, fail: Any) -> None:
    assert "Top source" not in staff("support").get("/admin/").content.decode()
    answer = staff("stranger").get(INDEX)
    assert answer.status_code in {403, 404} or "Top source" not in answer.content.decode()
