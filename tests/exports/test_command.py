"""``manage.py lockout_export``."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from lockout_admin.exports.export import Export
from lockout_admin.models import AccountLock, FailedLogin, NetworkRule

Failures = Callable[..., list[FailedLogin]]


class Terminal(io.TextIOWrapper):
    """A standard output or error that somebody looks at."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8", newline="", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        self.seek(0)
        return self.read()


def run(*arguments: str) -> str:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    call_command("lockout_export", *arguments, stdout=out)
    out.seek(0)
    return out.read()


def test_the_failures_of_the_last_day_are_exported(failures: Failures) -> None:
    failures("old", at=timezone.now() - timedelta(days=2))
    failures("new")
    assert run("failures", "--columns", "username,outcome") == "username,outcome\r\nnew,counted\r\n"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("username=alice", ["alice"]),
        ("username=al&match=prefix", ["alice", "alma"]),
        ("net=192.0.2.0/24&outcome=counted", ["alice", "alma", "bob"]),
        ("net=198.51.100.0/24", []),
        ("time=15m&username=bob", ["bob"]),
    ],
)
def test_filters_are_those_of_the_list(where: str, found: list[str], failures: Failures) -> None:
    failures("alice", "alma", "bob")
    assert run("failures", "--columns", "username", "--where", where).split() == [
        "username",
        *found,
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["--where", "usrname=alice"],
            "There is no filter 'usrname'. Filters: username, match, net",
        ),
        (["--where", "username"], "The filter 'username' has no value"),
        (["--where", "net=10.0.0.0/33"], "net: “10.0.0.0/33” is no address"),
        (["--where", "username=a&username=b"], "username: This is given more than once"),
        (["--where", "username=%00"], "username: "),
        (["--where", "time=never"], "Choices: 15m, 1h, 24h, 7d, 30d, 90d, all."),
        (["--columns", "password"], "There is no column 'password'. Columns: id, timestamp"),
        (["--format", "xlsx"], "XLSX is no text"),
        (["--format", "pdf"], "invalid choice: 'pdf'"),
        (["--output", "/nowhere/file.csv"], "There is no folder /nowhere for file.csv"),
        (["--output", "/dev/null", "--force"], "/dev/null exists"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], complaint: str, failures: Failures
) -> None:
    failures("alice")
    with pytest.raises(CommandError, match=re.escape(complaint)):
        call_command("lockout_export", "failures", *arguments, stdout=Terminal())


def test_what_is_to_be_exported_has_to_be_said() -> None:
    with pytest.raises(CommandError, match="required: records"):
        call_command("lockout_export")


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("lockout_export", "--help")
    assert (
        '  manage.py lockout_export failures --where "net=203.0.113.0/24&time=7d"'
        in capsys.readouterr().out
    )


def test_locks_are_exported_too(db: None) -> None:
    AccountLock.objects.create(
        label="bob", key=1, until=timezone.now(), note="=1", locked_by="carol"
    )
    line = json.loads(run("locks", "--format", "jsonl", "--columns", "label,note,locked_by"))
    assert line == {"label": "bob", "note": "=1", "locked_by": "carol"}


def test_text_can_be_had_as_typed(failures: Failures) -> None:
    failures("=1")
    assert run("failures", "--columns", "username") == "username\r\n'=1\r\n"
    assert run("failures", "--columns", "username", "--raw") == "username\r\n=1\r\n"


def test_the_name_of_a_file_tells_its_format(failures: Failures, tmp_path: Path) -> None:
    failures("alice")
    call_command(
        "lockout_export", "failures", "--columns=username", output=str(tmp_path / "a.jsonl")
    )
    assert (tmp_path / "a.jsonl").read_text() == '{"username": "alice"}\n'


