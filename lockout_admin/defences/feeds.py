"""Lists of networks as they are published: one a line, or Spamhaus DROP, as text or as JSON lines.

    203.0.113.0/24                                  one a line
    198.51.100.7   # a comment
    192.0.2.0/24 ; SBL123456                        Spamhaus DROP, text; the comment is the reason
    {"cidr":"192.0.2.0/24","sblid":"SBL123456"}     Spamhaus DROP, JSON lines, with a last line
    {"type":"metadata","records":1}                 that says how many there are

Nothing is guessed, and nothing left out: a list with one line that is no network is no list. JSON
lines without their last line are half of a download, and no list either. A list of one a line can
be cut off at any line, and nobody sees it there: `dangers` asks about one that shrinks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from ..identity.text import cleaned
from ..models.fields import exact_network
from ..models.networks import REASON_MAX_LENGTH
from .rulebook import Entry

#: Lines that are read: more than any list has, and what a process holds in memory.
MOST: Final = 1_000_000


@dataclass
class Feed:
    """What was read of a list."""

    #: Each network once, in the order of the list.
    entries: list[Entry] = field(default_factory=list)
    #: Number of the line, and what is wrong with it.
    errors: list[tuple[int, str]] = field(default_factory=list)


def read(lines: Iterable[str]) -> Feed:
    """Read a list; all that is wrong with it is in its `errors`."""
    feed = Feed()
    found: dict[Any, Entry] = {}
    # Records of JSON that no last line has counted yet: two lists may come one after the other.
    number = records = 0
    for number, line in enumerate(lines, 1):
        if number > MOST:
            feed.errors.append((number, _("The list is too long.")))
            return feed
        try:
            if not is_json(line):
                entry = _of_text(line)
            elif (record := _parsed(line)).get("type") == "metadata":
                counted, records = records, 0
                _check_end(record, counted)
                entry = None
            else:
                records += 1
                entry = _of_record(record)
        except ValidationError as error:
            feed.errors.append((number, " ".join(error.messages)))
            continue
        if entry is not None:
            found.setdefault(entry.network, entry)
    feed.entries = list(found.values())
    if records and not feed.errors:
        feed.errors.append((number, _("The list has no end: it may be half of a download.")))
    return feed


def is_json(line: str) -> bool:
    """Tell whether a line is meant as an object of JSON."""
    return line.lstrip("\ufeff \t").startswith("{")


def _of_text(line: str) -> Entry | None:
    text = line.strip("\ufeff \t\r\n")
    for mark in ("#", ";"):
        text, _mark, comment = text.partition(mark)
        if comment:
            break
    words = text.split()
    if not words:
        return None
    if len(words) > 1:
        raise ValidationError(_("There is more than a network: %(text)s"), params={"text": text})
    return Entry(exact_network(words[0]), _reason(comment))


def _parsed(line: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line.strip("\ufeff"))
    except (ValueError, RecursionError):
        raise ValidationError(_("This is no JSON.")) from None
    return record


def _of_record(record: dict[str, Any]) -> Entry:
    cidr = record.get("cidr")
    if not isinstance(cidr, str):
        raise ValidationError(_("There is no “cidr” in this record."))
    return Entry(exact_network(cidr), _reason(record.get("sblid", "")))


def _check_end(record: dict[str, Any], count: int) -> None:
    """Check a last line of a list. Raises `ValidationError` unless it has just so many."""
    promised = record.get("records")
    if type(promised) is not int:  # `True` is an `int`, and no number
        raise ValidationError(_("The last line does not say how many networks there are."))
    if promised != count:
        said = _("The list says that it has %(promised)d networks, but it has %(count)d.")
        raise ValidationError(said, params={"promised": promised, "count": count})


def _reason(text: object) -> str:
    return cleaned(str(text).strip(), REASON_MAX_LENGTH)
