"""What a person names who reads the four hours of OpenSSH_2k.log (Loghub), line by line.

The list was written from the file alone. The log knows no passwords, so nobody can tell a word list
from other guesses. "message repeated 5 times" is five guesses; "Failed none" asks which ways in
there are, and is no guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BRUTE_FORCE: Final = "brute-force"
SPRAYING: Final = "spraying"
DISTRIBUTED: Final = "distributed"


@dataclass(frozen=True, slots=True)
class Named:
    """One incident as a person would write it down."""

    network: str
    #: The kind that we would give; then those that somebody else might, where two are mixed.
    kinds: tuple[str, ...]
    #: The name, where most guesses are on one.
    about: str
    names: frozenset[str]
    guesses: int
    begin: str
    end: str
    #: When somebody who reads along knows it: at the tenth guess. No person mistypes ten times.
    known: str
    why: str


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


INCIDENTS: Final = (
    Named(
        "112.95.230.3/32",
        (BRUTE_FORCE,),
        "root",
        _names("root pgadmin utsims"),
        26,
        "07:27:52",
        "07:28:51",
        "07:28:14",
        "24 of 26 guesses are on root, one each 2.3 s, by a program that never pauses.",
    ),
    Named(
        "5.188.10.180/32",
        (BRUTE_FORCE, SPRAYING),
        "admin",
        _names("0101 0 1234 admin default ftp guest"),
        18,
        "08:24:35",
        "08:26:24",
        "08:25:32",
        "The names that routers come with, each with its few passwords; 11 of 18 on admin.",
    ),
    Named(
        "185.190.58.151/32",
        (BRUTE_FORCE,),
        "admin",
        _names("123 admin api"),
        17,
        "09:07:58",
        "09:12:59",
        "09:11:03",
        "15 of 17 guesses are on admin, in five minutes.",
    ),
    Named(
        "103.99.0.122/32",
        (SPRAYING,),
        "",
        _names(
            "admin support user root 1234 anonymous ubnt uucp sshd cisco test guest operator ftp"
            " monitor ftpuser pi PlcmSpIp Management"
        ),
        46,
        "09:11:21",
        "11:04:45",
        "09:11:50",
        "19 names in a minute and a half, one guess each 3 s; after 1 h 51 min the same list in"
        " the same order: one attack with a pause.",
    ),
    Named(
        "187.141.143.180/32",
        (SPRAYING, BRUTE_FORCE),
        "",
        _names(
            "root eoor butter redhat oracle postgres nagios www abc ted vnc git ghost ubuntu ftp"
            " test deploy oralce nagios1 postgres1 test1 test2 bssh mysql magnos ingrid jay"
            " cyrus"
        ),
        80,
        "09:12:48",
        "09:20:02",
        "09:13:38",
        "45 guesses on root, then a list of 27 other names without a break: one attack that mixes"
        " two kinds. That root was tried two hours before by 112.95.230.3, at twice the pace, does"
        " not make them one.",
    ),
    Named(
        "183.62.140.253/32",
        (BRUTE_FORCE,),
        "root",
        _names("zhangyan dff root oracle test ubuntu git boot 123456 123"),
        286,
        "10:54:29",
        "11:04:43",
        "10:54:47",
        "276 of 286 guesses are on root, one each 2 s; it goes on where the file ends.",
    ),
)

#: A careful person may open an incident for these, or leave them: a handful of guesses each. Each
#: by itself, or all that is on root as one from many networks; never both.
DOUBTFUL: Final = {
    "5.36.59.76/32": "6 on root within 13 s",
    "123.235.32.19/32": "7 on root within two minutes",
    "106.5.5.195/32": "6 on root within 10 s",
    "60.2.12.12/32": "5 on root within half a minute",
    "191.210.223.172/32": "1 on root",
    "104.192.3.34/32": "1 on root, 1 on FILTER",
    "119.4.203.64/32": "6 on admin within 12 s",
    "103.207.39.16/32": "support, uucp, admin: the same three as its neighbours in 103.207.39.0/24",
    "103.207.39.212/32": "support, uucp, admin",
    "103.207.39.165/32": "support",
    "195.154.37.122/32": "support, uucp",
    "52.80.34.196/32": "5 on 3 names, one each 48 min 17 s: a clock, but five guesses in all",
}

#: The noise that every server hears: nobody opens an incident for a name or two that fail once.
NOISE: Final = {
    "173.234.31.186/32": "webmaster, twice in 13 minutes",
    "202.100.179.208/32": "chen, and four hours later cheng",
    "183.136.162.51/32": "inspur, twice in three hours",
    "175.102.13.6/32": "inspur, once",
    "88.147.143.242/32": "sandeep, once",
}

#: The one person who logs in, from an address that never fails.
OWNER: Final = ("09:32:20", "fztu", "119.137.62.142")

#: The names that the server knows: it does not call them invalid.
ACCOUNTS: Final = ("root", "uucp", "ftp", "git", "mysql", "sshd", "fztu")
