"""A file of network rules, read: which columns it has, and what is wrong with it."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from tablib import Dataset

from .networks import NetworkRuleResource

#: Characters of what is said of a row.
_SAID: Final = 300


def read(data: bytes) -> Dataset:
    """Return the table in a file: CSV with a comma, a semicolon or a tab, and a line of headers.

    Raises `ValidationError` where there is none.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(_("This is no text in UTF-8.")) from None
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        headers = _headers(next(lines, []))
        table = Dataset(headers=headers)
        for row in lines:
            if any(row):
                table.append(_fitted(row, headers, lines.line_num))
    except csv.Error as error:
        raise ValidationError(
            _("Line %(number)d can't be read: %(error)s"),
            params={"number": lines.line_num, "error": str(error)},
        ) from None
    if not len(table):
        raise ValidationError(_("There is no row in this file."))
    return table


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _headers(cells: list[str]) -> list[str]:
    headers = [cell.strip().lower() for cell in cells]
    named = [header for header in headers if header]
    columns = NetworkRuleResource.Meta.fields
    if "cidr" not in named:
        raise ValidationError(_("The first line must name the columns; one of them is “cidr”."))
    for header in named:
        # A column that is left out changes what the rows say: a misspelt end is no end.
        if header not in columns:
            said = _(
                "There is no column “%(name)s”, but %(columns)s: give it the right name, or delete"
                " it."
            )
            known = ", ".join(columns)
            raise ValidationError(said, params={"name": header[:_SAID], "columns": known})
        if named.count(header) > 1:
            said = _("The column “%(name)s” is there twice. Delete one of them.")
            raise ValidationError(said, params={"name": header})
    return headers


def _fitted(row: list[str], headers: list[str], number: int) -> list[str]:
    width = len(headers)
    cells = row + [""] * (width - len(row))
    # Spreadsheets write empty cells below no header.
    stray = cells[width:]
    if "" in headers:
        stray += [cell for cell, header in zip(cells, headers, strict=False) if not header]
    if any(cell.strip() for cell in stray):
        raise ValidationError(
            _("Line %(number)d has more cells than there are columns."), params={"number": number}
        )
    return cells[:width]


def faults(result: Any) -> list[tuple[int, str]]:
    """Return what is wrong with rows: the number of each, the first row of data being 1."""
    invalid = [(row.number, " ".join(row.error.messages)) for row in result.invalid_rows]
    # What was wrong may be as long as a file.
    return [(number, text[:_SAID]) for number, text in invalid]
