"""``lockout_block``, ``lockout_allow`` and ``lockout_networks``."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import override_settings
from django.utils import timezone

from lockout_admin.defences import rulebook
from lockout_admin.models import AuditEntry, NetworkRule

pytestmark = pytest.mark.django_db


def run(name: str, *args: str, error: str = "") -> str:
    """Return what a command says; or what it complains about, where it must."""
    out, err = io.StringIO(), io.StringIO()
    if not error:
        call_command(name, *args, stdout=out, stderr=err)
        return out.getvalue() + err.getvalue()
    with pytest.raises(CommandError, match=error):
        call_command(name, *args, stdout=out, stderr=err)
    return err.getvalue()


def rules() -> list[tuple[str, str, str]]:
    return list(NetworkRule.objects.order_by("first", "id").values_list("cidr", "action", "reason"))


def deeds() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("actor", "action", "label"))


# -- One network --------------------------------------------------------------------------------


def test_blocking() -> None:
    said = run("lockout_block", "198.51.100.0/24", "2001:db8::7", "--reason", "Scanner")
    assert said == "Blocked 198.51.100.0/24 for ever.\nBlocked 2001:db8::7/128 for ever.\n"
    assert rules() == [
        ("198.51.100.0/24", "block", "Scanner"),
        ("2001:db8::7/128", "block", "Scanner"),
    ]
    who = "manage.py lockout_block"
    assert deeds() == [(who, "block", "198.51.100.0/24"), (who, "block", "2001:db8::7/128")]


def test_allowing() -> None:
    assert run("lockout_allow", "10.0.0.0/8") == "Allowed 10.0.0.0/8 for ever.\n"
    assert deeds() == [("manage.py lockout_allow", "allow", "10.0.0.0/8")]


@pytest.mark.parametrize(
    ("length", "seconds"),
    [("90s", 90), ("90m", 5400), ("12h", 43200), ("30d", 2592000), ("1w", 604800)],
)
def test_for_how_long(clock: Any, length: str, seconds: int) -> None:
    run("lockout_block", "198.51.100.0/24", "--for", length)
    assert NetworkRule.objects.get().until == timezone.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("until", "zone", "expected"),
    [
        ("2030-01-01", "UTC", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01", "Europe/Berlin", datetime(2029, 12, 31, 23, tzinfo=UTC)),
        ("2030-01-01T12:00+02:00", "UTC", datetime(2030, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_until_when(until: str, zone: str, expected: datetime) -> None:
    with override_settings(TIME_ZONE=zone):
        run("lockout_block", "198.51.100.0/24", "--until", until)
    assert NetworkRule.objects.get().until == expected


@pytest.mark.parametrize(
    "until", ["2030-01-01T12:00+02:00", "2030-01-01T10:00Z", "2030-01-01T05:00"]
)
def test_a_site_without_zones_understands_one(until: str) -> None:
    with override_settings(USE_TZ=False, TIME_ZONE="America/New_York"):
        run("lockout_block", "198.51.100.0/24", "--until", until)
        assert NetworkRule.objects.get().until == datetime(2030, 1, 1, 5)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--for", "soon"], "This is no time: --for soon"),
        (["--for", "30"], "This is no time: --for 30 "),
        (["--for", "0s"], "This moment is over"),
        (["--for", "999999999w"], "This is no time"),
        (["--for", "2600000d"], "This date is out of range."),
        (["--until", "soon"], "“soon” is no date."),
        (["--until", ""], "“” is no date."),
        (["--until", "2030-13-01"], "“2030-13-01” is no date."),
        (["--until", "2001-01-01"], "This moment is over"),
        (["--until", "9999-12-31T23:59:59"], "This date is out of range."),
        (["--until", "9999-12-31T23:59:59-12:00"], "This date is out of range."),
        (["--until", "0001-01-01T00:00:00+14:00"], "This date is out of range."),
    ],
)
def test_a_time_that_is_none_is_refused(args: list[str], error: str) -> None:
    run("lockout_block", "198.51.100.0/24", *args, error=error)
    assert rules() == []


@pytest.mark.parametrize(
    ("network", "error"),
    [
        ("everybody", "is no address and no network"),
        ("198.51.100.7/24", "Do you mean the network 198.51.100.0/24"),
    ],
)
def test_a_network_that_is_none_is_refused(network: str, error: str) -> None:
    run("lockout_block", "192.0.2.1", network, error=error)
    assert rules() == []


def test_blocking_anew_changes_the_rule() -> None:
    run("lockout_block", "198.51.100.0/24", "--for", "1d")
    assert "(changed)" in run("lockout_block", "198.51.100.0/24", "--reason", "Worse")
    assert rules() == [("198.51.100.0/24", "block", "Worse")]
    assert NetworkRule.objects.get().until is None
    assert [deed[1] for deed in deeds()] == ["block", "change"]


@pytest.mark.parametrize("network", ["0.0.0.0/0", "10.0.0.1", "::/0"])
def test_what_may_keep_everybody_out_is_said_first(network: str) -> None:
    assert network in run("lockout_block", network, error="add --anyway")
    run("lockout_block", network, "--anyway")
    assert len(rules()) == 1


def test_allowing_everybody_is_said_first() -> None:
    run("lockout_allow", "0.0.0.0/0", error="add --anyway")


def test_what_is_allowed_can_not_be_blocked() -> None:
    run("lockout_allow", "198.51.100.0/24")
    run("lockout_block", "198.51.100.0/24", "--anyway", error="is allowed, which is stronger")


def test_what_a_list_allows_can_be_blocked() -> None:
    NetworkRule.objects.create(cidr="198.51.100.0/24", action="allow", source="partners")
    run("lockout_block", "198.51.100.0/24")
    assert len(rules()) == 2


def test_ending_a_rule() -> None:
    run("lockout_block", "198.51.100.0/24")
    assert run("lockout_block", "198.51.100.0/24", "--end") == (
        "Ended the rule for 198.51.100.0/24.\n"
    )
    assert rules() == []
    assert deeds()[-1] == ("manage.py lockout_block", "delete", "198.51.100.0/24")
    run("lockout_block", "198.51.100.0/24", "--end", error="There is no such rule")


# -- A list of all ------------------------------------------------------------------------------


@pytest.fixture
def some() -> None:
    made = NetworkRule.objects.create
    made(cidr="198.51.100.0/24", reason="a\nb", created_by="sam")
    made(cidr="192.0.2.1", action="allow", until=datetime(2030, 1, 1, tzinfo=UTC))
    made(cidr="203.0.113.0/24", source="drop")
    made(cidr="203.0.114.0/24", until=timezone.now())


def test_listing(some: None) -> None:
    assert run("lockout_networks").splitlines() == [
        '192.0.2.1/32  allow  until 2030-01-01 00:00:00+0000  ""',
        '198.51.100.0/24  block  for ever  "a\\nb"',
        '203.0.113.0/24  block  for ever  list drop  ""',
    ]


def test_listing_for_scripts(some: None) -> None:
    rows = [json.loads(line) for line in run("lockout_networks", "--json").splitlines()]
    assert [row["network"] for row in rows] == ["192.0.2.1/32", "198.51.100.0/24", "203.0.113.0/24"]
    assert rows[0]["until"] == "2030-01-01T00:00:00+00:00"
    assert rows[1]["until"] is None


@pytest.mark.parametrize(
    ("args", "number"),
    [
        (["198.51.100.9"], 1),
        (["198.51.0.0/16"], 1),
        (["192.0.2.2"], 0),
        (["--source", "drop"], 1),
        (["--limit", "2"], 2),
    ],
)
def test_listing_a_part(some: None, args: list[str], number: int) -> None:
    assert run("lockout_networks", "--json", *args).count('"network"') == number


def test_a_list_that_goes_on_says_so(some: None) -> None:
    assert "There are more than 1." in run("lockout_networks", "--limit", "1")


def test_no_rule() -> None:
    assert run("lockout_networks") == "No network is blocked or allowed.\n"
    assert run("lockout_networks", "--json") == ""


def test_what_is_wrong_with_a_question_is_said() -> None:
    run("lockout_networks", "all", error="is no address")
    run("lockout_networks", "--limit", "0", error="at least 1")


def test_a_reader_who_has_seen_enough_is_no_error(some: None, monkeypatch: Any) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    duplicated = []
    monkeypatch.setattr("os.dup2", lambda *args: duplicated.append(args))
    monkeypatch.setattr("sys.stdout.fileno", lambda: 1, raising=False)
    call_command("lockout_networks", stdout=Gone())
    assert duplicated


# -- Published lists ----------------------------------------------------------------------------


@pytest.fixture
def drop(tmp_path: Path) -> Any:
    def load(*lines: str, args: Any = (), source: str = "drop", error: str = "") -> str:
        path = tmp_path / "list.txt"
        path.write_text("\n".join(lines))
        options = ["--source", source] if source else []
        return run("lockout_networks", "--load", str(path), *options, *args, error=error)

    return load


def test_a_list_takes_the_place_of_what_it_brought_before(drop: Any) -> None:
    run("lockout_block", "192.0.2.1", "--reason", "by hand")
    drop("192.0.2.0/24 ; SBL1", "198.51.100.0/24 ; SBL2", "203.0.113.0/24 ; SBL3")
    pk = NetworkRule.objects.get(reason="SBL2").pk
    said = drop("198.51.100.0/24 ; SBL2", "203.0.113.0/24 ; SBL9", "192.0.2.1")
    assert said == "Loaded drop: 3 networks, 2 new, 2 gone.\n"
    assert rules() == [
        ("192.0.2.1/32", "block", "by hand"),
        ("192.0.2.1/32", "block", ""),
        ("198.51.100.0/24", "block", "SBL2"),
        ("203.0.113.0/24", "block", "SBL9"),
    ]
    assert NetworkRule.objects.get(reason="SBL2").pk == pk
    last = AuditEntry.objects.order_by("pk").last()
    assert last
    assert (last.actor, last.action, last.label, last.details) == (
        "manage.py lockout_networks",
        "import",
        "drop",
        "block 3 networks for ever: 2 new, 2 gone",
    )


def test_lists_of_two_sources_leave_one_another_alone(drop: Any) -> None:
    drop("192.0.2.0/24", source="one")
    drop("192.0.2.0/24", source="two")
    drop("198.51.100.0/24", source="one")
    assert [cidr for cidr, _action, _reason in rules()] == ["192.0.2.0/24", "198.51.100.0/24"]


def test_a_list_may_be_one_to_allow_and_have_an_end(drop: Any) -> None:
    drop("192.0.2.0/24")
    drop("192.0.2.0/24", args=["--allow", "--for", "1d"])
    row = NetworkRule.objects.get()
    assert row.action == "allow"
    assert row.until


def test_of_a_list_that_stays_the_end_is_new(drop: Any) -> None:
    drop("192.0.2.0/24")
    assert "0 new, 0 gone" in drop("192.0.2.0/24", args=["--until", "2030-01-01"])
    assert NetworkRule.objects.get().until


def test_a_list_on_standard_input(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("192.0.2.0/24\n"))
    run("lockout_networks", "--load", "-", "--source", "drop")
    assert rules() == [("192.0.2.0/24", "block", "")]


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["192.0.2.0/24", "all", "everybody"], "2 lines are wrong. Nothing was loaded."),
        (["# nothing"], "The list is empty. Nothing was loaded"),
        (["192.0.2.0/24", "10.0.0.0/8"], "Nothing was loaded. To load it all the same"),
        (["192.0.2.0/24", "0.0.0.0/0"], "Nothing was loaded. To load it all the same"),
    ],
)
def test_a_list_is_loaded_as_a_whole_or_not_at_all(drop: Any, lines: Any, error: str) -> None:
    drop("198.51.100.0/24")
    drop(*lines, error=error)
    assert rules() == [("198.51.100.0/24", "block", "")]


def test_what_is_wrong_with_a_list_is_said_line_by_line(drop: Any) -> None:
    said = drop(*["all"] * 30, error="30 lines are wrong")
    assert said.count("\n") == 21
    assert said.startswith("line 1: “all” is no address")
    assert said.endswith("and 10 more\n")


def test_a_list_that_allows_everybody_is_loaded_by_who_insists(drop: Any) -> None:
    said = drop("0.0.0.0/0", args=["--allow"], error="Nothing was loaded. To load it all the same")
    assert said == "0.0.0.0/0 is a good part of all addresses there are.\n"
    assert rules() == []
    drop("0.0.0.0/0", args=["--allow", "--anyway"])
    assert rules() == [("0.0.0.0/0", "allow", "")]


def test_a_list_that_shrinks_to_less_than_half_is_loaded_by_who_insists(drop: Any) -> None:
    drop(*(f"192.0.2.{number}" for number in range(5)))
    said = drop("192.0.2.1", "192.0.2.2", error="Nothing was loaded. To load it all the same")
    assert said == "drop had 5 networks and has 2 now: it may be half of a download.\n"
    assert len(rules()) == 5
    drop("192.0.2.1", "192.0.2.2", "192.0.2.3")
    assert len(rules()) == 3
    drop("192.0.2.1", args=["--anyway"])
    assert len(rules()) == 1


def test_what_of_a_list_does_nothing_is_said(drop: Any) -> None:
    run("lockout_allow", "192.0.2.0/24")
    assert drop("192.0.2.7", "198.51.100.0/24").splitlines() == [
        "Loaded drop: 2 networks, 2 new, 0 gone.",
        "192.0.2.7/32 stays allowed: the rule by hand for 192.0.2.0/24 is stronger.",
    ]


def test_a_list_with_dangers_is_loaded_by_who_insists(drop: Any) -> None:
    drop("10.0.0.0/8", args=["--anyway"])
    assert len(rules()) == 1


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("", "Give the list a name"),
        ("My List", "A name of small letters"),
        ("x" * 65, "at most 64"),
    ],
)
def test_a_list_has_a_name(drop: Any, source: str, error: str) -> None:
    drop("192.0.2.0/24", source=source, error=error)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    run("lockout_networks", "--load", path, "--source", "drop", error="No such file")


def test_one_list_is_not_loaded_twice_at_once(drop: Any, monkeypatch: Any) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise IntegrityError

    monkeypatch.setattr(rulebook, "load", refuse)
    drop("192.0.2.0/24", error="is being loaded by somebody else")


def test_a_load_that_fails_leaves_the_old_list(drop: Any, monkeypatch: Any) -> None:
    drop("192.0.2.0/24")
    monkeypatch.setattr(rulebook, "BATCH", 1)
    made = rulebook.made

    def fail_late(entry: Any, *args: Any, **kwargs: Any) -> Any:
        row = made(entry, *args, **kwargs)
        row.cidr = "198.51.100.1/32"
        return row

    monkeypatch.setattr(rulebook, "made", fail_late)
    drop("198.51.100.1", "198.51.100.2", error="somebody else")
    assert rules() == [("192.0.2.0/24", "block", "")]


def test_unloading(drop: Any) -> None:
    drop("192.0.2.0/24", "198.51.100.0/24")
    said = run("lockout_networks", "--unload", "--source", "drop")
    assert said == "Deleted 2 networks of drop.\n"
    assert rules() == []
    assert len(deeds()) == 3
