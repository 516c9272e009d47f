"""Run Django's own tests on a site with this app: app, middleware and backend in place.

The source of the installed Django comes from the package index and stays in a cache folder.
Each test that fails must stand in tests/upstream/expected.py with the reason, and each that stands
there must fail. DATABASE_URL puts the tests on another database.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import django

from .expected import BESIDE_MODEL_BACKEND, EXPECTED

ROOT = Path(__file__).parents[2]

#: What --long runs: all that logs people in, and what the middleware stands around.
LONG = (
    "admin_changelist",
    "admin_checks",
    "admin_custom_urls",
    "admin_docs",
    "admin_views",
    "asgi",
    "async",
    "auth_tests",
    "check_framework",
    "conditional_processing",
    "csrf_tests",
    "decorators",
    "flatpages_tests",
    "generic_views",
    "handlers",
    "messages_tests",
    "middleware",
    "middleware_exceptions",
    "requests_tests",
    "sessions_tests",
    "test_client",
    "test_client_regress",
    "user_commands",
    "view_tests",
    "wsgi",
)


@dataclass(frozen=True)
class Report:
    """What came of a run: ids of tests, and of those that failed the traceback."""

    passed: list[str]
    skipped: list[str]
    failed: dict[str, str]


def main() -> int:
    """Return 0 if exactly the explained tests fail."""
    options = _parser().parse_args()
    suites = LONG if options.long else options.suites or ["auth_tests"]
    report = run(suites, alone=options.alone)
    expected = EXPECTED if options.alone else EXPECTED | BESIDE_MODEL_BACKEND
    return tell(report, expected)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.upstream.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "suites",
        nargs="*",
        metavar="suite",
        help="auth_tests, or a part of it such as auth_tests.test_views; default: auth_tests",
    )
    parser.add_argument("--long", action="store_true", help=f"run {' '.join(LONG)}")
    parser.add_argument(
        "--alone",
        action="store_true",
        help="put LockoutBackend also where a test appends ModelBackend",
    )
    return parser


def run(suites: Iterable[str], *, alone: bool) -> Report:
    """Run the tests in a process of their own, which shows their progress."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "report.json")
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "UPSTREAM_ALONE": "yes" if alone else "",
            "UPSTREAM_REPORT": str(file),
        }
        options = ("--settings=tests.upstream.settings", "--parallel=1", "--noinput")
        subprocess.run(
            [sys.executable, "runtests.py", *options, *suites],
            cwd=source() / "tests",
            env=environment,
            check=False,  # the report tells
        )
        if not file.exists():
            sys.exit("Django's tests did not come to an end.")
        return Report(**json.loads(file.read_text()))


def source() -> Path:
    """Return the folder with the source of the installed Django, downloaded if need be."""
    folder = _cache() / f"django-{django.__version__}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            _unpack(_download(Path(scratch)), Path(scratch)).rename(folder)
    return folder


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "lockout_admin")


def _download(folder: Path) -> Path:
    requirement = f"Django=={django.__version__}"
    download = ["download", "--quiet", "--no-deps", "--no-binary=Django", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", *download, requirement], check=True)
    return next(folder.glob("*.tar.gz"))


def _unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.glob("*/tests")).parent


def tell(report: Report, expected: dict[str, str]) -> int:
    """Print what failed; return 0 if that is what should."""
    unexplained = {test: why for test, why in report.failed.items() if test not in expected}
    explained = sorted(report.failed.keys() & expected.keys())
    outdated = sorted(expected.keys() & set(report.passed))
    for test, traceback in unexplained.items():
        print(f"\n{test}\n{traceback}")
    _print("fail and are explained", explained)
    _print("are explained and pass: take them off tests/upstream/expected.py", outdated)
    _print("fail and are not explained", sorted(unexplained))
    counts = f"{len(report.passed)} pass, {len(report.failed)} fail, {len(report.skipped)} skipped"
    print(f"\nDjango {django.__version__}: {counts}.")
    return 1 if unexplained or outdated else 0


def _print(what: str, tests: list[str]) -> None:
    print(f"\n{len(tests)} {what}", *tests, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
