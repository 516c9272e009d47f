"""Formulas in cells: harmless, and not lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockout_admin.formulas import escaped, restored

NASTY = st.text(st.sampled_from("=+-@'\t\r\n;, \uff41\uff1d\0\xa0\"x1") | st.characters(codec="utf-8"))


@pytest.mark.parametrize(
    ("typed", "cell"),
    [
        ("alice", "alice"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("==1+1", "'==1+1"),
        ("+1", "'+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("\0=1", "'\0=1"),
        (" =1", "' =1"),
        ("\xa0=1", "'\xa0=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("o'hara", "o'hara"),
        ("a;=cmd|'/C calc'!A0", "a;'=cmd|'/C calc'!A0"),
        ("a,-1", "a,'-1"),
        ("a=b", "a=b"),
        ("Mozilla/5.0 (X11; Linux)", "Mozilla/5.0 (X11; Linux)"),
    ],
)
def test_what_a_spreadsheet_would_run_gets_a_quote(typed: str, cell: str) -> None:
    assert escaped(typed) == cell


@given(NASTY)
def test_what_was_typed_can_be_told(typed: str) -> None:
    assert restored(escaped(typed) or "") == typed


@given(NASTY)
def test_no_cell_begins_with_a_formula(typed: str) -> None:
    cells = re.split("[;,\t\r\n]", escaped(typed) or "")
    assert not any(cell.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")) for cell in cells)


@given(NASTY)
def test_nor_does_it_when_blanks_are_trimmed(typed: str) -> None:
    cell = (escaped(typed) or "").strip().strip("\0")
    assert cell[:1] not in ("=", "+", "-", "@")


def test_an_absent_text_stays_absent() -> None:
    assert escaped(None) is None
