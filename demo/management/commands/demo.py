"""``manage.py demo``: from an empty folder to a site that answers."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.arguments import add_demo_arguments
from demo.people import STAFF


class Command(BaseCommand):
    """Sets the demo site up and serves it."""

    help = "Set up the demo site, fill it with ninety days of traffic if it is empty, and serve it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add host, port and what to leave out."""
        add_demo_arguments(parser)

    def handle(self, *args: Any, host: str, port: int, reset: bool, no_serve: bool, **options: Any) -> None:
        """Migrate, seed, say where to look, serve."""
        if not no_serve:
            ensure_free(host, port)
        call_command("migrate", verbosity=0, interactive=False)
        # Random passwords, given out where the known ones would be reckless, are told by the seed alone.
        call_command("seed", reset=reset, if_empty=not reset, verbosity=0 if settings.DEBUG else 1)
        self._tell(host, port)
        if not no_serve:
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            call_command("runserver", address, use_reloader=False)

    def _tell(self, host: str, port: int) -> None:
        base = f"http://{'127.0.0.1' if _is_any(host) else f'[{host}]' if ':' in host else host}:{port}"
        self.stdout.write(f"\n  Site    {base}/\n  Login   {base}/login/\n  Admin   {base}/admin/")
        self.stdout.write(f"  JSON    POST {base}/api/login/ and {base}/api/alogin/\n")
        if settings.DEBUG:
            self.stdout.write("  Logins, for this demo only:")
            for person in STAFF:
                self.stdout.write(f"    {person.username:<8} {person.password:<13} {person.task}")
        self.stdout.write(f"\n  Attack  python3 manage.py attack brute --url {base}  (in a second terminal)\n")
        if not _is_loopback(host):
            warning = f"Whoever reaches {host} can sign in with the passwords above. Serve on 127.0.0.1 if unsure."
            self.stderr.write(self.style.WARNING(warning))
            self.stderr.write(
                "Names other than localhost are answered only if ALLOWED_HOSTS in the environment has them."
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
        remedy = f"stop what listens there, or choose another port: python3 manage.py demo --port {port % 65535 + 1}"
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror}.\nRemedy: {remedy}") from None


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
