"""Owners of attacked names, and honest people beside an attack, over real HTTP."""

from __future__ import annotations

import asyncio
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from demo import rules
from demo.browser import Browser
from demo.management.commands import demo
from demo.neighbours import BEHIND, Neighbours, neighbours
from demo.owners import Owners
from demo.people import ALICE, ATTACKED, BESIDE
from demo.tally import Answer
from demo.target import Site
from lockout_admin.engine.ruleset import rules_in_force
from lockout_admin.notifications import links, sender

pytestmark = pytest.mark.usefixtures("site", "people")


@pytest.fixture
def server(live_server: LiveServer) -> Site:
    return Site(live_server.url, live_server.url.removeprefix("http://"))


@pytest.fixture
def post(settings: Any, tmp_path: Path, live_server: LiveServer) -> None:
    """Mails that are read in the browser."""
    settings.DATA_DIR = tmp_path
    settings.DEBUG = True
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "BASE_URL": live_server.url}
    backend = "demo.postbox.EmailBackend"
    is_new = hasattr(mail, "mailers")
    mailers = ("MAILERS", {"default": {"BACKEND": backend}})
    setattr(settings, *(mailers if is_new else ("EMAIL_BACKEND", backend)))


async def send() -> None:
    """Send what is due, as a thread of the site does."""
    await sync_to_async(sender.send_due)()


async def never() -> None:
    """Let no mail come."""


async def fail(site: Site, times: int, address: str = "203.0.113.9") -> None:
    async with Browser(site, address) as stranger:
        for number in range(times):
            await stranger.log_in(ALICE, f"wrong {number}")


async def siege(owners: Owners, site: Site) -> list[str]:
    await owners.come_before(site)
    await fail(site, 4)
    return await owners.lines_after()


def told(owners: Owners, site: Site) -> str:
    (line,) = asyncio.run(siege(owners, site))
    return line


@pytest.mark.usefixtures("post")
def test_an_owner_whose_name_is_locked_gets_in_with_a_mail(server: Site) -> None:
    line = told(Owners([ALICE], send), server)
    assert (
        line == "Owners who get in: 1 of 1 in their own browser, 0 in a new one, 1 more with a mail"
    )


@pytest.mark.usefixtures("post")
def test_a_mail_that_never_comes_lets_nobody_in(server: Site) -> None:
    assert told(Owners([ALICE], never), server).endswith("0 in a new one, 0 more with a mail")


@pytest.mark.usefixtures("post")
def test_a_link_of_an_earlier_siege_is_not_taken_for_the_new_one(server: Site) -> None:
    told(Owners([ALICE], send), server)  # its link is used up
    assert told(Owners([ALICE], send), server).endswith("1 more with a mail")


def test_a_site_that_sends_no_mail_lets_nobody_in_by_mail(server: Site) -> None:
    assert told(Owners([ALICE]), server).endswith("0 in a new one; no mail is sent")


def test_nobody_says_anything_where_no_name_has_an_owner(server: Site) -> None:
    owners = Owners([])
    assert asyncio.run(siege(owners, server)) == []


def test_nobody_says_anything_who_never_came(server: Site) -> None:
    assert asyncio.run(Owners([ALICE]).lines_after()) == []


def test_the_rule_of_old_alone_is_one_rule_and_neither_device_nor_mail(
    settings: Any, server: Site
) -> None:
    settings.LOCKOUT_ADMIN = {
        **settings.LOCKOUT_ADMIN,
        "BASE_URL": "http://x",
        **rules.of("account"),
    }
    assert [rule.name for rule in rules_in_force()] == ["account"]
    assert not links.ask_path()
    assert told(Owners([ALICE]), server).startswith("Owners who get in: 0 of 1 in their own")


def test_a_demo_is_started_with_the_rule_of_old_alone(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOCKOUT_ADMIN = dict(settings.LOCKOUT_ADMIN)
    monkeypatch.setattr(demo, "call_command", lambda *args, **kwargs: None)  # no seed, no server
    call_command(demo.Command(), "--no-serve", "--rules=account", stdout=StringIO())
    assert [rule.name for rule in rules_in_force()] == ["account"]


def test_other_rules_are_those_of_the_site() -> None:
    assert rules.of("") == {}


@pytest.mark.parametrize("is_behind", [False, True])
def test_as_many_come_in_a_known_browser_as_in_a_new_one(
    is_behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.neighbours.BESIDE", BESIDE)
    found = [one for one in neighbours("203.0.113.66") if one.is_behind is is_behind]
    assert [len(found), sum(one.is_known for one in found)] == [BEHIND, BEHIND // 2]
    assert {one.address == "203.0.113.66" for one in found} == {is_behind}
    assert 0 < sum(one.mistypes for one in found) < BEHIND / 2


async def attack(crowd: Neighbours, site: Site) -> None:
    await crowd.come_before(site)
    await crowd.come(0.5)
    async with Browser(site, crowd.attacker) as stranger:
        for person in ATTACKED:
            await stranger.log_in(person, "Summer2026!")
    await crowd.come(2)


def test_known_browsers_get_in_from_a_locked_network_and_new_ones_do_not(server: Site) -> None:
    crowd = Neighbours("203.0.113.66")
    asyncio.run(attack(crowd, server))
    # Half of them came before the network was locked.
    behind, elsewhere = crowd.lines()
    assert behind.endswith("address refused: 0 of 2 in a known browser, 1 of 2 in a new one")
    assert elsewhere.endswith("elsewhere refused: 0 of 2 in a known browser, 0 of 2 in a new one")


def test_who_gets_no_answer_was_not_there(unused_tcp_port: int) -> None:
    nowhere = Site(f"http://127.0.0.1:{unused_tcp_port}", "localhost")
    crowd = Neighbours("203.0.113.66", site=nowhere)
    asyncio.run(crowd.come(1))
    assert "0 of 0 in a known browser" in next(crowd.lines())


async def test_a_page_without_an_answer_is_empty(unused_tcp_port: int) -> None:
    async with Browser(Site(f"http://127.0.0.1:{unused_tcp_port}", "x"), "192.0.2.1") as browser:
        assert await browser.read("/mail/") == ""
        assert await browser.log_in(ALICE) is Answer.LOST
