"""Run as a process: many threads add the same keys to the table, all at the same time."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import nullcontext
from typing import Any

import django
from django.db import connection, transaction

from lockout_admin.engine import connections
from lockout_admin.engine.table import TableEngine


class RollBackError(Exception):
    """What a view raises in the end."""


class Race:
    """Threads of this process that add the key of each round."""

    def __init__(self, rounds: int, threads: int, *, atomic: bool) -> None:
        self.rounds = rounds
        self.atomic = atomic
        self.engine = TableEngine()
        self.barrier = threading.Barrier(threads)
        self.workers = [threading.Thread(target=self.add) for _ in range(threads)]
        #: The rounds, once for each thread that was told that it added the key.
        self.won: list[int] = []
        #: To the database, of all processes, at most.
        self.connections = 0

    def add(self) -> None:
        """Add, and roll back."""
        for number in range(self.rounds):
            self.barrier.wait()
            try:
                with transaction.atomic() if self.atomic else nullcontext():
                    if self.atomic:
                        connection.cursor().execute("SELECT 1")
                    if self.engine.add(f"lockout_admin:{{race}}:{number}", 1, 600):
                        self.won.append(number)
                    raise RollBackError
            except RollBackError:
                continue
        connection.close()

    def run(self, *, count: bool) -> None:
        """Let them run; count connections meanwhile."""
        for worker in self.workers:
            worker.start()
        while count and any(worker.is_alive() for worker in self.workers):
            self.connections = max(self.connections, _connections())
        for worker in self.workers:
            worker.join()


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    django.setup()
    arguments: dict[str, Any] = json.loads(sys.argv[1])
    start = arguments.pop("start")
    counting = arguments.pop("count", False)
    race = Race(**arguments)
    time.sleep(max(0.0, start - time.time()))
    race.run(count=counting)
    pooled = len(connections._pools.of("default").all())
    print(json.dumps({"won": race.won, "connections": race.connections, "pooled": pooled}))
    sys.stdout.flush()
    os._exit(0)