@pytest.mark.parametrize(
    ("names", "said"), [([], "0 rows"), (["alice"], "1 row"), (["alice", "bob"], "2 rows")]
)
def test_of_a_file_it_says_how_much_of_what_is_in_it(
    failures: Failures, tmp_path: Path, names: list[str], said: str
) -> None:
    failures(*names)
    path = tmp_path / "a.csv"
    assert run("failures", "--output", str(path)) == f"Exported {said} to {path} (time=24h).\n"


def test_only_the_owner_can_read_the_file(failures: Failures, tmp_path: Path) -> None:
    call_command("lockout_export", "failures", output=str(tmp_path / "a.csv"))
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600


def test_a_file_is_not_replaced_unasked(failures: Failures, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("evidence")
    with pytest.raises(CommandError, match="Choose another name"):
        call_command("lockout_export", "failures", output=str(path))
    assert path.read_text() == "evidence"
    call_command("lockout_export", "failures", output=str(path), force=True)
    assert path.read_text().startswith("id,")


def test_a_file_that_came_meanwhile_is_not_replaced_either(
    failures: Failures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"

    def chunks(export: Export) -> Any:
        path.write_text("evidence")
        yield b"half"

    monkeypatch.setattr(Export, "chunks", chunks)
    with pytest.raises(CommandError, match="File exists"):
        call_command("lockout_export", "failures", output=str(path))
    assert path.read_text() == "evidence"


def test_half_a_file_is_none(
    failures: Failures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chunks(export: Export) -> Any:
        yield b"half"
        raise DatabaseError("gone")

    monkeypatch.setattr(Export, "chunks", chunks)
    with pytest.raises(CommandError, match="failed after 0 rows: gone"):
        call_command("lockout_export", "failures", output=str(tmp_path / "a.csv"))
    assert not list(tmp_path.iterdir())


def test_a_caller_with_a_text_buffer_gets_text(failures: Failures) -> None:
    failures("alicé")
    out = io.StringIO(newline="")
    call_command("lockout_export", "failures", "--columns=username", stdout=out)
    assert out.getvalue() == "username\r\nalicé\r\n"


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_terminal_has_a_bar(
    file_format: str,
    count: int,
    failures: Failures,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lockout_admin.exports.export.BATCH", 2)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    failures(*"abc"[:count])
    call_command("lockout_export", "failures", output=str(tmp_path / f"a.{file_format}"))
    assert f"100% {count} rows" in terminal.text


def test_who_exports_from_a_shell_is_logged(
    failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    failures("alice")
    run("failures", "--where", "username=alice")
    begun, ended = (record.ecs for record in caplog.records)  # type: ignore[attr-defined]
    assert begun["export.selection"] == "username=alice&time=24h"
    assert (ended["event.outcome"], ended["export.rows"]) == ("success", 1)
    assert ended["user.name"]


def test_a_user_without_a_name_is_a_number(
    failures: Failures, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr("getpass.getuser", nobody)
    run("failures")
    assert caplog.records[0].ecs["user.name"] == f"uid {os.getuid()}"  # type: ignore[attr-defined]


def test_a_reader_that_has_enough_is_no_error(
    failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", newline="") as out:
        call_command("lockout_export", "failures", stdout=out)


def test_a_pipe_to_head_ends_quietly(tmp_path: Path) -> None:
    django = f"{sys.executable} -m django"
    command = f"{django} lockout_export failures --skip-checks | head -c 0"
    migrate = f"{django} migrate --verbosity 0"
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    ran = subprocess.run(
        ["bash", "-c", f"{migrate} && {command}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Broken" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_rules_on_networks_go_out_as_well(db: None) -> None:
    NetworkRule.objects.create(cidr="198.51.100.0/24", reason="Scanner")
    NetworkRule.objects.create(cidr="192.0.2.1", action="allow")
    lines = run("networks", "--where", "action=block").splitlines()
    assert lines[0].startswith("cidr,action,reason,until,source")
    assert [line.split(",")[:3] for line in lines[1:]] == [["198.51.100.0/24", "block", "Scanner"]]
