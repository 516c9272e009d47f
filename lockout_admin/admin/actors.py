"""What somebody may do about an incident."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_permission_codename, get_user_model
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Actor:
    """Permissions of one person, by what they are for."""

    name: str
    is_root: bool
    #: To say what an incident is.
    changes: bool
    #: To block networks: those left out tell where people come in from, and what is allowed.
    blocks: bool
    #: To lock the accounts that were entered, whose names they may see.
    locks: bool
    #: To end sessions and passwords of these accounts.
    accounts: bool
    #: To have their owners told.
    tells: bool
    exports: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Actor:
        """Return it."""
        user = request.user
        own = "lockout_admin.{}".format
        users = get_user_model()._meta
        changing = f"{users.app_label}.{get_permission_codename('change', users)}"
        changes = user.has_perm(own("change_incident"))
        sees_entered = changes and user.has_perm(own("view_successfullogin"))
        return cls(
            name=user.get_username(),
            is_root=bool(getattr(user, "is_superuser", False)),
            changes=changes,
            blocks=sees_entered
            and all(map(user.has_perm, map(own, ("view_networkrule", "add_networkrule")))),
            locks=sees_entered and user.has_perm(own("lock_accountlock")),
            accounts=sees_entered and user.has_perm(changing),
            tells=sees_entered,
            exports=all(
                user.has_perm(own(name))
                for kind in ("failedlogin", "successfullogin")
                for name in (f"view_{kind}", f"export_{kind}")
            ),
        )
