"""A site with a history of any length, written by the database itself: ``INSERT … SELECT``.

A tenth of all there is came within the last day, the rest within the ninety days before. One name,
one account and one network are loud; another of each comes as rarely on big tables as on small
ones.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from lockout_admin.incidents.remedies import MOST_BLOCKED
from lockout_admin.models import (
    AccountLock,
    AuditEntry,
    FailedLogin,
    NetworkRule,
    Outbox,
    RefusedTries,
    SuccessfulLogin,
    TrustedDevice,
)

from .cast import ADDRESSES, AGENTS, NAMES, RARE_NAME, addresses, agents, names
from .happenings import PLACE, WHO, Happenings, Size
from .writing import DAY

_RARE_ROWS: Final = 5


def fill(size: Size) -> None:
    """Bring an empty database to a size."""
    call_command("migrate", verbosity=0)
    Crowd(size).write()


class Crowd(Happenings):
    """One filling of a database."""

    def write(self) -> None:
        """Write all of it; indexes of the big tables are made last, in one pass of a sort."""
        self._stage()
        self._users()
        outcome = "CASE WHEN s.i % 16 = 3 THEN 'locked' ELSE 'counted' END"
        self._visits(FailedLogin, self.size.failures, fine="who.fine", outcome=outcome)
        account = self.dialect.text("1 + who.n")
        event = "CASE WHEN s.i % 16 = 3 THEN 'verified' ELSE 'login' END"
        self._visits(SuccessfulLogin, self.size.successes, account=account, event=event)
        self._locks()
        self._besides()
        self.incidents()
        for table in ("who", "place", "agent"):
            self.run(f"DROP TABLE bench_{table}")
        for statement in self.dialect.analyse:
            self.run(statement)

    # -- What rows are made of ------------------------------------------------------------------

    def _stage(self) -> None:
        """Write names, addresses and agents, whose digests the database can't make."""
        address = FailedLogin._meta.get_field("ip_address").db_type(connection)
        of_names = "n integer PRIMARY KEY, username varchar(150), subject bigint, fine integer"
        of_places = (
            f"n integer PRIMARY KEY, ip {address}, network bigint, wide bigint, cidr varchar(43)"
        )
        self.create("who", of_names, names())
        self.create("place", of_places, addresses())
        self.create("agent", "n integer PRIMARY KEY, id bigint", agents())
        for statement in self.dialect.analyse:
            self.run(statement)

    # -- Tables ---------------------------------------------------------------------------------

    def _users(self) -> None:
        name = self.dialect.joined("'user'", self.dialect.text("s.i - 1"))
        self.insert(
            get_user_model(),
            self.size.users,
            username=name,
            email=self.dialect.joined(name, "'@example.com'"),
            password="'!'",
            date_joined=self.moment("86400 * 100"),
        )

    def _visits(self, model: Any, count: int, **more: str) -> None:
        self.insert(
            model,
            count,
            self._visitors(count),
            timestamp=self.spread(count),
            username="who.username",
            subject="who.subject",
            user_agent_id="agent.id",
            network="place.network",
            wide_network="place.wide",
            ip_address="place.ip",
            path="CASE WHEN s.i % 2 = 0 THEN '/admin/login/' ELSE '/api/token/' END",
            **more,
        )

    def _visitors(self, count: int) -> str:
        """Return the join that gives each row a name, an address and a user agent."""
        every = max(1, count // _RARE_ROWS)
        loud = f"WHEN s.i % {self.size.loud} ="
        rare = f"CASE WHEN s.i % {every} = 0 THEN"
        name = f"{rare} 1 {loud} 1 THEN 0 ELSE 2 + s.i * 7919 % {NAMES} END"
        place = f"{rare} 1 {loud} 2 THEN 0 ELSE 2 + s.i * 7907 % {ADDRESSES} END"
        # The agent that most have is on a page of the smallest site as well.
        agent = f"{rare} 0 {loud} 3 THEN 1 ELSE 1 + s.i * 7901 % {AGENTS} END"
        return (
            f"JOIN bench_who who ON who.n = {name} JOIN bench_place place ON place.n = {place}"
            f" JOIN bench_agent agent ON agent.n = {agent}"
        )

    def _locks(self) -> None:
        """A fifth is open; a tenth is of networks, a twentieth was put on by hand."""
        age = self.age(self.size.locks)
        self.insert(
            AccountLock,
            self.size.locks,
            self._visitors(self.size.locks),
            rule="CASE WHEN s.i % 20 = 5 THEN '' ELSE 'account' END",
            reason="CASE WHEN s.i % 20 = 5 THEN 'manual' ELSE 'limit' END",
            note="CASE WHEN s.i % 20 = 5 THEN 'Phishing report' ELSE '' END",
            locked_by="CASE WHEN s.i % 20 = 5 THEN 'staff' ELSE '' END",
            scope="CASE WHEN s.i % 20 = 10 THEN 'network' ELSE 'account' END",
            key="CASE WHEN s.i % 20 = 10 THEN COALESCE(place.network, 1) ELSE who.subject END",
            label="CASE WHEN s.i % 20 = 10 THEN place.cidr ELSE who.username END",
            subject="CASE WHEN s.i % 20 = 10 THEN NULL ELSE who.subject END",
            started_at=self.moment(age),
            until=f"CASE WHEN s.i % 5 = 0 THEN {self.moment('-86400 - s.i')}"
            f" ELSE {self.moment(f'{age} - 60')} END",
            failures="4",
            # The record of it is gone: as far back as the first rule counts.
            first_failure="NULL",
            refused="s.i % 50",
            settled="s.i % 5 <> 0",
        )

    def _besides(self) -> None:
        size = self.size
        tenth = size.failures // 10
        self.insert(
            AuditEntry,
            tenth,
            WHO,
            timestamp=self.spread(tenth),
            actor=f"CASE WHEN s.i % {max(1, tenth // _RARE_ROWS)} = 0 THEN '{RARE_NAME}'"
            " ELSE 'staff' END",
            action="CASE WHEN s.i % 3 = 0 THEN 'lock' ELSE 'unlock' END",
            label="who.username",
        )
        self.insert(
            RefusedTries,
            tenth,
            self._visitors(tenth),
            timestamp=self.moment(f"{DAY} / 4 * 1.0 * ({tenth} - s.i) / {tenth}"),
            username="who.username",
            subject="who.subject",
            user_agent_id="agent.id",
            network="place.network",
            ip_address="place.ip",
        )
        self.insert(
            Outbox,
            tenth,
            WHO,
            timestamp=self.spread(tenth),
            due=self.spread(tenth),
            sent_at=self.spread(tenth),
            kind="'locked'",
            state="'sent'",
            notifier="'mail'",
            nonce="''",
            subject="who.subject",
            username="who.username",
            account=self.dialect.text("1 + who.n"),
        )
        self.insert(
            TrustedDevice,
            size.successes // 10,
            f"{WHO} JOIN bench_agent agent ON agent.n = 1 + s.i % {AGENTS}",
            id="s.i",
            account=self.dialect.text("1 + who.n"),
            user_agent_id="agent.id",
            first_seen=self.spread(size.successes // 10),
            until=self.moment(f"-{DAY}"),
        )
        self.insert(
            NetworkRule,
            min(ADDRESSES, size.locks),
            PLACE,
            cidr="place.cidr",
            first="place.ip",
            action="'block'",
            # By hand, but for the networks of the first two incidents: those may be blocked yet.
            source=f"CASE WHEN s.i > {self.biggest} AND s.i <= {self.biggest + MOST_BLOCKED + 40}"
            " THEN 'published' ELSE '' END",
            created_at=self.moment("s.i"),
        )
