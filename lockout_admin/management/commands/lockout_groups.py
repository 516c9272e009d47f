"""``manage.py lockout_groups``: the groups for those who work with the console."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError

_SUPPORT = (
    "view_failedlogin",
    "view_successfullogin",
    "view_accountlock",
    "unlock_accountlock",
    "view_trusteddevice",
    "revoke_trusteddevice",
    "view_networkrule",
    "view_incident",
)
#: Group -> codenames of its permissions.
GROUPS = {
    "lockout support": [*_SUPPORT],
    "lockout security": [
        *_SUPPORT,
        "lock_accountlock",
        "export_failedlogin",
        "export_successfullogin",
        "export_accountlock",
        "view_auditentry",
        "add_networkrule",
        "change_networkrule",
        "delete_networkrule",
        "export_networkrule",
        "change_incident",
        "view_exemption",
        "change_exemption",
        "receive_alerts",
    ],
}


class Command(BaseCommand):
    """Create the groups; running it again is harmless."""

    help = (
        "Create two groups for staff who work with the lockout console: 'lockout support' sees the"
        " logins, failed and successful, and the locks, and unlocks; 'lockout security' also locks"
        " by hand, blocks and allows networks, and exports. Run it again to add permissions that"
        " are missing; it changes nothing else. Members need the staff status to use the admin."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create them."""
        for name, codenames in GROUPS.items():
            permissions = Permission.objects.filter(
                content_type__app_label="lockout_admin", codename__in=codenames
            )
            if len(permissions) != len(codenames):
                raise CommandError(
                    "The permissions are not there yet. Run 'manage.py migrate' first."
                )
            group, created = Group.objects.get_or_create(name=name)
            group.permissions.add(*permissions)
            state = "created" if created else "is up to date"
            self.stdout.write(f"Group '{name}' {state}: {', '.join(codenames)}.")
