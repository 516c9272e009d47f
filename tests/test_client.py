"""The address is the last one that a trusted proxy vouches for."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from lockout_admin.identity import client
from lockout_admin.identity.client import Client, client_address, parse_address

PEER = "10.0.0.1"


def address(forwarded: str | None, peer: str = PEER, **keys: Any) -> str | None:
    meta = {
        "REMOTE_ADDR": peer,
        **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}),
    }
    with override_settings(LOCKOUT_ADMIN=keys):
        return client_address(meta)


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (None, PEER),
        ("", PEER),
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, garbage", None),
        ("garbage, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, ", None),
        ("010.1.1.1", None),
        ("x" * 100_000, None),
        ("1.2.3.4, " * 20_000 + "203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_header_is_walked_past_trusted_networks_only(
    forwarded: str | None, expected: str | None
) -> None:
    assert address(forwarded, TRUSTED_PROXIES=["10.0.0.0/8"]) == expected


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, "203.0.113.9", PEER),
        (1, None, PEER),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        (2, "1.2.3.4, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (40, "1.1.1.1, " * 50 + "203.0.113.9", "1.1.1.1"),
    ],
)
def test_a_number_of_proxies_is_counted_from_the_right(
    hops: int, forwarded: str | None, expected: str
) -> None:
    assert address(forwarded, TRUSTED_PROXIES=hops) == expected


def test_an_untrusted_peer_vouches_for_nobody() -> None:
    assert (
        address("203.0.113.9", peer="198.51.100.7", TRUSTED_PROXIES=["10.0.0.0/8"])
        == "198.51.100.7"
    )


def test_a_proxy_on_a_unix_socket_can_be_trusted() -> None:
    assert address("203.0.113.9", peer="", TRUSTED_PROXIES=["unix"]) == "203.0.113.9"
    assert address("203.0.113.9", peer="", TRUSTED_PROXIES=["10.0.0.0/8"]) is None


@pytest.mark.parametrize(
    ("header", "value", "address"),
    [
        # CloudFront: one address, always with a port.
        ("CloudFront-Viewer-Address", "198.51.100.10:46532", "198.51.100.10"),
        ("CloudFront-Viewer-Address", "2001:db8::29c:21:4653", "2001:db8::29c:21"),
        ("CloudFront-Viewer-Address", "[2001:db8::29c:21]:4653", "2001:db8::29c:21"),
        ("cloudfront-viewer-address", "2001:db8:0:0:1:2:3:4:443", "2001:db8::1:2:3:4"),
        ("CloudFront-Viewer-Address", "nonsense", None),
        # Application load balancers, which may keep the client's port.
        ("X-Forwarded-For", "203.0.113.7:4653", "203.0.113.7"),
        ("X-Forwarded-For", "[2001:db8::7]:4653", "2001:db8::7"),
        ("X-Forwarded-For", "2001:db8::7", "2001:db8::7"),
        # Azure's application gateway; Front Door.
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.7:4653", "203.0.113.7"),
        ("X-Azure-ClientIP", "203.0.113.7", "203.0.113.7"),
        ("X-Azure-SocketIP", "2001:db8::7", "2001:db8::7"),
        # Cloudflare, Fastly, Fly, Akamai.
        ("CF-Connecting-IP", "2001:db8::7", "2001:db8::7"),
        ("Fastly-Client-IP", "203.0.113.7", "203.0.113.7"),
        ("Fly-Client-IP", "203.0.113.7", "203.0.113.7"),
        ("True-Client-IP", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_formats_of_providers_are_read(
    header: str, value: str, address: str | None, settings: Any
) -> None:
    settings.LOCKOUT_ADMIN = {"FORWARDED_HEADER": header, "TRUSTED_PROXIES": 1}
    meta = {"REMOTE_ADDR": PEER, "HTTP_" + header.upper().replace("-", "_"): value}
    assert client_address(meta) == address


@pytest.mark.parametrize(
    "header", ["CF-Connecting-IP", " cf-connecting-ip ", "HTTP_CF_CONNECTING_IP"]
)
def test_a_proxy_may_use_another_header(header: str) -> None:
    meta = {"REMOTE_ADDR": PEER, "HTTP_CF_CONNECTING_IP": "203.0.113.9"}
    with override_settings(LOCKOUT_ADMIN={"TRUSTED_PROXIES": 1, "FORWARDED_HEADER": header}):
        assert client_address(meta) == "203.0.113.9"


@given(st.text(max_size=200), st.text(max_size=50))
def test_whatever_is_sent_the_answer_is_an_address_or_none(forwarded: str, peer: str) -> None:
    found = address(forwarded, peer, TRUSTED_PROXIES=["0.0.0.0/0", "::/0", "unix"])
    assert found is None or str(parse_address(found)) == found


@pytest.fixture
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_untold_proxy", client._UntoldProxy())


@pytest.mark.usefixtures("_fresh_process")
@pytest.mark.parametrize("peer", [PEER, "::1", ""])
def test_an_undeclared_proxy_is_told_once_and_not_believed(
    peer: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        assert address("203.0.113.9", peer) != "203.0.113.9"
    records = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert len(records) == 1
    assert "TRUSTED_PROXIES" in records[0].getMessage()


@pytest.mark.usefixtures("_fresh_process")
@pytest.mark.parametrize(
    ("forwarded", "peer", "keys"),
    [
        ("203.0.113.9", "198.51.100.7", {}),
        ("203.0.113.9", PEER, {"TRUSTED_PROXIES": 0}),
        (None, PEER, {}),
    ],
)
def test_nothing_is_told_when_nothing_is_wrong(
    forwarded: Any, peer: str, keys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # Documentation addresses count as private, so a public one stands for the stranger here.
    address(forwarded, peer.replace("198.51.100.7", "8.8.8.8"), **keys)
    assert not caplog.records


def test_user_agent_and_path_are_cleaned_and_cut() -> None:
    request = RequestFactory().get("/" + "x" * 500, HTTP_USER_AGENT="Fire\nfox" + "y" * 100_000)
    found = Client.of(request)
    assert (len(found.path), len(found.user_agent)) == (255, 1024)
    assert found.user_agent.startswith("Fire\N{REPLACEMENT CHARACTER}fox")


def test_no_request_is_no_client() -> None:
    assert Client.of(None) == Client(None, "", "")
