"""The demo on PostgreSQL, Redis and gunicorn, and what its pages are called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.servers import cache_server, database, free_port, wait_for_port

ROOT = Path(__file__).resolve().parent.parent.parent

FAILURES = "/admin/lockout_admin/failedlogin/"
SUCCESSES = "/admin/lockout_admin/successfullogin/"
LOCKS = "/admin/lockout_admin/activelock/"
HISTORY = "/admin/lockout_admin/accountlock/"
SEARCH = f"{HISTORY}search/"
NETWORKS = "/admin/lockout_admin/networkrule/"
INCIDENTS = "/admin/lockout_admin/incident/"
TAUGHT = "/admin/lockout_admin/exemption/"
DEVICES = "/admin/lockout_admin/trusteddevice/"
LOGIN = "/login/"


@dataclass(frozen=True)
class DemoSite:
    """The demo behind gunicorn."""

    url: str
    environment: Mapping[str, str]

    def manage(self, *arguments: str) -> str:
        """Run a management command on the site; return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run code in the site's shell; return what it prints."""
        imports = (
            "from datetime import timedelta; from django.utils import timezone;"
            " from lockout_admin.models import *"
        )
        return self.manage("shell", "-v0", "-c", f"{imports}\n{code}").strip()

    def lock(self, *usernames: str, seconds: int = 3600) -> None:
        """Lock usernames by hand: names of the test, for others share the site."""
        self.manage(
            "lockout_lock", *usernames, "--seconds", str(seconds), "--reason", "reported phished"
        )


@contextmanager
def demo_site(directory: Path, name: str, **settings: str) -> Iterator[DemoSite]:
    """Set the demo up, and serve it; `settings` go into its environment."""
    with (
        database("postgres", f"lockout_{name}_{os.getpid()}") as database_url,
        cache_server("redis") as redis,
    ):
        port = free_port()
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
            "DJANGO_SETTINGS_MODULE": "demo.settings",
            "DEMO_DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database_url,
            "CACHE_URL": redis.url,
            "BASE_URL": f"http://127.0.0.1:{port}",
            **settings,
        }
        site = DemoSite(f"http://127.0.0.1:{port}", environment)
        site.manage("demo", "--no-serve")
        # Ninety days: more than the first page of the console should have to read.
        site.manage("lockout_incidents")
        with served(site, port, directory / "server.log"):
            yield site


@contextmanager
def served(site: DemoSite, port: int, log_file: Path) -> Iterator[None]:
    """Serve the site with gunicorn."""
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "demo.wsgi",
        "-w",
        "2",
        "--threads",
        "8",
        "-b",
        f"127.0.0.1:{port}",
    ]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=site.environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for_port(port, process)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)
