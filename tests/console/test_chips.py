"""Chips: each filter in force is said above the list, and can be taken away there."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from .conftest import list_url, names

FAILURES = list_url("failedlogin")


@pytest.fixture
def analyst(staff: Any) -> Client:
    browser: Client = staff("security")
    return browser


def chips(browser: Client, url: str) -> dict[str, str]:
    """Return the chips of a list in words, and where each leads."""
    shown = browser.get(url).context["chips"]
    return {f"{chip.label}: {chip.value}".removeprefix(": "): chip.url for chip in shown}


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("failedlogin", {"Last 24 hours": "?time=all"}),
        ("successfullogin", {"Last 24 hours": "?time=all"}),
        ("accountlock", {"Last 30 days": "?time=all"}),
        ("activelock", {}),
        ("networkrule", {}),
    ],
)
def test_a_range_that_nobody_asked_for_is_said(
    analyst: Client, model: str, shown: dict[str, str]
) -> None:
    assert chips(analyst, list_url(model)) == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (
            "time=7d&outcome=locked,counted&p=2",
            {
                "Last 7 days": "?outcome=locked%2Ccounted&time=all",
                "Outcome: led to a lock, counted": "?time=7d",
            },
        ),
        (
            "username=al&match=prefix&time=all",
            {"Username: begins with al": "?time=all"},
        ),
        ("match=prefix&time=all", {}),
        ("username=al&match=exact&time=all", {"Username: al": "?time=all"}),
        ("q=%3Cb%3E&time=all", {"Search: <b>": "?time=all"}),
        (
            "after=2026-01-01&before=2026-02-01",
            {"From: 2026-01-01": "?before=2026-02-01", "To: 2026-02-01": "?after=2026-01-01"},
        ),
        ("before=2026-02-01", {"To: 2026-02-01": "?time=all"}),
        ("net=nonsense&time=1h", {"Address or network: nonsense": "?time=1h",
                                  "Last hour": "?net=nonsense&time=all"}),
    ],
)  # fmt: skip
def test_each_filter_has_a_chip_that_takes_it_away(
    analyst: Client, query: str, shown: dict[str, str]
) -> None:
    assert chips(analyst, f"{FAILURES}?{query}") == shown


def test_without_the_range_all_is_shown(analyst: Client, fail: Any) -> None:
    fail("old", ago=40 * 86_400)
    fail("new")
    assert names(analyst.get(FAILURES)) == ["new"]
    (url,) = chips(analyst, FAILURES).values()
    assert names(analyst.get(FAILURES + url)) == ["new", "old"]


def test_what_strangers_typed_is_escaped_in_a_chip(analyst: Client) -> None:
    page = analyst.get(f'{FAILURES}?username=%3Cb%3E"').content.decode()
    chip = page.partition('<li class="lockout-chip">')[2].partition("</li>")[0]
    assert "<b>" not in chip
    assert 'Remove the filter <b>"' in unescape(chip)


def test_a_choice_that_is_none_is_told_as_it_came(analyst: Client) -> None:
    assert "State: gone" in chips(analyst, list_url("accountlock", "?state=gone"))
    assert "sometime" in chips(analyst, f"{FAILURES}?time=sometime")


@pytest.mark.parametrize(
    ("model", "query", "shown"),
    [
        ("trusteddevice", "", {}),
        ("trusteddevice", "?trusted=yes&q=bob", {"Trusted now: Yes": "?q=bob",
                                                 "Search: bob": "?trusted=yes"}),
        ("trusteddevice", "?trusted=x", {"Trusted now: x": "?"}),
        ("incident", "?state=open&kind=stuffing", {"Staff: open": "?kind=stuffing",
                                                   "Kind: stuffing": "?state=open"}),
        ("exemption", "?q=7", {}),
    ],
)  # fmt: skip
def test_lists_of_choices_have_chips(
    analyst: Client, model: str, query: str, shown: dict[str, str]
) -> None:
    assert chips(analyst, list_url(model, query)) == shown
    page = analyst.get(list_url(model, query)).content.decode()
    assert ("lockout-chip" in page) == bool(shown)
