"""What a replay of the log costs: rows a second, and memory.

    DATABASE_URL=postgres://… python -m tests.benchmarks.generate --failures 900000 \
        --successes 100000 --locks 0
    DATABASE_URL=postgres://… python -m tests.benchmarks.simulator --try

Names and addresses of these rows are random: whatever is remembered of them is worth least.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.utils import timezone  # noqa: E402

from lockout_admin.policy import trial  # noqa: E402
from lockout_admin.policy.comparison import compare, rare_collections  # noqa: E402


def peak() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--try", dest="tried", action="store_true", help="other rules beside")
    options = parser.parse_args()
    now = timezone.now()
    tried = trial.checked({"PRESET": "pci"}) if options.tried else None
    before, started, spent = peak(), time.perf_counter(), time.process_time()
    with rare_collections():
        found = compare(now - timedelta(days=options.days), now, tried)
    seconds = time.perf_counter() - started
    processor = time.process_time() - spent
    rows = found.failures + found.successes
    print(f"{rows:,} rows in {seconds:.1f} s ({processor:.1f} s of the processor)")
    print(f"{rows / seconds:,.0f} rows/s ({rows / processor:,.0f} a second of the processor)")
    print(f"peak memory {peak():.0f} MB ({before:.0f} MB before)")
    print(f"locks {[side.findings.locks.total() for side in found.sides]}")


if __name__ == "__main__":
    main()
