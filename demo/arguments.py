"""The arguments of ``manage.py demo``, known before Django is installed."""

from __future__ import annotations

import argparse

from demo.rules import ACCOUNT


def port_number(text: str) -> int:
    """Return the TCP port in `text`."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 1 to 65535.")
    return int(text)


def add_demo_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to a parser."""
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, this machine)",
    )
    parser.add_argument(
        "--port", type=port_number, default=8000, help="port to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--reset",
        action="store_true",
        help="delete the records and accounts of the demo, seed anew",
    )
    parser.add_argument(
        "--rules",
        choices=[ACCOUNT],
        help="account: the rule of old alone, to compare with (default: all rules)",
    )
    parser.add_argument("--no-serve", action="store_true", help="set everything up, then stop")
