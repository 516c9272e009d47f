"""Attacks stay on this machine and within their bounds, and are counted right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer

from demo.attacks import PLANS, Guess, owners_of
from demo.ledger import KINDS, Ledger
from demo.management.commands import attack
from demo.people import ALICE, ATTACKED, BARRED, BESIDE, CAROL, STAFF
from demo.records import OPEN_LOCKS
from demo.sender import Bounds, Sender
from demo.tally import Answer, Tally, percentile
from demo.target import Target, TargetError
from lockout_admin.identity.network import number_of
from lockout_admin.models import FailedLogin, Incident, SuccessfulLogin

#: Kinds of attack that come from one address.
ALONE = ("brute", "spray", "dictionary")

ELSEWHERE = [
    "http://192.0.2.1:8000",
    "http://0.0.0.0:8000",
    "http://[2001:db8::1]:8000",
    "http://10.0.0.1",
    "http://127.0.0.1.invalid",
    "http://127.0.0.1@192.0.2.1",
    "http://user@127.0.0.1",
    "https://127.0.0.1",
    "ftp://127.0.0.1",
    "http://127.0.0.1:99999",
    "http://[::1",
    "http://",
    "127.0.0.1:8000",
    "",
]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(attack.Command(), *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_target_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(TargetError):
        Target.of(url)


def test_a_name_that_leads_elsewhere_too_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (address, 80)) for address in ("127.0.0.1", "192.0.2.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(TargetError, match="not this machine"):
        Target.of("http://localhost")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://127.8.9.10", "http://[::1]"]
)
def test_a_target_on_this_machine_is_addressed_by_number(url: str) -> None:
    assert all("localhost" not in base for base in Target.of(url).base_urls())


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_is_the_same_each_time_and_never_ends(kind: str) -> None:
    guesses = list(islice(PLANS[kind]("alice"), 6000))
    assert len(guesses) == 6000
    assert guesses == list(islice(PLANS[kind]("alice"), 6000))


@pytest.mark.parametrize("kind", PLANS)
def test_no_plan_knows_the_passwords_of_staff(kind: str) -> None:
    known = {person.password for person in STAFF}
    assert not known & {guess.password for guess in islice(PLANS[kind]("admin"), 2000)}


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("brute", 500),
        ("distributed", 500),
        ("patient", 500),
        ("dictionary", 167),
        ("spray", 3),
        ("stuffing", 1),
        ("malice", 50),
    ],
)
def test_a_plan_tries_a_name_as_often_as_its_kind_does(kind: str, most: int) -> None:
    names = [guess.username for guess in islice(PLANS[kind]("alice"), 500)]
    assert max(map(names.count, names)) == most


@pytest.mark.parametrize("kind", PLANS)
def test_some_kinds_have_an_address_and_the_others_a_botnet(kind: str) -> None:
    addresses = {guess.forwarded_for for guess in islice(PLANS[kind]("alice"), 100)}
    assert (len(addresses) == 1) if kind in ALONE else (len(addresses) > 80)


@pytest.mark.parametrize("kind", PLANS)
def test_no_plan_names_those_who_log_in_beside_it(kind: str) -> None:
    names = {guess.username for guess in islice(PLANS[kind]("alice"), 2000)}
    assert not names & {person.username for person in BESIDE}


def test_patience_comes_from_a_new_address_each_time() -> None:
    addresses = [guess.forwarded_for for guess in islice(PLANS["patient"]("alice"), 5000)]
    assert len(set(addresses)) == 5000


@pytest.mark.parametrize(
    ("kind", "owners"),
    [
        ("brute", [ALICE]),
        ("distributed", [ALICE]),
        ("patient", [ALICE]),
        ("stuffing", [CAROL]),
        ("dictionary", [ATTACKED[0], ATTACKED[2], ATTACKED[3]]),
        ("spray", list(ATTACKED)),
        ("malice", list(ATTACKED)),
    ],
)
def test_the_owners_of_an_attack_are_those_of_its_names(kind: str, owners: list[Any]) -> None:
    assert owners_of(kind, "alice") == owners


def test_a_name_that_nobody_has_has_no_owner() -> None:
    assert owners_of("brute", "nobody") == []


def test_nobody_whom_an_attack_is_to_show_is_locked_by_hand() -> None:
    assert {username for username, *_ in OPEN_LOCKS} - {"test"} == BARRED
    assert not BARRED & {person.username for person in (*ATTACKED, *BESIDE)}


@pytest.mark.parametrize("option", ["rate", "attempts", "seconds", "connections", "days"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1000000", "many"])
def test_a_bound_out_of_bounds_is_refused(option: str, value: str) -> None:
    with pytest.raises(CommandError, match=f"--{option}"):
        run("brute", f"--{option}={value}")


def test_a_demo_that_does_not_run_is_told_with_the_remedy(unused_tcp_port: int) -> None:
    with pytest.raises(CommandError, match=r"manage\.py demo"):
        run("brute", "--url", f"http://127.0.0.1:{unused_tcp_port}")


def test_the_rules_of_a_server_are_chosen_where_it_is_started() -> None:
    with pytest.raises(CommandError, match=r"demo --rules account, or with RULES=account"):
        run("brute", "--rules=account")


@pytest.mark.usefixtures("site", "people")
@pytest.mark.parametrize("extra", [[], ["--api"]])
def test_an_attack_says_what_the_site_did(live_server: LiveServer, extra: list[str]) -> None:
    out = run(
        "brute", "--url", live_server.url, "--attempts=9", "--rate=1000", "--connections=1", *extra
    )
    assert "9 attempts in" in out
    assert "at most 4 (alice)" in out
    assert "First refusal after 4 attempts" in out


@pytest.mark.usefixtures("site", "people")
@pytest.mark.parametrize("extra", [[], ["--api"]])
def test_a_password_that_is_found_is_told(live_server: LiveServer, extra: list[str]) -> None:
    out = run(
        "stuffing",
        "--url",
        live_server.url,
        "--attempts=30",
        "--rate=1000",
        "--connections=1",
        *extra,
    )
    assert "Passwords found: carol" in out


@pytest.mark.usefixtures("site", "people")
@pytest.mark.parametrize("kind", KINDS)
def test_what_an_attacker_knows_is_what_the_site_records(
    live_server: LiveServer, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "knows.json"
    bounds = ["--attempts=60", "--rate=1000", "--connections=1"]
    out = run(kind, "--url", live_server.url, *bounds, "--knows", str(path))
    knows = json.loads(path.read_text())
    assert f"What the attacker knows: {KINDS[kind]}, {len(knows['names'])} names" in out
    assert knows["kind"] in Incident.Kind.values
    assert knows["evaluated"] + knows["refused"] + len(knows["entered"]) == 60
    rows = FailedLogin.objects.filter(username__in=knows["names"], device=None)
    numbers = [number_of(network) for network in knows["networks"]]
    assert rows.filter(network__in=numbers).count() == knows["evaluated"]
    came_in = SuccessfulLogin.objects.filter(network__in=numbers, username__in=knows["names"])
    assert set(came_in.values_list("username", flat=True)) == set(knows["entered"])
    assert datetime.fromisoformat(knows["started"]) <= datetime.fromisoformat(knows["ended"])


def test_an_attack_that_nobody_answered_knows_nothing() -> None:
    knows = Ledger("spray").as_dict()
    assert knows["names"] == knows["networks"] == knows["entered"] == []
    assert knows["started"] is knows["ended"] is None


def test_each_kind_of_incident_has_its_attack() -> None:
    assert set(KINDS.values()) == set(Incident.Kind.values)
    assert set(KINDS) == set(PLANS) - {"patient"}


def test_patience_writes_no_file() -> None:
    with pytest.raises(CommandError, match="leave --knows out"):
        run("patient", "--knows=knows.json")


@pytest.mark.usefixtures("site", "people")
def test_malice_says_which_owners_still_get_in(live_server: LiveServer) -> None:
    out = run("malice", "--url", live_server.url, "--attempts=60", "--rate=1000", "--connections=1")
    assert "Owners who get in: 10 of 10 in their own browser, 0 in a new one" in out


@pytest.mark.usefixtures("site", "people")
def test_an_attack_says_what_the_others_behind_its_address_feel(live_server: LiveServer) -> None:
    out = run("spray", "--url", live_server.url, "--attempts=20", "--rate=1000", "--connections=1")
    assert "People behind the attacker's address refused: 0 of 2 in a known browser, 1 of 2" in out
    assert "People elsewhere refused: 0 of 2 in a known browser, 0 of 2 in a new one" in out


@pytest.mark.usefixtures("site", "people")
def test_an_interrupted_attack_says_what_it_saw_so_far(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(username: str) -> Iterator[Guess]:
        yield from islice(PLANS["spray"](username), 3)
        raise KeyboardInterrupt

    monkeypatch.setitem(PLANS, "brute", interrupted)
    out = run("brute", "--url", live_server.url, "--rate=1000", "--connections=1")
    assert "Interrupted" in out
    assert "3 attempts in" in out


def test_an_attack_ends_when_its_time_is_up(live_server: LiveServer, site: None) -> None:
    tally = Tally()
    bounds = Bounds(rate=1000, attempts=100, seconds=0, connections=2)
    Sender(Target.of(live_server.url), bounds, False, tally, lambda tally: None).run(
        PLANS["brute"]("alice")
    )
    assert tally.attempts == 0


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Answer.EVALUATED),
        (401, Answer.EVALUATED),
        (302, Answer.LOGGED_IN),
        (429, Answer.REFUSED),
        (500, Answer.ERROR),
        (503, Answer.ERROR),
        (403, Answer.OTHER),
    ],
)
def test_a_status_is_counted_as_what_it_means(status: int, answer: Answer) -> None:
    assert Answer.of(status) is answer


def test_the_first_refusal_is_found_though_it_overtakes_others() -> None:
    tally = Tally()
    for number in (9, 4, 0):
        tally.add(number, "alice", Answer.REFUSED if number else Answer.EVALUATED, 0.1)
    assert "First refusal after 4 attempts" in list(tally.lines())


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (100, 100), (1, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert percentile(range(1, 101), percent) == value
