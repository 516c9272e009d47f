"""``manage.py lockout_groups``: the groups for those who work with the console."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError

#: Group -> codenames of its permissions.
GROUPS = {
    "lockout support": ["view_failedlogin", "view_accountlock", "unlock_accountlock"],
    "lockout security": [
        *("view_failedlogin", "view_accountlock", "unlock_accountlock"),
        *("lock_accountlock", "export_failedlogin", "export_accountlock"),
    ],
}


class Command(BaseCommand):
    """Create the groups; again is harmless."""

    help = (
        "Creates two groups for staff who work with the lockout console: 'lockout support' sees the failed logins and"
        " the locks and unlocks; 'lockout security' also locks by hand and exports. May be run again: permissions that"
        " are missing are added, others and the members are left alone. Members need the staff status to use the admin."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create them."""
        for name, codenames in GROUPS.items():
            permissions = Permission.objects.filter(content_type__app_label="lockout_admin", codename__in=codenames)
            if len(permissions) != len(codenames):
                raise CommandError("The permissions are not there yet. Run 'manage.py migrate' first.")
            group, created = Group.objects.get_or_create(name=name)
            group.permissions.add(*permissions)
            self.stdout.write(f"Group '{name}' {'created' if created else 'is up to date'}: {', '.join(codenames)}.")
