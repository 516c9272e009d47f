"""One question, whatever was typed: which names, which network."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import F

from ..identity.subject import USERNAME_MAX_LENGTH, Subject
from ..identity.text import cleaned
from ..models import AccountLock, FailedLogin, SuccessfulLogin
from ..models.fields import Network
from ..models.lookups import PartOf, StartsWith
from . import accounts, reach
from .inputs import is_like_address, network_in
from .reach import Column
from .selection import of_name, subjects_of
from .sight import Sight

#: Names that a list shows, …
SHOWN: Final = 20
#: … and rows of each kind that are looked at for them: thousands may have one name.
SAMPLE: Final = 1_000


class Where(StrEnum):
    """Where a name was found."""

    LOCKED = "locked"
    ACCOUNT = "account"
    EMAIL = "email"
    LOCK = "lock"
    FAILED = "failed"
    ENTERED = "entered"


@dataclass(slots=True)
class Name:
    """A name that was found, in the spelling that was found first."""

    text: str
    #: Whether it is just what was asked for.
    is_exact: bool
    where: set[Where] = field(default_factory=set)


@dataclass(slots=True)
class Found:
    """The answer to one question."""

    #: What was typed, fit to be shown.
    text: str
    network: Network | None = None
    names: list[Name] = field(default_factory=list)
    #: Columns of which the beginning was searched alone, and those that were not searched at all.
    by_beginning: list[Column] = field(default_factory=list)
    unasked: list[Column] = field(default_factory=list)
    #: Whether it looks like an address, and can be none.
    is_no_address: bool = False
    #: Whether accounts may have it in their e-mail address, which was not searched for a part.
    is_unread_of_emails: bool = False
    #: Whether there may be more names than these.
    is_cut: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether something was asked, and nothing was found."""
        return bool(self.text) and self.network is None and not self.names

    @property
    def is_part_of_email(self) -> bool:
        """Whether it looks like a part of an e-mail address, for which accounts were not asked."""
        return self.is_unread_of_emails and "@" in self.text

    @property
    def only_name(self) -> Name | None:
        """The one name that was meant: that of the one account, or the only one there is."""
        if self.network is not None:
            return None
        sure = [one for one in self.names if one.is_exact and one.where & _SURE]
        if self.is_part_of_email and not sure:
            return None
        candidates = sure or self.names
        return candidates[0] if len(candidates) == 1 else None


#: Whoever types such a name in full means it, whatever else has these letters in it.
_SURE: Final = {Where.LOCKED, Where.ACCOUNT, Where.EMAIL}
#: In which order names are listed.
_RANKS: Final = [Where.LOCKED, Where.ACCOUNT, Where.EMAIL, Where.LOCK, Where.ENTERED, Where.FAILED]


def find(typed: str, sight: Sight) -> Found:
    """Return what is meant by what was typed, as far as somebody may see it; any text will do."""
    text = cleaned(typed.strip(), USERNAME_MAX_LENGTH)
    found = Found(text)
    if not text:
        return found
    if sight.networks:
        found.network = network_in(text)
        found.is_no_address = found.network is None and is_like_address(text)
    if sight.names:
        search = _Search(found, sight)
        search.exactly()
        # A name that is an address is hardly ever what is meant: no part of one is looked for.
        if found.network is None:
            search.in_parts()
        search.sort()
    return found


