"""``manage.py demo``: from an empty folder to a site that answers."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from demo.arguments import DEMO_PORT, add_demo_arguments
from demo.people import STAFF
from demo.rules import of as rules_of


class Command(BaseCommand):
    """Sets the demo site up and serves it."""

    help = "Set up the demo site, fill it with ninety days of traffic if it is empty, and serve it."
    requires_system_checks = []
    port = DEMO_PORT

    def add_arguments(self, parser: CommandParser) -> None:
        """Add host, port and what to leave out."""
        add_demo_arguments(parser, self.port)

    def handle(
        self,
        *args: Any,
        host: str,
        port: int,
        reset: bool,
        no_serve: bool,
        rules: str | None = None,
        **options: Any,
    ) -> None:
        """Migrate, seed, say where to look, serve."""
        if not no_serve:
            ensure_free(host, port)
        ensure_answers(connection)
        call_command("migrate", verbosity=0, interactive=False)
        # Without DEBUG the staff get random passwords, which only the seed can show.
        call_command("seed", reset=reset, if_empty=not reset, verbosity=0 if settings.DEBUG else 1)
        # What the site would have found by now.
        call_command("lockout_incidents", verbosity=0)
        self._tell(host, port)
        settings.LOCKOUT_ADMIN.update(rules_of(rules or ""))
        if not no_serve:
            self.serve(host, port)

    def serve(self, host: str, port: int) -> None:
        """Serve it."""
        call_command("runserver", f"{_in_url(host)}:{port}", use_reloader=False)

    def tell_where(self, host: str, port: int) -> None:
        """Say where to look."""
        base = url_of(host, port)
        if "BASE_URL" not in os.environ:
            settings.LOCKOUT_ADMIN["BASE_URL"] = base
        self.stdout.write(f"\n  Site    {base}/\n  Login   {base}/login/\n  Admin   {base}/admin/")
        self.stdout.write(f"  Mail    {base}/mail/")
        self.stdout.write(f"  JSON    POST {base}/api/login/ and {base}/api/alogin/\n")
        self.stdout.write(
            f"  Attack  python3 manage.py attack brute --url {base}  (in a second terminal)\n"
        )

    def _tell(self, host: str, port: int) -> None:
        self.tell_where(host, port)
        if settings.DEBUG:
            self.stdout.write("\n  Logins, for this demo only:")
            for person in STAFF:
                self.stdout.write(f"    {person.username:<8} {person.password:<13} {person.task}")
        self.stdout.write("")
        if not _is_loopback(host):
            warning = (
                f"Everybody who can reach {host} can sign in with the passwords above."
                " Serve on 127.0.0.1 if unsure."
            )
            self.stderr.write(self.style.WARNING(warning))
            self.stderr.write(
                "Add names other than localhost to ALLOWED_HOSTS in the environment:"
                " the site answers to no others."
            )


def ensure_free(host: str, port: int) -> None:
    """Raise `CommandError` if nobody can listen there."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            if os.name == "posix":  # elsewhere the option lets two programs share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        remedy = (
            "stop what listens there, or choose another port:"
            f" python3 manage.py demo --port {port % 65535 + 1}"
        )
        raise CommandError(
            f"Cannot listen on {host}, port {port}: {error.strerror}.\nRemedy: {remedy}"
        ) from None


def ensure_answers(database: Any) -> None:
    """Raise `CommandError` if there is no such database, or nobody may use it."""
    try:
        database.ensure_connection()
    except DatabaseError as error:
        told = " ".join(str(error).split())
        remedy = "create it or start its server, or correct DATABASE_URL in the environment"
        raise CommandError(f"The database does not answer: {told}\nRemedy: {remedy}.") from None


def url_of(host: str, port: int) -> str:
    """Return where a browser on this machine finds what listens there."""
    reachable = "127.0.0.1" if _is_any(host) else host
    return f"http://{_in_url(reachable)}:{port}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
