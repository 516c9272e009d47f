"""What is said of a run of Django's own tests."""

from __future__ import annotations

import pytest

from tests.upstream.run import Report, tell

EXPECTED = {"explained": "The reason."}


def report(passed: tuple[str, ...] = (), failed: tuple[str, ...] = ()) -> Report:
    return Report(list(passed), ["skipped"], dict.fromkeys(failed, "Traceback"))


def test_nothing_but_an_explained_failure_is_fine() -> None:
    assert tell(report(passed=("other",), failed=("explained",)), EXPECTED) == 0


def test_an_unexplained_failure_is_a_fault() -> None:
    assert tell(report(failed=("explained", "other")), EXPECTED) == 1


def test_an_explanation_of_what_passes_is_a_fault() -> None:
    assert tell(report(passed=("explained",)), EXPECTED) == 1


def test_an_explained_test_that_is_skipped_or_not_there_is_no_news() -> None:
    assert tell(report(passed=("other",)), EXPECTED | {"skipped": "The reason."}) == 0


def test_the_traceback_of_what_nobody_explained_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(report(failed=("other",)), EXPECTED)

    assert "other\nTraceback" in capsys.readouterr().out
