"""A real LDAP server of the test's own, with Alice in it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .servers import free_port, missing, wait_for_port

PEOPLE = "ou=people,dc=example,dc=com"
CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
database mdb
suffix "dc=example,dc=com"
directory {folder}
access to attrs=userPassword by * auth
access to * by * read
"""
ENTRIES = f"""
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: uid=alice,{PEOPLE}
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Liddell
userPassword: right
"""


@dataclass
class Directory:
    """An LDAP server that the test may stop."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"ldap://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start with what it has on disk."""
        command = [_slapd(), "-d", "0", "-h", self.url, "-f", str(self.folder / "slapd.conf")]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)

    def stop(self) -> None:
        """Stop; it can be started again."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def directory(folder: Path) -> Iterator[Directory]:
    """Run an LDAP server with its data in `folder`."""
    folder.mkdir()
    (folder / "slapd.conf").write_text(CONFIG.format(folder=folder))
    (folder / "people.ldif").write_text(ENTRIES)
    files = ["-f", str(folder / "slapd.conf"), "-l", str(folder / "people.ldif")]
    subprocess.run([_slapd(), "-T", "add", *files], check=True, capture_output=True)
    server = Directory(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _slapd() -> str:
    found = shutil.which("slapd") or shutil.which("slapd", path="/usr/sbin")
    if found is None:
        missing("slapd", "apt-get install slapd")
    return str(found)
