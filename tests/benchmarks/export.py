"""The cost of an export: ``python -m tests.benchmarks.export --rows 1000000``.

Each way runs in a process of its own, one after the other, on the database of DATABASE_URL (filled
by ``generate`` when it has too few rows). Two bounds are held: the export of CSV runs at 60 % or
more of the rate of ``values_list`` and ``csv.writer``, and takes at most 16 MiB more memory than
the export of 10,000 rows. For comparison: import-export's own export of the same rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from import_export.formats import base_formats
from import_export.resources import modelresource_factory

from lockout_admin.exports import copying
from lockout_admin.exports.export import Export
from lockout_admin.exports.formats import CSV, TSV, XLSX, JSONLines, StreamedFormat
from lockout_admin.exports.resources import (
    FailedLoginResource,
    RecordResource,
    SuccessfulLoginResource,
)
from lockout_admin.models import FailedLogin, SuccessfulLogin

from .generate import fill

LEAST_RATE: Final = 0.6
MOST_MEMORY: Final = 16
FEW: Final = 10_000
BASE: Final = "values_list + csv.writer"
#: What can be exported.
RECORDS: Final[dict[str, Any]] = {"failures": FailedLogin, "successes": SuccessfulLogin}
_RESOURCES: Final = {FailedLogin: FailedLoginResource, SuccessfulLogin: SuccessfulLoginResource}


def resource_of(rows: QuerySet[Any]) -> RecordResource:
    """Return what import-export knows of the rows."""
    return _RESOURCES[rows.model]()


def columns_of(rows: QuerySet[Any]) -> list[str]:
    """Return the columns of an export, as a query names them."""
    return [column.attribute for column in resource_of(rows).get_export_fields()]


def newest(count: int, records: str) -> QuerySet[Any]:
    """Return the newest rows without a LIMIT, as a filter by time would."""
    rows = RECORDS[records].objects.order_by("-timestamp", "-id")
    return rows.filter(timestamp__gte=rows.values_list("timestamp", flat=True)[count - 1])


def by_hand(rows: QuerySet[Any]) -> Iterator[bytes]:
    """The measure of all: what anybody would write."""
    with Path(os.devnull).open("w", newline="") as file:
        writer = csv.writer(file)
        columns = columns_of(rows)
        writer.writerow(columns)
        yield b""
        writer.writerows(rows.values_list(*columns).iterator(chunk_size=2000))


def import_export(rows: QuerySet[Any]) -> Iterator[bytes]:
    """What import-export does unless it is told otherwise."""
    factory = modelresource_factory(rows.model)
    factory._meta.fields = tuple(column for column in columns_of(rows) if "__" not in column)
    yield (
        base_formats.CSV().export_data(factory().export(rows.select_related("user_agent"))).encode()
    )


def streamed(
    file_format: type[StreamedFormat], **how: Any
) -> Callable[[QuerySet[Any]], Iterator[bytes]]:
    """The export of this package."""
    return lambda rows: Export(rows, resource_of(rows), file_format(), **how).chunks()


def uncopied(rows: QuerySet[Any]) -> Iterator[bytes]:
    """The same without COPY."""
    copying.is_possible = lambda *args: False
    return streamed(CSV)(rows)


WAYS: Final[dict[str, Callable[[QuerySet[Any]], Iterator[bytes]]]] = {
    BASE: by_hand,
    "CSV": streamed(CSV),
    "CSV, raw": streamed(CSV, raw=True),
    "CSV, portable path": uncopied,
    "TSV": streamed(TSV),
    "JSON Lines": streamed(JSONLines),
    "XLSX": streamed(XLSX),
    "import-export itself": import_export,
}


def measure(way: str, rows: int, records: str) -> dict[str, float]:
    """Export in this process."""
    queryset = newest(rows, records)
    connection.ensure_connection()
    started = time.perf_counter()
    first = 0.0
    for _ in WAYS[way](queryset):
        first = first or time.perf_counter() - started
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rate": rows / seconds, "peak": _peak(), "first": first}


def _peak() -> float:
    """Return the most memory this process had, in MiB; ``getrusage`` counts its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def in_a_process(way: str, rows: int, records: str) -> dict[str, float]:
    """Export in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "tests.benchmarks.export", "--rows", str(rows), "--way", way]
    command += ["--records", records]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def best(way: str, rows: int, records: str, repeat: int) -> dict[str, float]:
    """Export several times: on a shared machine the fastest run is the one that was left alone."""
    runs = (in_a_process(way, rows, records) for _ in range(repeat))
    return max(runs, key=lambda result: result["rate"])


def compare(rows: int, records: str, ways: list[str], repeat: int) -> bool:
    """Print a line a way; tell whether both bounds hold."""
    base = best(BASE, rows, records, repeat)
    kept = True
    print(f"{rows:,} {records}, {connection.vendor}, {timezone.now():%Y-%m-%d}")
    print(
        f"{'':26}{'s':>8}{'rows/s':>10}{'of it':>8}{'peak MiB':>10}{'over 10k':>10}"
        f"{'first byte s':>14}"
    )
    for way in ways:
        few = in_a_process(way, FEW, records)
        all_rows = base if way == BASE else best(way, rows, records, repeat)
        ratio = all_rows["rate"] / base["rate"]
        more = all_rows["peak"] - few["peak"]
        print(
            f"{way:26}{all_rows['seconds']:8.1f}{all_rows['rate']:10,.0f}{ratio:8.2f}"
            f"{all_rows['peak']:10.0f}{more:10.1f}{all_rows['first']:14.3f}",
            flush=True,
        )
        if way.startswith("CSV"):
            kept = kept and ratio >= LEAST_RATE and more <= MOST_MEMORY
    return kept


def main() -> None:
    """Measure one way, or compare them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--records", choices=RECORDS, default="failures")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument(
        "--repeat", type=int, default=1, help="runs of each way, of which the fastest counts"
    )
    parser.add_argument(
        "--without", action="append", default=[], choices=WAYS, help="leave a way out"
    )
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.way, options.rows, options.records)))
        return
    tables = connection.introspection.table_names()
    model = RECORDS[options.records]
    if (
        model._meta.db_table not in tables
        or model.objects.all()[: options.rows].count() < options.rows
    ):
        fill(options.rows, options.rows, 0)
    ways = [way for way in WAYS if way not in options.without]
    if not compare(options.rows, options.records, ways, options.repeat):
        raise SystemExit(
            f"Below {LEAST_RATE:.0%} of the rate, or over {MOST_MEMORY} MiB above {FEW:,} rows."
        )


if __name__ == "__main__":
    main()
