"""What 100,000 network rules cost: an attempt, a process, a change, an import.

    DATABASE_URL=postgres://… CACHE_URL=rediscache://… python -m tests.benchmarks.networks

The rules are as mixed as published lists are: four of five IPv4, /16 to /32; IPv6 /29 to /64. The
table is emptied first, so give it a database of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_network
from random import Random
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from lockout_admin import lockout  # noqa: E402
from lockout_admin.defences import dangers, lists, rulebook  # noqa: E402
from lockout_admin.defences.matching import Networks  # noqa: E402
from lockout_admin.exceptions import AccountLocked  # noqa: E402
from lockout_admin.exports import tables  # noqa: E402
from lockout_admin.exports.networks import NetworkRuleResource  # noqa: E402
from lockout_admin.models import NetworkRule  # noqa: E402
from lockout_admin.models.fields import Network  # noqa: E402

IPV4 = (16, 18, 20, 21, 22, 23, 24, 24, 24, 24, 26, 28, 32, 32, 32)
IPV6 = (29, 32, 36, 40, 44, 48, 56, 64)
#: The middle of 2000::/3.
GLOBAL = 0x2 << 124


def made(number: int, random: Random) -> list[Network]:
    """Return so many networks, each once."""
    found: dict[Network, None] = {}
    while len(found) < number:
        if random.random() < 0.8:
            network: Network = ip_network(
                (random.getrandbits(32), random.choice(IPV4)), strict=False
            )
        else:
            bits = GLOBAL | random.getrandbits(124)
            network = ip_network((bits, random.choice(IPV6)), strict=False)
        found[network] = None
    return list(found)


def took(work: Callable[[], Any]) -> float:
    """Return how many seconds something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def say(what: str, value: float, unit: str) -> None:
    """Print a line."""
    print(f"{what:<44} {value:>9.2f} {unit}")


def matching(networks: list[Network], random: Random) -> None:
    """Measure the compiled table."""
    rows = [(str(network), "block", None, "drop") for network in networks]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    compiled = Networks(rows)
    say("memory of the compiled rules", (tracemalloc.get_traced_memory()[0] - before) / 1e6, "MB")
    tracemalloc.stop()
    say("compile", took(lambda: Networks(rows)) * 1e3, "ms")
    inside = [network.network_address for network in random.sample(networks, 10_000)]
    for what, addresses in (
        ("match, blocked", inside),
        ("match, IPv4 that is in none", [IPv4Address(random.getrandbits(24)) for _ in inside]),
        ("match, IPv6 that is in none", [IPv6Address(random.getrandbits(100)) for _ in inside]),
    ):
        find = partial(find_all, compiled, addresses)
        rounds = [took(find) for _ in range(5)]
        say(what, min(rounds) / len(addresses) * 1e6, "µs")


def find_all(compiled: Networks, addresses: Sequence[Any]) -> None:
    """Match addresses."""
    for address in addresses:
        compiled.find(address, 0)


def refreshing() -> None:
    """Measure what a process pays for a change."""
    say("read and compile after a change", took(lists._read) * 1e3, "ms")
    known = lists.Lists(lists._key())
    known.in_force()
    known.look_again()
    say("look that finds nothing new", took(known.in_force) * 1e6, "µs")


def attempts(times: int) -> None:
    """Measure an attempt that is refused for its network; it must cost no SQL."""
    NetworkRule.objects.create(cidr="203.0.113.0/24")
    met = []

    def attempt() -> None:
        try:
            with lockout.attempt("alice", ip_address="203.0.113.7"):
                raise AssertionError("It should have been refused.")
        except AccountLocked as refusal:
            met.append(refusal)

    attempt()
    with CaptureQueriesContext(connection) as queries:
        spent = [took(attempt) for _ in range(times)]
    say("refused attempt, median", statistics.median(spent) * 1e6, "µs")
    print(f"{'its SQL statements, of ' + str(times) + ' attempts':<44} {len(queries):>9}")


def changing(networks: list[Network]) -> None:
    """Measure loads of a list and the import of a file."""
    entries = [rulebook.Entry(network, "SBL1") for network in networks]

    def load() -> Any:
        return rulebook.load("drop", entries, action="block", until=None, actor="benchmark")

    planned = [dangers.Planned(network, "block", "drop") for network in networks]
    say("what is dangerous about it", took(lambda: dangers.of(planned, None)), "s")
    say("load a list", took(load), "s")
    say("load it again", took(load), "s")
    lines = "".join(f"{network},block,SBL1,,file\n" for network in networks)
    table = tables.read(f"cidr,action,reason,until,source\n{lines}".encode())
    for what, dry_run in (("check a file", True), ("import it", False)):
        resource = NetworkRuleResource(actor="benchmark")
        say(what, took(partial(resource.import_data, table, dry_run=dry_run)), "s")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=int, default=100_000, help="network rules")
    parser.add_argument("--times", type=int, default=2_000, help="refused attempts")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    NetworkRule.objects.all().delete()
    random = Random(7)
    networks = made(options.rules, random)
    print(f"{connection.vendor}, {options.rules} rules")
    matching(networks, random)
    changing(networks)
    refreshing()
    attempts(options.times)
    NetworkRule.objects.all().delete()


if __name__ == "__main__":
    main()
