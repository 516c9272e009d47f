"""Runs inside Django's suite: a lockout state of its own for each test, and a report."""

from __future__ import annotations

import json
import logging
import os
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.test.runner import DiscoverRunner
from django.test.utils import iter_test_cases  # type: ignore[attr-defined]

from lockout_admin.testing import isolated_lockouts

#: Under this name the settings of Django's tests know what it ships.
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"

_run = unittest.TestCase.run


def _run_isolated(test: unittest.TestCase, result: Any = None) -> Any:
    with isolated_lockouts():
        return _run(test, result)


# Many tests fail logins of the same users, who would be locked before long.
unittest.TestCase.run = _run_isolated  # type: ignore[assignment, method-assign]
# Nobody reads here what is logged of them.
logging.getLogger("lockout_admin").addHandler(logging.NullHandler())


class Result(unittest.TextTestResult):
    """Keeps what passed, and tracebacks for the report, which leaves out those it explains."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.passed: list[str] = []

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Keep the id."""
        super().addSuccess(test)
        self.passed.append(test.id())

    def printErrors(self) -> None:  # noqa: N802 - unittest's name
        """Print none."""


class Runner(DiscoverRunner):
    """Writes down which tests passed, which were skipped, and which failed with which traceback."""

    def get_resultclass(self) -> Any:
        """Return the class that collects what comes of the tests."""
        return Result

    def run_suite(self, suite: Any, **kwargs: Any) -> Any:
        """Run the tests as Django does."""
        if os.environ["UPSTREAM_ALONE"]:
            _put_own_backend_in_place(iter_test_cases(suite))
        result: Any = super().run_suite(suite, **kwargs)
        skipped = list(_by_id(result.skipped))
        report = {"passed": result.passed, "skipped": skipped, "failed": _failed(result)}
        Path(os.environ["UPSTREAM_REPORT"]).write_text(json.dumps(report))
        return result


def _put_own_backend_in_place(tests: Iterable[Any]) -> None:
    for case in {type(test) for test in tests}:
        if getattr(case, "backend", None) == MODEL_BACKEND:
            case.backend = "lockout_admin.backends.LockoutBackend"


def _failed(result: Any) -> dict[str, str]:
    unexpected = [(test, "It should have failed.") for test in result.unexpectedSuccesses]
    return _by_id([*result.failures, *result.errors, *unexpected])


def _by_id(outcomes: Iterable[tuple[Any, str]]) -> dict[str, str]:
    # A sub-test stands for the test that it is a part of.
    return {getattr(test, "test_case", test).id(): text for test, text in outcomes}
