"""Real servers for the service suite: databases, caches, and the site on gunicorn or uvicorn."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import environ
import pytest

from . import prepared

#: Where the machine's own database servers are; each needs the right to create databases.
DATABASE_SERVERS = {
    "postgres": os.environ.get(
        "POSTGRES_SERVER_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    ),
    "mariadb": os.environ.get("MARIADB_SERVER_URL", "mysql://root@127.0.0.1:3306/mysql"),
}
#: Gives the cache servers time to start, and the site time to import.
START_SECS = 30


def missing(what: str, remedy: str) -> None:
    """Skip outside CI, with the reason; fail in CI, which promised the service."""
    message = f"{what} is missing: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until somebody listens on `port`."""
    deadline = time.monotonic() + START_SECS
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process and process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"Nothing listens on port {port}.")


@dataclass
class CacheServer:
    """A Redis or memcached of the test's own, which it may kill."""

    kind: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    #: More of the command line.
    arguments: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The CACHE_URL."""
        scheme = {"redis": "rediscache", "memcached": "pymemcache"}[self.kind]
        return f"{scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, empty."""
        commands = {
            "redis": [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            "memcached": [
                "memcached",
                "-p",
                str(self.port),
                "-l",
                "127.0.0.1",
                "-u",
                "nobody",
                "-U",
                "0",
            ],
        }
        command = commands[self.kind]
        if shutil.which(command[0]) is None:
            missing(command[0], f"apt-get install {command[0]}")
        self.process = subprocess.Popen(
            [*command, *self.arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port, self.process)

    def hang(self) -> None:
        """Accept connections and answer nothing."""
        if self.process:
            self.process.send_signal(signal.SIGSTOP)
            # Until all of its threads do, one may answer still.
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        """Answer again."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)

    def tell(self, *command: str) -> str:
        """Send a command to a Redis; return the answer."""
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), *command],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def kill(self) -> None:
        """Kill, with all that was kept."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def cache_server(kind: str, *arguments: str) -> Iterator[CacheServer]:
    """Run a cache server."""
    server = CacheServer(kind, arguments=arguments)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def cluster_node(folder: Path) -> Iterator[CacheServer]:
    """Run a Redis that is to be a node of a cluster; its map of the cluster outlives it."""
    own = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    map_file = ("--cluster-config-file", str(folder / f"nodes-{own[-1]}.conf"))
    with cache_server("redis", *own, *map_file, "--dir", str(folder)) as server:
        yield server


@contextmanager
def cluster_of_three(folder: Path) -> Iterator[list[CacheServer]]:
    """Run three nodes, each with a third of the keys and no copy."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(cluster_node(folder)) for _ in range(3)]
        addresses = [f"127.0.0.1:{server.port}" for server in nodes]
        nodes[0].tell("--cluster", "create", *addresses, "--cluster-yes")
        assert within(20, lambda: all(map(is_ready, nodes)))
        yield nodes


def is_ready(server: CacheServer) -> bool:
    """Tell whether a node sees the whole of its cluster."""
    return "cluster_state:ok" in server.tell("cluster", "info")


def within(secs: float, holds: Callable[[], bool]) -> bool:
    """Tell whether something comes true in so many seconds."""
    deadline = time.monotonic() + secs
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def database(kind: str, name: str) -> Iterator[str]:
    """Make a database with the site's tables; yield its DATABASE_URL."""
    server = DATABASE_SERVERS[kind]
    execute(kind, server, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        force = " WITH (FORCE)" if kind == "postgres" else ""
        execute(kind, server, f"DROP DATABASE {name}{force}")


def execute(kind: str, url: str, *statements: str) -> None:
    """Run statements on a database server, outside Django."""
    where = environ.Env.db_url_config(url)
    try:
        if kind == "postgres":
            import psycopg  # noqa: PLC0415 - the driver of a server that may not be there

            connection = psycopg.connect(
                host=where["HOST"],
                port=where["PORT"] or 5432,
                user=where["USER"],
                password=where["PASSWORD"],
                dbname=where["NAME"],
                autocommit=True,
            )
        else:
            import MySQLdb  # noqa: PLC0415

            connection = MySQLdb.connect(
                host=where["HOST"],
                port=int(where["PORT"] or 3306),
                user=where["USER"],
                password=where["PASSWORD"],
                database=where["NAME"],
            )
    except Exception as error:
        missing(
            f"{kind} at {url}", f"start it, or point {kind.upper()}_SERVER_URL to one ({error})"
        )
        raise
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


@dataclass
class Site:
    """The site behind a real server."""

    url: str
    environment: Mapping[str, str]

    @property
    def passwords_hashed(self) -> int:
        """How many passwords the hasher has met."""
        path = Path(self.environment["HASH_COUNT_FILE"])
        return path.stat().st_size if path.exists() else 0

    def run(self, *arguments: str) -> str:
        """Run a management command or, with ``-c``, code, in the site's environment."""
        command = [sys.executable, "-W", "error", *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, code: str) -> str:
        """Run code with Django set up; return what it prints."""
        return self.run("-c", f"import django; django.setup()\n{code}").strip()


def environment_of(directory: Path, **settings: str) -> Site:
    """Return the site with a free port, not served yet; `settings` go into its environment."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("COV")},
        "DJANGO_SETTINGS_MODULE": "tests.services.site",
        "HASH_COUNT_FILE": str(directory / "hashed"),
        **settings,
    }
    return Site(f"http://127.0.0.1:{free_port()}", environment)


@contextmanager
def site(
    directory: Path, server: str = "gunicorn", workers: int = 4, threads: int = 16, **settings: str
) -> Iterator[Site]:
    """Serve the site, with its tables and Alice; `settings` go into its environment."""
    served = environment_of(directory, **settings)
    if not prepared.load(served.environment):
        # A server runs no checks either.
        served.run("-m", "django", "migrate", "-v0", "--skip-checks")
        served.python(
            "from django.contrib.auth.models import User\n"
            "User.objects.create_user('alice', password='right')"
        )
        prepared.save(served.environment)
    (directory / "hashed").unlink(missing_ok=True)
    with serving(served, directory, server, workers, threads):
        yield served


@contextmanager
def beside(served: Site, directory: Path, application: str, workers: int = 2) -> Iterator[str]:
    """Serve an application of ASGI on the same services; yield its URL."""
    environment = {**served.environment, "APPLICATION": application}
    other = Site(f"http://127.0.0.1:{free_port()}", environment)
    with serving(other, directory, "uvicorn", workers):
        yield other.url


@contextmanager
def serving(
    served: Site, directory: Path, server: str, workers: int, threads: int = 16
) -> Iterator[None]:
    """Serve a site by several processes."""
    environment = served.environment
    port = served.url.rpartition(":")[2]
    bind = f"127.0.0.1:{port}"
    application = environment.get("APPLICATION", "tests.services.asgi:application")
    commands = {
        "gunicorn": f"gunicorn tests.services.wsgi -w {workers} --threads {threads} -b {bind}"
        " --keep-alive 60",
        "uvicorn": f"uvicorn {application} --workers {workers} --port {port}"
        " --log-level warning"
        # An idle connection is not hung up on, and a worker busy with hashes is not taken for dead.
        " --timeout-keep-alive 60 --timeout-worker-healthcheck 120"
        # Who called is for TRUSTED_PROXIES to say: by itself it believes what comes from here.
        " --no-proxy-headers",
    }
    with (directory / "server.log").open("ab") as log:
        command = [sys.executable, "-m", *commands[server].split()]
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for_port(int(port), process)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)
