"""``manage.py attack``: attack the running demo."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.attacks import PLANS, owners_of
from demo.ledger import Ledger
from demo.neighbours import Neighbours
from demo.owners import Owners
from demo.patience import PACE_SECS, Patience, moved_time
from demo.rules import ACCOUNT
from demo.sender import Bounds, Sender
from demo.tally import Tally
from demo.target import Site, Target, TargetError
from lockout_admin.management.progress import Progress

#: Hard limits: a demonstration, not a weapon.
MAX_RATE = 1000
MAX_ATTEMPTS = 20_000
MAX_SECONDS = 600
MAX_CONNECTIONS = 128
MAX_DAYS = 90


def up_to(most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from 1 to `most`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise ArgumentTypeError(
                f"{text!r} is out of bounds: a whole number from 1 to {most} is allowed."
            )
        return int(text)

    return number


class Command(BaseCommand):
    """Attacks the demo on this machine."""

    help = (
        "Send real logins to the demo that runs on this machine, and print what the site did."
        " Before and after the attack the owners of its names log in; beside it honest people do,"
        " some of them behind the attacker's address. The attack `patient` takes thirty days, and"
        " no server can be hurried: in this process, with the clock moved on, it calls the site's"
        " own views, on a database of their own, without a cache, with a hasher that takes no"
        f" time. It guesses every {PACE_SECS} s, and when a lock ends. Of the bounds it heeds"
        " --seconds and --days."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the kind of attack and its bounds."""
        parser.add_argument(
            "kind", choices=PLANS, help="; ".join(f"{name}: {_summary(name)}" for name in PLANS)
        )
        parser.add_argument(
            "--url",
            default="http://127.0.0.1:8000",
            help="a site on this machine (default: %(default)s)",
        )
        for name, default, most, text in (
            ("rate", 20, MAX_RATE, "attempts a second"),
            ("attempts", 200, MAX_ATTEMPTS, "attempts in all"),
            ("seconds", 60, MAX_SECONDS, "end after so many seconds"),
            ("connections", 8, MAX_CONNECTIONS, "connections at once"),
            ("days", 30, MAX_DAYS, "of moved time, for patient"),
        ):
            help_text = f"{text} (default: {default}, at most {most:,})"
            parser.add_argument(
                f"--{name}", type=up_to(most), default=default, metavar="N", help=help_text
            )
        parser.add_argument(
            "--username",
            default="alice",
            help="whom brute, distributed, dictionary and patient guess (default: %(default)s)",
        )
        parser.add_argument(
            "--rules", choices=[ACCOUNT], help="for patient: the rule of old alone, to compare with"
        )
        parser.add_argument(
            "--api", action="store_true", help="use the JSON login instead of the form"
        )

        parser.add_argument(
            "--knows",
            metavar="FILE",
            help="write what the attacker knows to a file, as JSON: the kind of incident, names,"
            " networks, how many were evaluated and refused, who was entered",
        )

    def handle(self, *args: Any, kind: str, **options: Any) -> None:
        """Attack, then say what happened."""
        if kind == "patient" and options["knows"]:
            raise CommandError("What `patient` knows is what it prints: leave --knows out.")
        if kind == "patient":
            self._wait(options)
        elif options["rules"] is None:
            self._attack(kind, options)
        else:
            raise CommandError(
                "The demo that is attacked has rules of its own: start it with"
                f" python3 manage.py demo --rules {options['rules']}, or with"
                f" RULES={options['rules']} in the environment of its server."
            )

    def _attack(self, kind: str, options: dict[str, Any]) -> None:
        bounds = Bounds(
            **{name: options[name] for name in ("rate", "attempts", "seconds", "connections")}
        )
        tally = Tally()
        ledger = Ledger(kind)
        plan = PLANS[kind]
        neighbours = Neighbours(next(plan(options["username"])).forwarded_for)
        owners = Owners(owners_of(kind, options["username"]))

        async def before(site: Site) -> None:
            await owners.come_before(site)
            await neighbours.come_before(site)

        meter = _Meter(bounds.attempts, kind)
        try:
            target = Target.of(options["url"])
            sender = Sender(
                target,
                bounds,
                options["api"],
                tally,
                meter.show,
                before,
                neighbours.come,
                ledger.note,
            )
            self._announce(kind, sender)
            sender.run(plan(options["username"]))
        except TargetError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write("\nInterrupted. So far:")
        finally:
            meter.close()
        for line in (*tally.lines(), ledger.line(), *neighbours.lines()):
            self.stdout.write(line)
        for line in asyncio.run(owners.lines_after()):
            self.stdout.write(line)
        if options["knows"]:
            ledger.write(options["knows"])

    def _wait(self, options: dict[str, Any]) -> None:
        name, days = options["username"], options["days"]
        self.stdout.write(
            f"patient: {_summary('patient')} In this process, with the clock moved on:"
            f" a guess every {PACE_SECS} s, for {days} days."
        )
        bar = Progress(sys.stderr, "patient")
        patience = Patience(name, days, options["seconds"], bar.update)
        with moved_time(options["rules"] or "") as clock:
            try:
                patience.run(PLANS["patient"](name), clock)
            except KeyboardInterrupt:
                self.stdout.write("\nInterrupted. So far:")
            finally:
                bar.close()
        for line in patience.lines():
            self.stdout.write(line)

    def _announce(self, kind: str, sender: Sender) -> None:
        bounds = sender.bounds
        self.stdout.write(
            f"{kind}: {_summary(kind)} {bounds.attempts:,} attempts at most, {bounds.rate} a s,"
            f" {bounds.connections} connections, to http://{sender.target.authority}."
        )


class _Meter:
    """A bar on a terminal; elsewhere a line for each tenth."""

    def __init__(self, attempts: int, label: str) -> None:
        self.attempts = attempts
        self.bar = Progress(sys.stderr, label)
        self.tenths = 0

    def show(self, tally: Tally) -> None:
        done = tally.attempts / self.attempts
        text = f"{tally.attempts:,} attempts, {len(tally.locked)} usernames refused"
        self.bar.update(done, text)
        if int(done * 10) > self.tenths and not self.bar.shown:
            self.tenths = int(done * 10)
            sys.stderr.write(f"{self.tenths * 10} %: {text}\n")

    def close(self) -> None:
        self.bar.close()


def _summary(kind: str) -> str:
    return (PLANS[kind].__doc__ or kind).partition("\n")[0]
