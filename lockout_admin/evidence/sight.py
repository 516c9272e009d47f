"""What somebody may see: a page leaves out the rest, and does not tell that it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from django.contrib.auth import get_permission_codename, get_user_model


@dataclass(frozen=True, slots=True)
class Sight:
    """Permissions of one person, by what they open."""

    locks: bool = False
    failures: bool = False
    logins: bool = False
    devices: bool = False
    #: Which networks are blocked and allowed.
    rules: bool = False
    #: The accounts themselves: addresses, whether they are switched off.
    users: bool = False

    @classmethod
    def of(cls, has_perm: Callable[[str], bool]) -> Self:
        """Return the sight of whoever has permissions."""
        opts = get_user_model()._meta
        verbs = ("view", "change")
        names = [f"{opts.app_label}.{get_permission_codename(verb, opts)}" for verb in verbs]
        return cls(
            locks=has_perm("lockout_admin.view_accountlock"),
            failures=has_perm("lockout_admin.view_failedlogin"),
            logins=has_perm("lockout_admin.view_successfullogin"),
            devices=has_perm("lockout_admin.view_trusteddevice"),
            rules=has_perm("lockout_admin.view_networkrule"),
            users=any(map(has_perm, names)),
        )

    @property
    def accounts(self) -> bool:
        """Whether they may know which names an account has: a lock alone does not tell it."""
        return self.failures or self.users

    @property
    def names(self) -> bool:
        """Whether there is anything of a name that they may see."""
        return self.locks or self.failures or self.logins

    @property
    def networks(self) -> bool:
        """Whether there is anything of a network that they may see."""
        return self.names or self.rules
