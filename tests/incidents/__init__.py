"""Incidents: attacks as their programs know them, and weeks of honest people."""

import pytest

# What its comparisons differ in is to be told.
pytest.register_assert_rewrite("tests.incidents.judging")
