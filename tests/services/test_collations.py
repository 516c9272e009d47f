"""No two names that a case-insensitive database takes for one have two budgets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .servers import execute, site

COLLATIONS = [
    "utf8mb4_general_ci",
    "utf8mb4_unicode_ci",
    "utf8mb4_unicode_520_ci",
    "utf8mb4_uca1400_ai_ci",
]

#: Each character of the first two planes that MariaDB takes for ASCII or for nothing.
ALIKE = """
import json
from django.db import connection
from lockout_admin.identity.subject import folded
with connection.cursor() as cursor:
    column = 'name VARCHAR(9) CHARACTER SET utf8mb4 COLLATE {collation}'
    cursor.execute(f'CREATE TEMPORARY TABLE typed ({{column}}, spelling INT)')
    characters = [code for code in range(33, 0x20000) if not 0xd800 <= code < 0xe000]
    rows = [(f'bo{{chr(code)}}b', code) for code in characters]
    cursor.executemany('INSERT INTO typed VALUES (%s, %s)', rows)
    found = []
    for letter in ['', *'abcdefghijklmnopqrstuvwxyz0123456789']:
        cursor.execute('SELECT spelling FROM typed WHERE name = %s', [f'bo{{letter}}b'])
        found += [(letter, code) for (code,) in cursor.fetchall()]
apart = [(l, chr(c)) for l, c in found if folded(f'bo{{chr(c)}}b') != folded(f'bo{{l}}b')]
print(json.dumps([len(found), apart]))
"""


@pytest.mark.parametrize("collation", COLLATIONS)
def test_what_mariadb_takes_for_one_name_is_one_subject(
    collation: str, mariadb: str, tmp_path: Path
) -> None:
    with site(tmp_path, workers=1, threads=1, DATABASE_URL=mariadb) as target:
        found, apart = json.loads(target.python(ALIKE.format(collation=collation)))
    assert found > 100
    assert apart == []


#: What an old site of a Western language has: no emoji, no Chinese.
LATIN = """
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from lockout_admin.models import FailedLogin
User.objects.create_user('müller', password='right')
names = ['\U0001f600', '野', 'a\u200b', 'müller']
print([authenticate(None, username=name, password='wrong') for name in names])
print(sorted(FailedLogin.objects.values_list('username', flat=True)))
print(authenticate(None, username='müller', password='right'))
"""


def test_names_that_a_column_does_not_know_are_wrong_and_recorded(
    mariadb: str, tmp_path: Path
) -> None:
    execute("mariadb", mariadb, "ALTER DATABASE CHARACTER SET latin1")
    # Said to the site as well: its tables are not those of others.
    with site(tmp_path, CHARSET="latin1", DATABASE_URL=mariadb, STORE="table") as target:
        said = target.python(LATIN).splitlines()
    assert said[0] == "[None, None, None, None]"
    assert said[1] == str(sorted(["\\U0001f600", "\\u91ce", "a\\ufffd", "müller"]))
    assert said[2] == "müller"


#: To this collation of ICU punctuation, case and accents are nothing.
ICU = """
import json
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import User
from django.db import connection
from lockout_admin.models import FailedLogin
with connection.cursor() as cursor:
    cursor.execute("CREATE COLLATION odd (provider = icu, deterministic = false,"
                   " locale = 'und-u-ka-shifted-ks-level1')")
    cursor.execute("DROP INDEX auth_user_username_6821ab7c_like")
    cursor.execute("ALTER TABLE auth_user ALTER username TYPE varchar(150) COLLATE odd")
# Blanks and accents are nothing to the fold too; the others are names of their own.
names = ["a-lice", "a.lice", "al ice", "(alice)", "al_ice", "a'lice", "ALICE", "álice"]
assert all(User.objects.get_by_natural_key(name).username == "alice" for name in names)
entered = [name for name in names if authenticate(None, username=name, password="right")]
for name in names * 3:
    authenticate(None, username=name, password="wrong")
locked = authenticate(None, username="alice", password="right") is None
print(json.dumps([entered, locked, FailedLogin.objects.count()]))
"""


def test_icu_lets_nobody_in_under_a_name_that_is_counted_elsewhere(
    postgres: str, tmp_path: Path
) -> None:
    with site(tmp_path, DATABASE_URL=postgres, STORE="table") as target:
        entered, locked, _count = json.loads(target.python(ICU))
    assert (entered, locked) == (["al ice", "ALICE", "álice"], True)


#: The check names the collation where a backend does not say which names it knows.
NAMED = """
from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings
with connection.cursor() as cursor:
    cursor.execute("CREATE COLLATION odd (provider = icu, deterministic = false,"
                   " locale = 'und-u-ka-shifted-ks-level1')")
backend = 'tests.services.accounts.AnySpellingBackend'
def said():
    with override_settings(AUTHENTICATION_BACKENDS=[backend]):
        found = run_checks(databases=['default'])
    return [each.msg for each in found if each.id == 'lockout_admin.W027']
print(len(said()))
with connection.cursor() as cursor:
    cursor.execute("DROP INDEX auth_user_username_6821ab7c_like")
    cursor.execute("ALTER TABLE auth_user ALTER username TYPE varchar(150) COLLATE odd")
print(*said())
backend = 'lockout_admin.backends.LockoutBackend'
print(len(said()))
"""


def test_a_check_names_the_collation_that_takes_several_names_for_one(
    postgres: str, tmp_path: Path
) -> None:
    with site(tmp_path, DATABASE_URL=postgres, STORE="table") as target:
        before, with_it, shipped = target.python(NAMED).splitlines()
    assert (before, shipped) == ("0", "0")
    assert "odd" in with_it
    assert "AnySpellingBackend" in with_it
