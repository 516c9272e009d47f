"""No two names that a case-insensitive database takes for one have two budgets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .servers import site

COLLATIONS = ["utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci", "utf8mb4_uca1400_ai_ci"]

#: Every character of the first two planes that MariaDB takes for a letter or digit of ASCII, or for nothing.
ALIKE = """
import json
from django.db import connection
from lockout_admin.identity import folded
with connection.cursor() as cursor:
    column = 'name VARCHAR(9) CHARACTER SET utf8mb4 COLLATE {collation}'
    cursor.execute(f'CREATE TEMPORARY TABLE typed ({{column}}, spelling INT)')
    characters = [code for code in range(33, 0x20000) if not 0xd800 <= code < 0xe000]
    cursor.executemany('INSERT INTO typed VALUES (%s, %s)', [(f'bo{{chr(code)}}b', code) for code in characters])
    found = []
    for letter in ['', *'abcdefghijklmnopqrstuvwxyz0123456789']:
        cursor.execute('SELECT spelling FROM typed WHERE name = %s', [f'bo{{letter}}b'])
        found += [(letter, code) for (code,) in cursor.fetchall()]
print(json.dumps([len(found), [(l, chr(c)) for l, c in found if folded(f'bo{{chr(c)}}b') != folded(f'bo{{l}}b')]]))
"""


@pytest.mark.parametrize("collation", COLLATIONS)
def test_what_mariadb_takes_for_one_name_is_one_subject(collation: str, mariadb: str, tmp_path: Path) -> None:
    with site(tmp_path, workers=1, threads=1, DATABASE_URL=mariadb) as target:
        found, apart = json.loads(target.python(ALIKE.format(collation=collation)))
    assert found > 100
    assert apart == []
