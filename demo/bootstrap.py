"""From a bare Python to a running command. Nothing but the standard library is imported here."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from demo.arguments import DEMO_PORT, FASTAPI_PORT, add_demo_arguments
from demo.services import extras_of, misspelt

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"

#: Packages whose presence says that an extra of pyproject.toml is installed.
MARKERS: Final[dict[str, tuple[str, ...]]] = {
    "demo": (
        "django",
        "django_filters",
        "import_export",
        "environ",
        "whitenoise",
        "httpx",
        "freezegun",
        "fastapi",
    ),
    "test": ("pytest", "pytest_django", "pytest_asyncio", "coverage", "hypothesis", "freezegun"),
    "postgres": ("psycopg",),
    "mysql": ("MySQLdb",),
    "redis": ("redis",),
    "memcached": ("pymemcache",),
}
#: Commands that set everything up and serve, and where.
SERVING: Final[dict[str, int]] = {"demo": DEMO_PORT, "fastapi": FASTAPI_PORT}
HELP: Final = """\
python3 manage.py demo [options]       set up the demo site in .venv, fill it and serve it
python3 manage.py fastapi [options]    do the same, and serve its logins by FastAPI
python3 manage.py test [pytest args]   set up the tests in .venv and run them
python3 manage.py attack KIND          attack the running demo: brute, spray, stuffing, distributed,
                                       patient, malice
python3 manage.py COMMAND              any other Django command, such as migrate or check

DATABASE_URL and CACHE_URL put the site on other services, e.g.
DATABASE_URL=postgres://postgres@127.0.0.1/demo CACHE_URL=rediscache://127.0.0.1:6379/1 \\
    python3 manage.py demo
"""
NOT_SET_UP: Final = "set the site up first, with python3 manage.py demo --no-serve"
TEST_HELP: Final = """\
python3 manage.py test [pytest args]

Without arguments, runs all tests and reports the coverage of lockout_admin. Arguments go to pytest,
which then runs alone: python3 manage.py test -k lock -x. Installs the packages into .venv unless
they are there already.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command in `argv`, after setting up what it needs; return the exit status."""
    command, *arguments = argv[1:] or ["help"]
    wants_help = bool({"-h", "--help"} & set(arguments))
    if command == "test":
        return _say(TEST_HELP) if wants_help else run_tests(python_for(["test"]), arguments)
    if command in SERVING and wants_help:
        return _say(parser_of(command).format_help())
    if wrong := misspelt(os.environ):
        return _fail(*wrong)
    python = python_for(["demo", *extras_of(os.environ)], install=command in SERVING)
    is_help = command in ("help", "-h", "--help") and not arguments
    if is_help and (python is None or _is_here(python)):
        _say(HELP)
    if python is None:
        return 0 if is_help else _fail("Django is not installed yet.", NOT_SET_UP)
    return run_django(python, argv)


def parser_of(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command that serves, for those who have no Django yet."""
    parser = argparse.ArgumentParser(
        prog=f"manage.py {command}", description="Set up the demo site, fill it and serve it."
    )
    add_demo_arguments(parser, SERVING[command])
    return parser


def has_packages(extras: Sequence[str]) -> bool:
    """Tell whether this interpreter can do without an environment of its own."""
    wanted = {"demo", *extras}
    return all(importlib.util.find_spec(name) for extra in wanted for name in MARKERS[extra])


def python_for(extras: Sequence[str], *, install: bool = True) -> Path | None:
    """Return a Python that has `extras`: this one, or that of ``.venv``; `install` sets it up."""
    if has_packages(extras) and not _in_venv():
        return Path(sys.executable)
    python = _venv_python()
    if not install:
        return python if python.exists() else None
    if not python.exists():
        create_venv()
    if not is_current(extras):
        install_into_venv(extras)
    return python


def create_venv() -> None:
    """Create ``.venv``, or say what is missing."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        remedy = (
            f"install it (Debian, Ubuntu: apt-get install python{version}-venv) and run this again"
        )
        _abort(
            "This Python cannot create virtual environments: it has no module venv or ensurepip.",
            remedy,
        )
    _say(f"Creating {VENV} with Python {version} …")
    _call(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        "look at the messages above, delete .venv, try again",
    )


def install_into_venv(extras: Sequence[str]) -> None:
    """Install the project and `extras` into ``.venv``, and remember for which pyproject.toml."""
    wanted = f"{ROOT}[{','.join(extras)}]"
    _say(f"Installing {', '.join(extras)} into {VENV} …")
    command = [
        str(_venv_python()),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-e",
        wanted,
    ]
    _call(
        command,
        "check the connection to the package index (see the messages above), then try again",
    )
    for extra in extras:
        _stamp(extra).write_text(_digest())


def is_current(extras: Sequence[str]) -> bool:
    """Tell whether ``.venv`` has `extras` as today's pyproject.toml describes them."""
    return all(
        _stamp(extra).exists() and _stamp(extra).read_text() == _digest() for extra in extras
    )


def run_tests(python: Path | None, arguments: Sequence[str]) -> int:
    """Run pytest; all tests are run under coverage, and their coverage must suffice."""
    if arguments:
        return _run([str(python), "-m", "pytest", *arguments])
    coverage = [str(python), "-m", "coverage"]
    _run([*coverage, "erase"])
    failed = _run([*coverage, "run", "-m", "pytest"])
    data = ROOT / os.environ.get("COVERAGE_FILE", ".coverage")
    if any(data.parent.glob(f"{data.name}.*")):
        _run([*coverage, "combine", "--quiet"])
    return failed or _run([*coverage, "report"])


def run_django(python: Path, argv: Sequence[str]) -> int:
    """Run a Django command here or, where its packages are, in a process that takes our place."""
    if not _is_here(python):
        command = [str(python), str(ROOT / "manage.py"), *argv[1:]]
        if os.name == "posix":
            os.execv(command[0], command)  # signals and the terminal are the new process' own
        return subprocess.call(command)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
    # Imported by name and late: this file must load before Django is installed.
    management: Any = importlib.import_module("django.core.management")
    management.execute_from_command_line(list(argv))
    return 0


def _venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _in_venv() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def _is_here(python: Path) -> bool:
    return _in_venv() or python == Path(sys.executable)


def _stamp(extra: str) -> Path:
    return VENV / f"installed-{extra}"


def _digest() -> str:
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def _run(command: Sequence[str]) -> int:
    return subprocess.call(command, cwd=ROOT)


def _call(command: Sequence[str], remedy: str) -> None:
    if _run(command):
        _abort(f"This did not work: {' '.join(command)}", remedy)


def _say(text: str) -> int:
    print(text, flush=True)
    return 0


def _fail(problem: str, remedy: str) -> int:
    print(f"{problem}\nRemedy: {remedy}.", file=sys.stderr)
    return 1


def _abort(problem: str, remedy: str) -> NoReturn:
    raise SystemExit(_fail(problem, remedy))
