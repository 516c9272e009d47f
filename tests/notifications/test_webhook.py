"""The security team's webhook: signed, tried again, and never led inside."""

from __future__ import annotations

import base64
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.test import override_settings
from freezegun.api import FrozenDateTimeFactory

from lockout_admin.models import Outbox
from lockout_admin.notifications import sender
from lockout_admin.notifications.addresses import (
    Deadline,
    PrivateAddressError,
    connected,
    is_public,
)
from lockout_admin.notifications.webhook import signature

Guess = Callable[..., Any]
WEBHOOK = "lockout_admin.notifications.webhook.WebhookNotifier"
SECRET = "whsec_c2VjcmV0"  # the word "secret"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers as it is told to."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        taken = (self.path, self.headers, self.rfile.read(length))
        self.server.taken.append(taken)  # type: ignore[attr-defined]
        if self.server.clock is not None:  # type: ignore[attr-defined]
            self.drip(self.server.clock)  # type: ignore[attr-defined]
            return
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Location", "/inside")
        self.end_headers()

    def drip(self, clock: FrozenDateTimeFactory) -> None:
        """Give a byte every four seconds: each read gets something in time."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 204 No Content\r\n")
            for _ in range(50):  # pragma: no branch - who waits hangs up
                self.wfile.write(b"X")
                clock.tick(4)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Any]:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.taken, server.status, server.clock = [], 204, None  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        own = {
            "CACHE": "default",
            "NOTIFIERS": [WEBHOOK],
            "WEBHOOK_URL": f"http://127.0.0.1:{server.server_port}/hook",
            "WEBHOOK_SECRET": SECRET,
            "WEBHOOK_TO_PRIVATE": True,
        }
        with override_settings(LOCKOUT_ADMIN=own):
            yield server
        server.shutdown()
        thread.join()


def test_a_lock_is_posted_whoever_has_the_name(receiver: Any, guess: Guess) -> None:
    guess("nobody", times=4)
    assert sender.send_due().sent == 1
    ((path, headers, body),) = receiver.taken
    content = json.loads(body)
    assert path == "/hook"
    assert content["type"] == "lockout.locked"
    assert content["data"]["username"] == "nobody"
    assert content["data"]["failures"] == 4
    assert content["data"]["ip_address"] == "203.0.113.5"
    assert headers["webhook-id"] == f"msg_{Outbox.objects.get().nonce}"


def test_what_is_posted_is_signed(receiver: Any, guess: Guess) -> None:
    guess(times=4)
    sender.send_due()
    ((_path, headers, body),) = receiver.taken
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(b"secret", signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"


@pytest.mark.parametrize("secret", ["secret", SECRET])
def test_a_secret_may_be_text_or_base64(secret: str) -> None:
    """The example of standardwebhooks.com, with a secret of our own."""
    headers = signature(secret, "msg_1", 1_614_265_330, b'{"test": 2432232314}')
    expected = hmac.digest(b"secret", b'msg_1.1614265330.{"test": 2432232314}', "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_a_secret_that_only_looks_like_base64_is_text() -> None:
    headers = signature("whsec_*", "msg_1", 1, b"")
    expected = hmac.digest(b"whsec_*", b"msg_1.1.", "sha256")
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 500])
def test_anything_but_a_yes_is_a_failure(status: int, receiver: Any, guess: Guess) -> None:
    receiver.status = status
    guess(times=4)
    assert sender.send_due().postponed == 1
    assert len(receiver.taken) == 1  # no redirect is followed


def test_a_receiver_that_drips_is_given_up(
    receiver: Any, clock: FrozenDateTimeFactory, guess: Guess
) -> None:
    """One deadline for a whole exchange: else it keeps the sender for as long as it likes."""
    receiver.clock = clock
    guess(times=4)
    assert sender.send_due().postponed == 1
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("missing", ["WEBHOOK_URL", "WEBHOOK_SECRET"])
def test_without_a_receiver_or_a_secret_nothing_is_kept(
    missing: str, receiver: Any, guess: Guess, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, missing: ""}
    guess(times=4)
    assert Outbox.objects.count() == 0


def test_private_addresses_are_not_posted_to(receiver: Any, guess: Guess, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "WEBHOOK_TO_PRIVATE": False}
    guess(times=4)
    assert sender.send_due().postponed == 1
    assert receiver.taken == []


def test_a_certificate_is_asked_for(receiver: Any, guess: Guess, settings: Any) -> None:
    url = settings.LOCKOUT_ADMIN["WEBHOOK_URL"].replace("http:", "https:")
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "WEBHOOK_URL": url}
    guess(times=4)
    assert sender.send_due().postponed == 1
    assert receiver.taken == []


# -- Addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("2002:7f00:1::", "2002:a00:1::1", "2001::f5ff:fffe", "64:ff9b:1::7f00:1"),
        # Of a site's own, IPv4-compatible, translated, and what nobody was given.
        *("fec0::1", "feff::1", "::127.0.0.1", "::a00:1", "::1.1.1.1", "::ffff:0:10.0.0.1"),
        *("::ffff:0:127.0.0.1", "4000::1", "1::1"),
    ],
)
def test_an_inner_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: a second answer would lead inside."""
    asked: list[str] = []

    def answers(host: str, port: int, **options: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) > 1 else "1.1.1.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    places: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setattr(socket.socket, "connect", lambda sock, place: places.append(place))
    connected("rebinding.example", 443, Deadline(1.0), to_private=False).close()
    assert (asked, places) == (["rebinding.example"], [("1.1.1.1", 443)])


def test_of_several_addresses_the_public_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("10.0.0.1", "1.1.1.1", "1.0.0.1")
    ]
    places: list[str] = []

    def connect(sock: Any, place: Any) -> None:
        places.append(place[0])
        if place[0] == "1.1.1.1":
            raise OSError("gone")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **options: found)
    monkeypatch.setattr(socket.socket, "connect", connect)
    connected("mixed.example", 80, Deadline(1.0), to_private=False).close()
    assert places == ["1.1.1.1", "1.0.0.1"]


def test_where_nobody_answers_it_is_said() -> None:
    with pytest.raises(OSError, match="refused"):
        connected("127.0.0.1", 1, Deadline(1.0), to_private=True)
    with pytest.raises(PrivateAddressError, match="WEBHOOK_TO_PRIVATE"):
        connected("localhost", 1, Deadline(1.0), to_private=False)
