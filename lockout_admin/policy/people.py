"""Whose names the names of a log are: the accounts of the site, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Final, TypeAlias

from ..defences import lists
from ..engine.rules import Facts, Scope
from ..identity import columns, names
from ..identity.client import Client
from ..identity.subject import Subject
from .reading import Entry, Guess

#: Accounts, and addresses in each scope, that are remembered.
_ACCOUNTS: Final = 4_096
_ADDRESSES: Final = 16_384
#: From an attempt to what tells the thing that it falls into from others of the scope.
Teller: TypeAlias = Callable[[Facts, Guess | Entry], Hashable | None]
_NOBODY: Final = Subject("", (0,), (0,))


class People:
    """Asks for accounts, and for what an address falls into, as the engine does; remembers both."""

    def __init__(self) -> None:
        self._tellers: dict[Scope, Teller] = {}
        self._user = lru_cache(maxsize=_ACCOUNTS)(names.look_up_account)
        self._last: Facts | None = None
        self._has_lists = lists.are_any()
        self._has_other_names = len(columns.lookup_fields()) > 1

    def teller(self, scope: Scope) -> Teller:
        """Return a function that tells what an attempt falls into within a scope.

        What one address falls into is remembered, for all sets of rules.
        """
        if scope not in self._tellers:
            self._tellers[scope] = self._teller(scope)
        return self._tellers[scope]

    def _teller(self, scope: Scope) -> Teller:
        if not scope.is_of_addresses:
            tell = _brief(scope)
            return lambda facts, _visit: tell(facts)
        of_address = _remembering(scope)
        column = scope.column
        if column is None or self._has_lists:
            return of_address

        def of_row(facts: Facts, visit: Guess | Entry) -> Hashable | None:
            if visit.network is None:  # perhaps of a time when the site's proxies were not known
                return of_address(facts, visit)
            return visit.numbers[column] if facts.device is None else None

        return of_row

    def facts(self, subject: Subject, client: Client, device: int | None) -> Facts:
        """Return who attempts; the same to each set of rules."""
        last = self._last
        if (
            last is None
            or last.subject is not subject
            or last.client is not client
            or last.device != device
        ):
            last = self._last = Facts(subject, client, device)
        return last

    def own_fines(self, subject: Subject, entry: Entry) -> set[int]:
        """Return the digests of the spellings that are the account's who came in."""
        typed = subject if subject.fines else Subject.of(subject.username)
        return names.own_fines(typed, self._user(entry.account))

    def is_ambiguous(self, subject: Subject, entry: Entry) -> bool:
        """Tell whether another account may have come in by the name."""
        return names.is_ambiguous(subject, self._user(entry.account))

    def other_names(self, entry: Entry) -> list[Subject]:
        """Return the further names by which the site finds the account."""
        if not self._has_other_names:
            return []
        found = names.others(entry.subject, self._user(entry.account))
        return [Subject.of(name) for name in found]


def _brief(scope: Scope) -> Callable[[Facts], Hashable | None]:
    def key(facts: Facts) -> int | None:
        matter = scope.of(facts)
        return None if matter is None else matter.key

    return scope.brief or key


def _remembering(scope: Scope) -> Teller:
    tell = _brief(scope)

    @lru_cache(maxsize=_ADDRESSES)
    def of_address(address: str | None, device: int | None) -> Hashable | None:
        return tell(Facts(_NOBODY, Client(address), device))

    return lambda facts, _visit: of_address(facts.client.ip_address, facts.device)
