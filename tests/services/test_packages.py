"""Other people's packages, with the recipes of docs/integration.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from lockout_admin.backends import LockoutBackend
from lockout_admin.models import FailedLogin

from ..guard.test_odd_credentials import HashesItself
from .directory import PEOPLE, Directory, directory
from .recipes import code_of, recipe_site
from .servers import Site

# -- bcrypt -------------------------------------------------------------------------------------

BCRYPT = ["django.contrib.auth.hashers.BCryptPasswordHasher"]


@pytest.mark.django_db
@pytest.mark.parametrize("backend", [LockoutBackend, HashesItself])
@pytest.mark.parametrize("username", ["alice", "nobody"])
@pytest.mark.parametrize("password", ["x" * 73, "é" * 37, "x" * 5000], ids=len)
def test_a_password_that_bcrypt_cannot_take_is_wrong_and_counts(
    password: str, username: str, backend: type
) -> None:
    with override_settings(PASSWORD_HASHERS=BCRYPT):
        get_user_model().objects.create_user("alice", password="right")
        assert backend().authenticate(None, username=username, password=password) is None
        assert backend().authenticate(None, username="alice", password="right")
    assert FailedLogin.objects.get().username == username


# -- Backends without passwords -----------------------------------------------------------------

APPS = 'INSTALLED_APPS += ["guardian", "oauth2_provider", "django_filters", "import_export"]\n'
OIDC = "OIDC_OP_TOKEN_ENDPOINT = OIDC_OP_USER_ENDPOINT = 'https://example.com/'\n"
#: Findings of ours; that it sends no mail (W031) is how this site is.
FINDINGS = """
from django.core.checks import run_checks
found = run_checks(include_deployment_checks=True)
ids = sorted(message.id[14:] for message in found if message.id.startswith("lockout_admin."))
ids.remove("W031")
print(ids)
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "[]"),
        ('LOCKOUT_ADMIN["PASSWORD_FREE_BACKENDS"] = []\n', "['E010', 'E010', 'E010', 'W019']"),
    ],
)
def test_backends_without_passwords_are_listed(
    more: str, expected: str, postgres: str, tmp_path: Path
) -> None:
    settings = APPS + OIDC + code_of("Beside other backends") + more
    site = recipe_site(tmp_path, settings, DATABASE_URL=postgres)
    site.run("-m", "django", "migrate", "-v0")
    assert site.python(FINDINGS) == expected


# -- LDAP ---------------------------------------------------------------------------------------

LDAP = """
AUTH_LDAP_SERVER_URI = "{url}"
AUTH_LDAP_USER_DN_TEMPLATE = "uid=%(user)s,{people}"
"""
#: What comes of guesses, each a pair of name and password.
TRY = """
import ldap
from directory import DirectoryBackend
from lockout_admin.exceptions import AccountLocked
from lockout_admin.models import AccountLock, FailedLogin
def answer(name, password):
    try:
        return "in" if DirectoryBackend().authenticate(None, name, password) else "wrong"
    except AccountLocked:
        return "refused"
    except ldap.LDAPError:
        return "down"
answers = [answer(*guess) for guess in {guesses}]
print(",".join(answers), FailedLogin.objects.count(), AccountLock.objects.count())
"""


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Directory]:
    with directory(tmp_path / "ldap") as server:
        yield server


@pytest.fixture
def ldap_site(people: Directory, postgres: str, tmp_path: Path) -> Site:
    (tmp_path / "directory.py").write_text(code_of("LDAP", "directory.py"))
    settings = code_of("LDAP", "mysite/settings.py") + LDAP.format(url=people.url, people=PEOPLE)
    site = recipe_site(tmp_path, settings, DATABASE_URL=postgres, STORE="table")
    site.run("-m", "django", "migrate", "-v0")
    assert site.python(FINDINGS) == "[]"
    return site


def test_a_directory_that_is_down_counts_for_nothing(people: Directory, ldap_site: Site) -> None:
    right = [("alice", "right")]
    people.stop()
    assert ldap_site.python(TRY.format(guesses=right * 10)) == ",".join(["down"] * 10) + " 0 0"
    people.start()
    assert ldap_site.python(TRY.format(guesses=right)) == "in 0 0"


def test_a_name_of_the_directory_has_four_guesses_under_all_its_spellings(ldap_site: Site) -> None:
    spellings = ["alice", "ALICE", " alice", "\N{FULLWIDTH LATIN SMALL LETTER A}lice"]
    wrong = [(name, f"guess {number}") for number, name in enumerate(spellings * 3)]
    said = ldap_site.python(TRY.format(guesses=[*wrong, ("alice", "right")]))
    assert said == ",".join(["wrong"] * 4 + ["refused"] * 9) + " 4 1"


def test_a_name_that_is_no_name_counts(ldap_site: Site) -> None:
    names = ["*", "alice)(uid=*", "alice,ou=people", "\\2a", "a" * 300, "#", "\0"]
    guesses = [(name, f"guess {number}") for name in names for number in range(6)]
    said = ldap_site.python(TRY.format(guesses=guesses))
    answers = ["wrong"] * 4 + ["refused"] * 2
    assert said == ",".join(answers * len(names)) + f" {4 * len(names)} {len(names)}"
