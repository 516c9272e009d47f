"""Who has an account on the demo site, and what for. The passwords are public: never reuse them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.utils.crypto import get_random_string

from lockout_admin.management.commands.lockout_groups import GROUPS


@dataclass(frozen=True, slots=True)
class Person:
    """An account of the demo site."""

    username: str
    password: str
    #: Shown beside the password.
    task: str
    #: The group, see `lockout_groups`.
    role: str = ""
    is_superuser: bool = False

    @property
    def places(self) -> tuple[str, str]:
        """The addresses of home and of work: documentation's (RFC 3849)."""
        number = _NUMBERS.get(self.username, 0)
        return f"2001:db8:a:{number:x}::1", f"2001:db8:b:{number:x}::1"


SUPPORT: Final = "lockout support"
SECURITY: Final = "lockout security"

STAFF: Final = (
    Person("admin", "demo-admin", "administrator: everything", is_superuser=True),
    Person("support", "demo-support", "support agent: looks up and unlocks usernames", SUPPORT),
    Person("analyst", "demo-analyst", "security analyst: locks, blocks, exports", SECURITY),
)
ALICE: Final = Person("alice", "demo-alice", "account holder")
#: In the leak that the stuffing attack tries: no lockout helps against a password used twice.
CAROL: Final = Person("carol", "sunshine1", "account holder whose password has leaked elsewhere")

_HOLDERS: Final = (
    "bob dave erin frank grace heidi ivan judy karl laura mike nina oscar peggy quentin rosa "
    "sybil trent ursula victor wendy xenia yusuf zoe andrea.smith b.jones chen.wei fatima.ali "
    "j.garcia maria.rossi o.svensson"
)
HOLDERS: Final = (
    ALICE,
    CAROL,
    *(Person(name, "demo-account", "account holder") for name in _HOLDERS.split()),
)
SHOWN: Final = (*STAFF, ALICE)
_NUMBERS: Final = {person.username: number for number, person in enumerate(HOLDERS, 1)}
#: Locked by hand in the seed: nothing lets them in, under attack or not.
BARRED: Final = frozenset({"dave", "mike", "b.jones", "maria.rossi"})
_FREE: Final = tuple(person for person in HOLDERS if person.username not in BARRED)
#: Those whom the attack `malice` is to keep out.
ATTACKED: Final = _FREE[:10]
#: Those whom no attack names: they log in beside it.
BESIDE: Final = _FREE[10:26]


def settle() -> list[Person]:
    """Create the accounts that are missing; return the staff that got a password.

    Published passwords are for a site in DEBUG mode; elsewhere the staff get random ones.
    """
    staff = [person if settings.DEBUG else _with_random_password(person) for person in STAFF]
    people = (*staff, *_holders())
    # A hash takes half a second on purpose, so people with one password share it.
    hashes = {
        password: make_password(password) for password in {person.password for person in people}
    }
    return [person for person in people if _create(person, hashes) and person.username in _NAMES]


_NAMES: Final = frozenset(person.username for person in STAFF)


def _holders() -> tuple[Person, ...]:
    return HOLDERS if settings.DEBUG else ()


def _with_random_password(person: Person) -> Person:
    return Person(
        person.username, get_random_string(16), person.task, person.role, person.is_superuser
    )


def _create(person: Person, hashes: dict[str, str]) -> bool:
    is_staff = person.username in _NAMES
    user, created = get_user_model().objects.get_or_create(
        username=person.username,
        defaults={
            "password": hashes[person.password],
            "email": f"{person.username}@example.com",
            "is_staff": is_staff,
            "is_superuser": person.is_superuser,
        },
    )
    if created and person.role:
        user.groups.add(group_of(person.role))
    return created


def group_of(role: str) -> Group:
    """Return a group that ``manage.py lockout_groups`` makes, with its permissions of today."""
    group, _ = Group.objects.get_or_create(name=role)
    permissions = Permission.objects.filter(content_type__app_label="lockout_admin")
    group.permissions.set(permissions.filter(codename__in=GROUPS[role]))
    return group
