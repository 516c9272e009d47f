"""Who comes to the site of a benchmark, from where, with what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection

from lockout_admin.identity.client import Client
from lockout_admin.identity.network import network_of
from lockout_admin.identity.subject import Subject
from lockout_admin.models import FailedLogin, UserAgent

#: Names, addresses and agents that are neither loud nor rare: primes, so that each meets each.
NAMES: Final = 19_997
ADDRESSES: Final = 29_989
AGENTS: Final = 997
LOUD_NAME: Final = "user0"
LOUD_ADDRESS: Final = "198.51.100.7"
RARE_NAME: Final = "needle"
RARE_ADDRESS: Final = "2001:db8:ffff::1"
RARE_AGENT: Final = "Rare/1.0 (needle)"


def names() -> Iterator[tuple[Any, ...]]:
    """Yield names; those with an even number are of an account."""
    for number in range(NAMES + 2):
        text = f"ghost{number}" if number % 2 else f"user{number}"
        subject = Subject.of(RARE_NAME if number == 1 else text)
        yield number, subject.username, subject.key, subject.fine


def addresses() -> Iterator[tuple[Any, ...]]:
    field = FailedLogin._meta.get_field("ip_address")
    for number in range(ADDRESSES + 2):
        address = {0: LOUD_ADDRESS, 1: RARE_ADDRESS}.get(number, _address(number))
        row = FailedLogin.objects.build(Subject.of(""), Client(address, "", ""))
        stored = field.get_db_prep_save(address, connection)
        yield number, stored, row.network, row.wide_network, network_of(address)


def _address(number: int) -> str:
    if number % 10 == 0:
        return f"2001:db8:{number:x}::1"
    return f"{11 + number * 7 % 80}.{number >> 8}.{number & 255}.{number * 13 % 256}"


def agents() -> Iterator[tuple[Any, ...]]:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{}.0 Safari/537.36"
    texts = [RARE_AGENT, *map(chrome.format, range(AGENTS))]
    agents = [UserAgent(id=UserAgent.objects.key_of(text) or 0, text=text) for text in texts]
    UserAgent.objects.bulk_create(agents)
    yield from enumerate(agent.pk for agent in agents)