class _Search:
    """Collects the names."""

    def __init__(self, found: Found, sight: Sight) -> None:
        self.found = found
        self.sight = sight
        self.subject = Subject.of(found.text)
        self.keys = subjects_of(found.text)
        self.names: dict[int, Name] = {}

    def exactly(self) -> None:
        """Find what has just this name: accounts, and what was seen of it in any spelling."""
        if self.sight.accounts:
            called = accounts.called(self.found.text)
            self.found.unasked = list(called.unasked)
            for account in called.accounts:
                is_username = Subject.of(account.username).key == self.subject.key
                self._add(account.username, Where.ACCOUNT if is_username else Where.EMAIL, True)
        for model, name, where in self._records():
            rows = of_name(model._base_manager.order_by(), self.found.text)
            for text in rows.values_list(name, flat=True)[:1]:
                self._add(text, where, True)

    def in_parts(self) -> None:
        """Find what has the text in it: anywhere where an index or a small table lets it."""
        records = [(Column(model, name), where) for model, name, where in self._records()]
        columns = self._of_accounts() if self.sight.accounts else []
        searched = [*columns, *(column for column, _where in records)]
        whole = reach.small(searched)
        if len(self.found.text) >= reach.TRIGRAM:
            whole |= reach.with_trigrams(searched)
        self.found.is_unread_of_emails = self._leaves_out_emails(whole)
        for column in searched:
            anywhere = column in whole
            where = dict(records).get(column)
            # Those of records are.
            if where is None and not anywhere and not column.is_indexed:
                self.found.unasked = list(dict.fromkeys([*self.found.unasked, column]))
                continue
            if not anywhere:
                self.found.by_beginning.append(column)
            if where is None:
                self._add_accounts(column, anywhere)
            else:
                self._add_records(column, where, anywhere)

    def _leaves_out_emails(self, whole: set[Column]) -> bool:
        """Tell whether it may be a part of an address of an account, and none was asked for it.

        `whole` are the columns in which any part of a text is found.
        """
        emails = {column for column in reach.of_accounts() if not column.is_username}
        return not emails <= whole and not _is_email(self.found.text)

    def sort(self) -> None:
        """Put the names in their order: what is locked first, and what was meant exactly."""
        if self.sight.locks:
            self._mark_locked()
        ranked = sorted(self.names.values(), key=_rank)
        self.found.is_cut |= len(ranked) > SHOWN
        self.found.names = ranked[:SHOWN]

    def _records(self) -> list[tuple[Any, str, Where]]:
        seen = [
            (self.sight.locks, (AccountLock, "label", Where.LOCK)),
            (self.sight.logins, (SuccessfulLogin, "username", Where.ENTERED)),
            (self.sight.failures, (FailedLogin, "username", Where.FAILED)),
        ]
        return [record for may_see, record in seen if may_see]

    def _of_accounts(self) -> list[Column]:
        # Letter by letter, anybody could find out whose address begins how.
        return [one for one in reach.of_accounts() if one.is_username or self.sight.users]

    def _add_accounts(self, column: Column, anywhere: bool) -> None:
        text = self.found.text
        is_email = not column.is_username
        rows = accounts.with_part(text, column, anywhere=anywhere)
        self.found.is_cut |= len(rows) == accounts.MOST
        for account in rows:
            self._add(account.username, Where.EMAIL if is_email else Where.ACCOUNT)

    def _add_records(self, column: Column, where: Where, anywhere: bool) -> None:
        lookup = PartOf if anywhere else StartsWith
        rows = column.rows.filter(lookup(F(column.name), self.found.text))
        if column.model is AccountLock:
            # Networks and devices have locks, too.
            rows = rows.filter(scope="account")
        texts = reach.sampled(rows, column.name, SAMPLE)
        self.found.is_cut |= len(texts) == SAMPLE
        for text in sorted(set(texts)):
            self._add(text, where)

    def _add(self, text: str, where: Where, is_exact: bool = False) -> None:
        key = subjects_of(text)[0]
        known = self.names.setdefault(key, Name(text, is_exact))
        known.where.add(where)

    def _mark_locked(self) -> None:
        every = {key: name for name in self.names.values() for key in subjects_of(name.text)}
        rows = AccountLock.objects.fresh().open().filter(subject__in=every, scope="account")
        for key in rows.order_by().values_list("subject", flat=True)[:SAMPLE]:
            every[key].where.add(Where.LOCKED)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _rank(name: Name) -> tuple[bool, list[int], str]:
    # Of two that are locked, the one that is an account comes first: nobody calls for the other.
    ranks = sorted(_RANKS.index(where) for where in name.where)
    return not name.is_exact, ranks, name.text.casefold()
