"""One attempt under way, and what it falls into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from ..identity.browser import Browser
from ..identity.client import Client
from ..identity.device import device_of
from ..identity.network import network_of
from ..identity.passwords import digest_of
from ..identity.subject import Subject
from ..models import FailedLogin
from . import commonness, fingerprints
from .buckets import Matters, buckets_of, matters_of
from .rules import Bucket, Facts, matter_of
from .ruleset import rules_in_force
from .slots import Place, Slot
from .standing import Standing
from .states import Failure


@dataclass(slots=True)
class Attempt:
    """One attempt under way."""

    subject: Subject
    client: Client
    request: Any
    started: datetime
    #: Where it came from, if that can be told.
    network: str | None
    #: The browser that it came with, …
    browser: Browser | None = None
    #: … and the trusted device that this is for the name; ``None``: it is a stranger's.
    device: int | None = None
    #: By the rules in force when it came in: what it falls into in each rule, …
    buckets: tuple[Bucket, ...] = ()
    #: … each matter once, with the rules that count it, …
    matters: Matters = field(default_factory=dict)
    #: … and where it takes its slots.
    places: tuple[Place, ...] = ()
    #: Where the store remembers that this password was tried; empty where it is not to be told.
    fingerprint: str = ""
    #: Whether the password is on Django's list of common ones; ``None``: it was not seen.
    common: bool | None = None
    #: What the database and the store said then.
    standing: Standing = field(default_factory=lambda: Standing({}))
    #: Empty for one that was verified elsewhere, until it fails.
    slots: tuple[Slot, ...] = ()
    #: Tells the password from others in this process; empty where none was given.
    digest: bytes = field(default=b"", repr=False)
    #: Tells it from others on this site, in memory only; 0 where none was given.
    guess: int = field(default=0, repr=False)
    #: Whether it has answered a challenge: an answer is good once.
    has_answered: bool = False
    #: Whether the name can only be the username of an account that Django has.
    is_of_django: bool = False
    #: The record of its failure, once it is written, …
    row: FailedLogin | None = None
    #: … what is foreseen of it until then, …
    foreseen: Failure | None = None
    #: … and whether it is to be none: see `submissions`.
    is_taken_back: bool = False

    @property
    def browser_id(self) -> int | None:
        """The number of the browser, if it has one."""
        return (self.browser.id or None) if self.browser else None


def prepared(
    username: object,
    request: Any = None,
    password: Any = "",
    client: Client | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Attempt:
    """Return an attempt that has taken nothing yet."""
    subject = Subject.of(username)
    client = client or Client.of(request)
    network = network_of(client.ip_address)
    browser = Browser.of(request)
    attempt = Attempt(
        subject,
        client,
        request,
        timezone.now(),
        network,
        browser,
        fingerprint=fingerprints.of(subject, network, password, beside or {}),
        common=commonness.of(password),
        digest=digest_of(password),
        guess=fingerprints.guess_of(password),
    )
    sort_into(attempt, device_of(request, browser, subject))
    return attempt


def sort_into(attempt: Attempt, device: int | None) -> None:
    """Put an attempt into the buckets of the rules in force, as from a trusted device or without.

    Where no rule counts what comes from devices, all are strangers: nothing would be limited.
    """
    rules = rules_in_force()
    attempt.device = device if any(rule.scope.is_of_devices for rule in rules) else None
    facts = Facts(attempt.subject, attempt.client, attempt.device)
    attempt.buckets = buckets_of(facts, rules)
    set_matters(attempt)
    places = (Place.of(matter, rules) for matter, rules in attempt.matters.values())
    attempt.places = tuple(place for place in places if place)


def set_matters(attempt: Attempt) -> None:
    """Say what is counted and locked for an attempt, by its buckets."""
    # A lock by hand binds, whichever rules there are.
    own = matter_of(attempt.subject)
    attempt.matters = {own.key: (own, ()), **matters_of(attempt.buckets)}
