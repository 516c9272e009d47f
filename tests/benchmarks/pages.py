"""The console on small and on big tables, in one run: ``python -m tests.benchmarks.pages``.

    python -m tests.benchmarks.pages --small URL --big URL

fills two databases of its own where they are empty (10,000 rows, and 1,000,000; with LONG=1
10,000,000) and asks both for each page in turn. It fails where a page takes more than twice the
time on the big one, where the overview takes more than 300 ms, and where a statement reads more
rows than `plans` allows. The fastest run of a page counts: what else the machine does only ever
adds to it.

What takes less than `FLOOR_MS` is fast enough for anybody, and its ratio is mostly the machine's:
there, a page may take `FLOOR_MS` on the big tables, whatever it takes on the small ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from .locations import PAGES
from .serving import BIG, LONG, SMALL, serve

MOST_TIMES: Final = 2.0
FLOOR_MS: Final = 50.0
OVERVIEW_MS: Final = 300.0
#: Runs of a page, and how often one that is too slow is asked for anew.
RUNS: Final = 3
DOUBTS: Final = 2


@dataclass(slots=True)
class Console:
    """The console on one database."""

    process: subprocess.Popen[str]
    uses_cpu: bool

    @classmethod
    @contextmanager
    def on(cls, url: str, size: str, *, uses_cpu: bool) -> Iterator[Self]:
        """Run it."""
        command = [sys.executable, "-m", "tests.benchmarks.pages", "--serve", size]
        environment = {**os.environ, "DATABASE_URL": url}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, text=True
        ) as process:
            yield cls(process, uses_cpu)

    def hear(self) -> Any:
        """Return the next answer."""
        if self.process.stdout is None:
            raise RuntimeError("There is no pipe.")
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("A process of the benchmark has died.")
        return json.loads(line)

    def ask(self, url: str, *, is_cold: bool = False, explain: bool = False) -> Any:
        """Ask for a page."""
        if self.process.stdin is None:
            raise RuntimeError("There is no pipe.")
        asked = {"url": url, "is_cold": is_cold, "explain": explain, "uses_cpu": self.uses_cpu}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return self.hear()


@dataclass(slots=True)
class Times:
    """What a page takes, in ms."""

    name: str
    url: str
    small: float = float("inf")
    big: float = float("inf")

    @property
    def is_overview(self) -> bool:
        """Whether it has a bound of its own."""
        return self.name.startswith("overview")

    @property
    def is_kept(self) -> bool:
        """Whether it is within its bounds."""
        if self.is_overview and self.big > OVERVIEW_MS:
            return False
        return self.big <= max(FLOOR_MS, MOST_TIMES * self.small)

    def measure(self, small: Console, big: Console, runs: int) -> None:
        """Ask both in turn."""
        is_cold = self.name.endswith("first time")
        for _ in range(runs):
            self.small = min(self.small, small.ask(self.url, is_cold=is_cold)["ms"])
            self.big = min(self.big, big.ask(self.url, is_cold=is_cold)["ms"])


def compare(small: Console, big: Console, wanted: str, runs: int = RUNS) -> bool:
    """Print a line a page; tell whether all bounds hold."""
    print(f"{'':34}{'ms':>8}{'small':>8}{'ratio':>7}{'queries':>9}")
    kept = True
    for name, url in PAGES.items():
        if wanted not in name:
            continue
        small.ask(url)
        found = big.ask(url, explain=True)
        times = Times(name, url)
        times.measure(small, big, runs)
        for _ in range(DOUBTS):
            if not times.is_kept:
                times.measure(small, big, runs)
        is_well = times.is_kept and not found["faults"]
        print(
            f"{name:34}{times.big:8.1f}{times.small:8.1f}{times.big / times.small:7.2f}"
            f"{found['queries']:9}",
            *([] if times.is_kept else ["TOO SLOW"]),
            *found["faults"],
            sep="  ",
            flush=True,
        )
        kept = kept and is_well
    return kept


def main() -> None:
    """Compare two databases, or answer for one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", help="URL of a database of its own")
    parser.add_argument("--big", help="URL of another")
    parser.add_argument("--only", default="", help="a part of the names of the pages")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each page (%(default)s)")
    parser.add_argument("--cpu", action="store_true", help="measure processors, not the clock")
    parser.add_argument("--serve", choices=["small", "big"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        most = LONG if os.environ.get("LONG") else BIG
        serve(SMALL if options.serve == "small" else most)
        return
    if not (options.big and options.small):
        parser.error("--big and --small are needed.")
    with (
        Console.on(options.small, "small", uses_cpu=options.cpu) as small,
        Console.on(options.big, "big", uses_cpu=options.cpu) as big,
    ):
        for one in (small, big):
            one.hear()
        if not compare(small, big, options.only, options.runs):
            raise SystemExit(
                f"A page takes more than {MOST_TIMES} times as long, or reads too many rows."
            )


if __name__ == "__main__":
    main()
