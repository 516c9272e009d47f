"""Formulas in cells: harmless, and not lost."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockout_admin.exports.formats import CSV, TSV
from lockout_admin.exports.formulas import escaped, restored

TRIGGERS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BLANKS = " \0\t\r\n\xa0"
NASTY = st.text(
    st.sampled_from("=+-@'\t\r\n;,|: \uff41\uff1d\0\xa0\"x1") | st.characters(codec="utf-8")
)


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
        ("a;=cmd|'/C calc'!A0", "a;'=cmd|''/C calc'!A0"),
        ('x;"=1+1;"y', 'x;\'"=1+1;"y'),
        ('x;""=1+1', 'x;\'""=1+1'),
        ("x; =1", "x;' =1"),
        ("x|=1", "x|'=1"),
        ("a,-1", "a,'-1"),
        ("a|=1", "a|'=1"),
        ("rv:-1", "rv:'-1"),
        ('x; ""\xa0=1+1', 'x;\' ""\xa0=1+1'),
        ("http://a", "http://a"),
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
    cells = re.split("[;,|:\t\r\n]", escaped(typed) or "")
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        for cell in cells
    )


@pytest.mark.parametrize("guessed", [",", ";", "\t", "|", ":"])
@given(typed=st.lists(NASTY, min_size=1, max_size=3))
def test_no_delimiter_that_a_spreadsheet_guesses_makes_a_formula(
    guessed: str, typed: list[str]
) -> None:
    for written in (CSV, TSV):
        text = written().lines([[escaped(cell) for cell in typed]]).decode()
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=guessed):
            assert not any(cell.strip(BLANKS)[:1] in TRIGGERS for cell in row if cell.strip(BLANKS))


@given(NASTY)
def test_nor_does_it_when_blanks_are_trimmed(typed: str) -> None:
    cell = (escaped(typed) or "").strip().strip("\0")
    assert cell[:1] not in ("=", "+", "-", "@")


def test_an_absent_text_stays_absent() -> None:
    assert escaped(None) is None
