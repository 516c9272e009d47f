"""List the networks that are blocked or allowed; load and unload published lists."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from ...defences import dangers, feeds, rulebook
from ...models import NetworkRule
from ...models.fields import parse_network
from ...models.networks import SOURCE_MAX_LENGTH, about, is_source
from ..ends import add_end, end_of

ACTOR = "manage.py lockout_networks"
#: Lines that are wrong, and dangers, of which a report has the first.
_SHOWN = 20


class Command(BaseCommand):
    """``manage.py lockout_networks``."""

    help = (
        "List the networks that are blocked or allowed. With --load, put the networks of a file in"
        " place of those that the same --source brought before: one a line, or Spamhaus DROP as"
        " text or JSON lines; the whole list, or none of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "about", nargs="?", help="only the rules that hold for this address or network"
        )
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a line, for scripts"
        )
        parser.add_argument(
            "--limit", type=int, default=1000, help="at most so many (default: 1000)"
        )
        parser.add_argument("--source", help="the name of a list: list, load or unload this one")
        parser.add_argument("--load", metavar="FILE", help="load this list; -: standard input")
        parser.add_argument("--unload", action="store_true", help="delete what --source brought")
        parser.add_argument("--allow", action="store_true", help="a list of networks to allow")
        parser.add_argument(
            "--anyway",
            action="store_true",
            help="load it though it has private networks, very wide ones, or such as people came"
            " in from lately; or less than half of what it had",
        )
        add_end(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what came of it."""
        if options["load"] is not None:
            self._load(options)
        elif options["unload"]:
            rules = NetworkRule.objects.fresh().filter(source=_source(options["source"]))
            count = rulebook.take_back(rules, ACTOR)
            self.stdout.write(f"Deleted {count} networks of {options['source']}.")
        else:
            try:
                self._list(options)
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    # -- A list that is published ---------------------------------------------------------------

    def _load(self, options: dict[str, Any]) -> None:
        source = _source(options["source"])
        until = end_of(options)
        with _opened(options["load"]) as lines:
            feed = feeds.read(lines)
        if feed.errors:
            self._tell(self.stderr, (f"line {number}: {what}" for number, what in feed.errors))
            raise CommandError(f"{len(feed.errors)} lines are wrong. Nothing was loaded.")
        if not feed.entries:
            raise CommandError("The list is empty. Nothing was loaded; --unload ends a list.")
        action = rulebook.Action.ALLOW if options["allow"] else rulebook.Action.BLOCK
        planned = [dangers.Planned(entry.network, action, source) for entry in feed.entries]
        found = dangers.of(planned, None) + dangers.of_size(source, len(planned))
        if not options["anyway"]:
            self._look_out(found)
        try:
            loaded = rulebook.load(source, feed.entries, action=action, until=until, actor=ACTOR)
        except IntegrityError as error:
            raise CommandError(
                f"{source} is being loaded by somebody else. Nothing was loaded."
            ) from error
        self.stdout.write(
            f"Loaded {source}: {len(feed.entries)} networks, {loaded.new} new, {loaded.gone} gone."
        )
        self._tell(self.stdout, (str(danger) for danger in found if not danger.asks))

    def _look_out(self, found: list[dangers.Danger]) -> None:
        asked = [danger for danger in found if danger.asks]
        if asked:
            self._tell(self.stderr, map(str, asked))
            raise CommandError("Nothing was loaded. To load it all the same, add --anyway.")

    def _tell(self, out: Any, lines: Iterable[str]) -> None:
        told = list(lines)
        for line in told[:_SHOWN]:
            out.write(line)
        if len(told) > _SHOWN:
            out.write(f"and {len(told) - _SHOWN} more")

    # -- The rules that there are ---------------------------------------------------------------

    def _list(self, options: dict[str, Any]) -> None:
        limit = options["limit"]
        if limit < 1:
            raise CommandError("--limit must be at least 1.")
        rules = NetworkRule.objects.fresh().open().order_by("first", "id")
        if options["source"] is not None:
            rules = rules.filter(source=options["source"])
        if options["about"] is not None:
            rules = rules.filter(about(_network(options["about"])))
        rows = list(rules[: limit + 1])
        for rule in rows[:limit]:
            self.stdout.write(json.dumps(_fields(rule)) if options["json"] else _line(rule))
        if not rows and not options["json"]:
            self.stdout.write("No network is blocked or allowed.")
        if len(rows) > limit:
            self.stderr.write(f"There are more than {limit}. See more with --limit.")


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    if path == "-":
        yield sys.stdin
        return
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            yield file
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error


def _source(name: str | None) -> str:
    if not name:
        raise CommandError("Give the list a name with --source, such as spamhaus-drop.")
    try:
        is_source(name)
    except ValidationError as error:
        raise CommandError(f"--source: {' '.join(error.messages)}") from error
    if len(name) > SOURCE_MAX_LENGTH:
        raise CommandError(f"--source: at most {SOURCE_MAX_LENGTH} characters.")
    return name


def _network(text: str) -> Any:
    try:
        return parse_network(text)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error


def _fields(rule: NetworkRule) -> dict[str, Any]:
    return {
        "network": rule.cidr,
        "action": rule.action,
        "reason": rule.reason,
        "source": rule.source,
        "by": rule.created_by,
        "since": rule.created_at.isoformat(),
        "until": rule.until and rule.until.isoformat(),
    }


def _line(rule: NetworkRule) -> str:
    until = f"until {rule.until:%Y-%m-%d %H:%M:%S%z}" if rule.until else "for ever"
    brought = f"  list {rule.source}" if rule.source else ""
    # With escapes: no reason forges a line.
    return f"{rule.cidr}  {rule.action}  {until}{brought}  {json.dumps(rule.reason)}"
