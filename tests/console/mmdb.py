"""Writes a small file in the format MaxMind DB 2.0, as the makers of such files do."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

_MARKER = b"\xab\xcd\xefMaxMind.com"
_TYPES = {"map": 7, "text": 2, "short": 5, "number": 6, "long": 9, "list": 11}


def write(path: Path, networks: dict[str, dict[str, Any]], *, ip_version: int = 6) -> str:
    """Write the records of networks; return where the file is."""
    nodes: list[list[Any]] = [[None, None]]
    data = b""
    for network, record in networks.items():
        _insert(nodes, _bits(network, ip_version), len(data))
        data += _encoded(record)
    size = len(nodes)
    tree = b"".join(_side(side, size).to_bytes(4) for node in nodes for side in node)
    about = {
        "binary_format_major_version": ("short", 2),
        "binary_format_minor_version": ("short", 0),
        "build_epoch": ("long", 1),
        "database_type": "Test",
        "description": {"en": "Test"},
        "ip_version": ("short", ip_version),
        "languages": [],
        "node_count": size,
        "record_size": ("short", 32),
    }
    path.write_bytes(tree + b"\0" * 16 + data + _MARKER + _encoded(about))
    return str(path)


def _bits(network: str, ip_version: int) -> str:
    parsed = ip_network(network)
    bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]
    # A file of IPv6 has those of IPv4 at ::/96.
    return "0" * 96 + bits if parsed.version < ip_version else bits


def _insert(nodes: list[list[Any]], bits: str, offset: int) -> None:
    node = 0
    for bit in bits[:-1]:
        if nodes[node][int(bit)] is None:
            nodes.append([None, None])
            nodes[node][int(bit)] = len(nodes) - 1
        node = nodes[node][int(bit)]
    nodes[node][int(bits[-1])] = ("data", offset)


def _side(side: Any, size: int) -> int:
    if side is None:
        return size
    return size + 16 + side[1] if isinstance(side, tuple) else side


def _encoded(value: Any) -> bytes:
    if isinstance(value, dict):
        parts = b"".join(_encoded(key) + _encoded(part) for key, part in value.items())
        return _control("map", len(value)) + parts
    if isinstance(value, list):
        return _control("list", len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, int):
        return _encoded(("number", value))
    if isinstance(value, tuple):
        kind, number = value
        length = (number.bit_length() + 7) // 8
        return _control(kind, length) + number.to_bytes(length)
    raw = value.encode()
    return _control("text", len(raw)) + raw


def _control(kind: str, length: int) -> bytes:
    number = _TYPES[kind]
    size, more = (length, b"") if length < 29 else (29, bytes([length - 29]))
    return (bytes([number << 5 | size]) if number < 8 else bytes([size, number - 7])) + more
