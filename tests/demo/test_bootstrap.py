"""From a bare Python to a running command."""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper

from demo import bootstrap
from demo.arguments import port_number
from demo.management.commands.demo import ensure_answers, ensure_free
from demo.services import extras_of, misspelt


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for ``.venv`` that is empty, and an interpreter without packages."""
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "has_packages", lambda extras: False)
    return tmp_path / ".venv"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The programs that are called, which do nothing."""
    calls: list[list[str]] = []

    def run(command: list[str]) -> int:
        calls.append(command)
        return 0

    monkeypatch.setattr(bootstrap, "_run", run)
    return calls


@pytest.mark.parametrize(
    ("environ", "extras"),
    [
        ({}, []),
        ({"DATABASE_URL": "sqlite:////tmp/x"}, []),
        ({"DATABASE_URL": "postgres://h/x", "CACHE_URL": "rediscache://h"}, ["postgres", "redis"]),
        ({"DATABASE_URL": "mysql://h/x", "CACHE_URL": "pymemcache://h"}, ["memcached", "mysql"]),
    ],
)
def test_services_in_the_environment_bring_their_drivers(
    environ: dict[str, str], extras: list[str]
) -> None:
    assert misspelt(environ) is None
    assert extras_of(environ) == extras


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresq://postgres@127.0.0.1/demo"),
        ("DATABASE_URL", "demo"),
        ("DATABASE_URL", "postgres://postgres@127.0.0.1:port/demo"),
        ("DATABASE_URL", "postgres://[::1/demo"),
        ("CACHE_URL", "redi://127.0.0.1"),
        ("CACHE_URL", "dummycache://"),
    ],
)
def test_a_misspelt_service_is_told_in_one_line_with_the_remedy(
    venv: Path,
    called: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    url: str,
) -> None:
    monkeypatch.setenv(name, url)
    assert bootstrap.main(["manage.py", "demo"]) == 1
    problem, remedy = capsys.readouterr().err.splitlines()
    assert problem.startswith(f"{name} ")
    assert remedy.startswith("Remedy: ")
    assert called == []


@pytest.mark.parametrize(("marker", "found"), [("json", True), ("no_such_package", False)])
def test_an_interpreter_with_the_packages_is_used_as_it_is(
    monkeypatch: pytest.MonkeyPatch, marker: str, found: bool
) -> None:
    monkeypatch.setattr(bootstrap, "MARKERS", {"demo": ("json",), "test": (marker,)})
    assert bootstrap.has_packages(["test"]) is found


def test_an_environment_is_made_and_filled_once(venv: Path, called: list[list[str]]) -> None:
    venv.mkdir()
    for _ in range(2):
        bootstrap.python_for(["demo"])
        python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        python.parent.mkdir(exist_ok=True)
        python.touch()
    assert [command[1:3] for command in called] == [["-m", "venv"], ["-m", "pip"]]


def test_a_changed_pyproject_is_installed_anew(
    venv: Path, called: list[list[str]], tmp_path: Path
) -> None:
    venv.mkdir()
    bootstrap.install_into_venv(["demo"])
    assert bootstrap.is_current(["demo"])
    assert not bootstrap.is_current(["demo", "redis"])
    (venv / "installed-demo").write_text("another")
    assert not bootstrap.is_current(["demo"])


def test_a_command_that_is_not_demo_or_test_installs_nothing(
    venv: Path, called: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(["manage.py", "migrate"]) == 1
    assert called == []
    assert "manage.py demo" in capsys.readouterr().err


def test_a_python_without_ensurepip_is_told_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        bootstrap.create_venv()
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in capsys.readouterr().err


def test_a_failing_installation_leaves_no_stamp(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.mkdir()
    monkeypatch.setattr(bootstrap, "_run", lambda command: 1)
    with pytest.raises(SystemExit):
        bootstrap.install_into_venv(["demo"])
    assert not bootstrap.is_current(["demo"])


@pytest.mark.parametrize(
    "arguments",
    [["demo", "--help"], ["fastapi", "--help"], ["test", "--help"], ["--help"], ["help"], []],
)
def test_help_needs_no_packages(
    venv: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert bootstrap.main(["manage.py", *arguments]) == 0
    assert "manage.py" in capsys.readouterr().out


def test_all_tests_are_run_with_coverage(called: list[list[str]]) -> None:
    assert bootstrap.run_tests(Path("py"), []) == 0
    assert [command[3] for command in called if command[3] != "combine"] == [
        "erase",
        "run",
        "report",
    ]


def test_some_tests_are_run_by_pytest_alone(called: list[list[str]]) -> None:
    bootstrap.run_tests(Path("py"), ["-k", "lock"])
    assert called == [["py", "-m", "pytest", "-k", "lock"]]


def test_failing_tests_fail_without_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_run", lambda command: 3 if "run" in command else 0)
    assert bootstrap.run_tests(Path("py"), []) == 3


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", ""])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        port_number(text)


def test_a_port_in_use_is_told_with_the_remedy() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(CommandError, match="--port"),
    ):
        ensure_free("127.0.0.1", server.getsockname()[1])


@pytest.mark.django_db
def test_a_database_that_answers_is_taken() -> None:
    ensure_answers(connection)


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_told_in_one_line_with_the_remedy(
    tmp_path: Path,
) -> None:
    nowhere = {**connection.settings_dict, "NAME": tmp_path / "no" / "such.sqlite3"}
    database = DatabaseWrapper({**nowhere, "ENGINE": "django.db.backends.sqlite3", "OPTIONS": {}})
    with pytest.raises(CommandError, match=r"unable to open .*\nRemedy: .*DATABASE_URL") as told:
        ensure_answers(database)
    assert len(str(told.value).splitlines()) == 2


def test_the_demo_is_set_up_from_an_empty_folder(tmp_path: Path) -> None:
    bare = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "CACHE_URL")
    }
    environ = {
        **bare,
        "DEMO_DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "demo.settings",
    }
    command = [
        sys.executable,
        str(bootstrap.ROOT / "manage.py"),
        "demo",
        "--no-serve",
        "--port",
        "8123",
    ]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=True, cwd=bootstrap.ROOT
    )
    assert re.search(r"Seeded \d\d,\d{3} ", done.stdout)
    assert "http://127.0.0.1:8123/admin/" in done.stdout
    assert "demo-support" in done.stdout
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0
