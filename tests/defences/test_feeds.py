"""Published lists of networks."""

from __future__ import annotations

import pytest

from lockout_admin.defences import feeds
from lockout_admin.defences.feeds import read

DROP_TEXT = """\
; Spamhaus DROP List 2026/11/26 - (c) 2026 The Spamhaus Project SLU
; Last-Modified: Thu, 26 Nov 2026 05:41:55 GMT
1.10.16.0/20 ; SBL256894
1.19.0.0/16 ; SBL434604
2a06:f680::/29 ; SBL303641
"""
DROP_JSON = """\
{"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"}
{"cidr":"1.19.0.0/16","sblid":"SBL434604","rir":"apnic"}
{"cidr":"2a06:f680::/29","sblid":"SBL303641","rir":"ripencc"}
{"type":"metadata","timestamp":1732600000,"size":200,"records":3,"copyright":"(c) Spamhaus"}
"""
DROP = [
    ("1.10.16.0/20", "SBL256894"),
    ("1.19.0.0/16", "SBL434604"),
    ("2a06:f680::/29", "SBL303641"),
]


def entries(text: str) -> list[tuple[str, str]]:
    feed = read(text.splitlines())
    assert feed.errors == []
    return [(str(entry.network), entry.reason) for entry in feed.entries]


def errors(text: str) -> list[tuple[int, str]]:
    return read(text.splitlines()).errors


@pytest.mark.parametrize("text", [DROP_TEXT, DROP_JSON])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spamhaus_drop(text: str, mark: str) -> None:
    assert entries(mark + text) == DROP


def test_one_network_a_line() -> None:
    text = "# ours\n\n 203.0.113.0/24 \n198.51.100.7 # scanner; of whom?\r\n2001:DB8::/32\n\t\n#x"
    assert entries(text) == [
        ("203.0.113.0/24", ""),
        ("198.51.100.7/32", "scanner; of whom?"),
        ("2001:db8::/32", ""),
    ]


def test_a_network_that_comes_twice_is_one() -> None:
    assert entries("203.0.113.7 # a\n203.0.113.7/32 # b\n") == [("203.0.113.7/32", "a")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("everybody", "is no address and no network"),
        ("203.0.113.7/24", "Do you mean the network 203.0.113.0/24, or 203.0.113.7?"),
        ("203.0.113.0 255.255.255.0", "There is more than a network"),
        ("203.0.113.0/24,203.0.114.0/24", "is no address and no network"),
        ("<html>", "is no address and no network"),
        ('{"cidr":"203.0.113.0/24"', "This is no JSON."),
        ("{" * 100_000, "This is no JSON."),
        ('{"asn":64500}', "There is no “cidr” in this record."),
        ('{"cidr":7}', "There is no “cidr” in this record."),
        ('{"cidr":"all"}', "is no address and no network"),
    ],
)
def test_a_line_that_is_wrong_is_said_with_its_number(line: str, expected: str) -> None:
    ((number, said),) = errors(f"192.0.2.0/24\n{line}\n")
    assert number == 2
    assert expected in said


NO_END = "The list has no end: it may be half of a download."


def test_half_a_download_is_no_list() -> None:
    *networks, end = DROP_JSON.splitlines()
    assert errors("\n".join(networks)) == [(3, NO_END)]
    assert errors("\n".join([*networks[1:], end])) == [
        (3, "The list says that it has 3 networks, but it has 2.")
    ]


def test_what_comes_after_the_end_is_counted_by_nobody() -> None:
    *networks, end = DROP_JSON.splitlines()
    assert errors("\n".join([end, *networks])) == [
        (1, "The list says that it has 3 networks, but it has 0.")
    ]
    assert errors("\n".join([*networks, end, networks[0]])) == [(5, NO_END)]


def test_two_lists_may_come_one_after_the_other() -> None:
    other = '{"cidr":"192.0.2.0/24"}\n{"type":"metadata","records":1}\n'
    assert entries(DROP_JSON + other) == [*DROP, ("192.0.2.0/24", "")]


@pytest.mark.parametrize("records", ['"1"', "true", "1.0", '"many"', "null", "[1]"])
def test_an_end_that_has_no_number_is_none(records: str) -> None:
    text = f'{{"cidr":"192.0.2.0/24"}}\n{{"type":"metadata","records":{records}}}'
    assert errors(text) == [(2, "The last line does not say how many networks there are.")]


def test_an_end_without_a_number_is_none() -> None:
    text = '{"cidr":"192.0.2.0/24"}\n{"type":"metadata"}'
    assert errors(text) == [(2, "The last line does not say how many networks there are.")]


def test_a_list_without_an_end_is_read_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST", 2)
    assert errors("192.0.2.1\n192.0.2.2\n192.0.2.3\n192.0.2.4\n") == [(3, "The list is too long.")]


def test_what_a_list_says_of_a_network_is_stored_cleaned_and_cut() -> None:
    ((_network, reason),) = entries("192.0.2.1 # a\0b\x1b[1m" + "x" * 300)
    assert "\0" not in reason
    assert "\x1b" not in reason
    assert len(reason) == 255
