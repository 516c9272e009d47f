"""Countries and network owners, from files of the site: shown, filtered by, and never a rule."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from lockout_admin.evidence import places, visits
from lockout_admin.evidence.places import Place, Places

from .conftest import list_url, names, page_url
from .mmdb import write

FAILURES, SUCCESSES = list_url("failedlogin"), list_url("successfullogin")
NETWORKS: dict[str, Any] = {
    "203.0.113.0/24": {"country": {"iso_code": "DE"}},
    "198.51.100.0/24": {"country": "FR", "asn": "AS64501", "as_name": "Autre"},
    "2001:db8::/32": {"country_code": "NL"},
}
OWNERS: dict[str, Any] = {
    "203.0.113.0/24": {
        "autonomous_system_number": 64500,
        "autonomous_system_organization": "Example Net",
    }
}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    places._opened.cache_clear()


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> None:
    pytest.importorskip("maxminddb")
    paths = [
        write(tmp_path / "country.mmdb", NETWORKS),
        write(tmp_path / "owner.mmdb", OWNERS, ip_version=4),
    ]
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "GEO_DATABASES": paths}


@pytest.fixture
def analyst(staff: Any) -> Client:
    browser: Client = staff("analyst")
    return browser


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("address", "place", "said"),
    [
        ("203.0.113.7", Place("DE", "AS64500", "Example Net"), "DE, AS64500 Example Net"),
        ("198.51.100.1", Place("FR", "AS64501", "Autre"), "FR, AS64501 Autre"),
        ("2001:db8::1", Place("NL"), "NL"),
        ("192.0.2.1", Place(), ""),
        (None, Place(), ""),
    ],
)
def test_the_files_of_the_site_are_read(address: str | None, place: Place, said: str) -> None:
    assert Places().of(address) == place
    assert str(place) == said


@pytest.mark.usefixtures("files")
def test_it_is_shown_beside_an_address(analyst: Client, fail: Any) -> None:
    row = fail()
    page = analyst.get(FAILURES).content.decode()
    title = "DE, AS64500 Example Net"
    assert f'class="lockout-place" title="{title}"><bdi>DE</bdi>' in page
    assert title in analyst.get(page_url(row)).content.decode()


def test_without_files_nothing_is_shown_or_asked(analyst: Client, fail: Any) -> None:
    row = fail()
    page = analyst.get(FAILURES).content.decode()
    assert "lockout-place" not in page
    assert 'name="place"' not in page
    assert '"field-located"' not in page
    assert analyst.get(page_url(row)).status_code == 200


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("DE", ["alice"]),
        ("de", ["alice"]),
        ("as64500", ["alice"]),
        ("example", ["alice"]),
        ("ex", []),
        ("FR", ["bob"]),
        ("US", []),
    ],
)
def test_rows_are_found_by_it(analyst: Client, fail: Any, asked: str, found: list[str]) -> None:
    fail("alice")
    fail("bob", ip_address="198.51.100.9")
    fail("carol", ip_address=None)
    assert names(analyst.get(FAILURES, {"place": asked})) == found


@pytest.mark.usefixtures("files")
def test_logins_are_found_by_it_too(analyst: Client, enter: Any) -> None:
    enter("alice")
    assert "alice" in names(analyst.get(SUCCESSES, {"place": "DE"}))
    assert names(analyst.get(SUCCESSES, {"place": "FR"})) == []


@pytest.mark.usefixtures("files")
def test_of_too_many_addresses_none_is_selected_and_it_is_said(
    analyst: Client, fail: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(visits, "_MOST_PLACED", 1)
    fail("alice")
    fail("bob", ip_address="203.0.113.9")
    answer = analyst.get(FAILURES, {"place": "DE"})
    assert names(answer) == []
    assert "too many addresses" in answer.content.decode()


def test_without_files_a_link_that_asks_for_a_place_selects_nothing(
    analyst: Client, fail: Any
) -> None:
    fail()
    answer = analyst.get(FAILURES, {"place": "DE"})
    assert names(answer) == []
    assert "GEO_DATABASES" in answer.content.decode()


@pytest.mark.usefixtures("files")
def test_a_long_time_is_not_gone_through(analyst: Client, fail: Any) -> None:
    fail()
    answer = analyst.get(FAILURES, {"place": "DE", "time": "90d"})
    assert names(answer) == []
    assert "at most 7 days" in answer.content.decode()


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_a_file_that_is_none_breaks_no_page(
    analyst: Client, fail: Any, tmp_path: Path, settings: Any, caplog: Any, content: bytes | None
) -> None:
    pytest.importorskip("maxminddb")
    path = tmp_path / "x.mmdb"
    if content is not None:
        path.write_bytes(content)
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "GEO_DATABASES": [path]}
    fail()
    assert names(analyst.get(FAILURES)) == ["alice"]
    said = [line for line in caplog.messages if "geo_databases" in line]
    assert len(said) == 1
    assert "can't be read" in said[0]


def test_without_the_extra_it_is_said_how_to_get_it(
    settings: Any, caplog: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    settings.LOCKOUT_ADMIN = {**settings.LOCKOUT_ADMIN, "GEO_DATABASES": ["x.mmdb"]}
    assert not Places()
    assert "install lockout-admin[geo]" in caplog.text


@pytest.mark.usefixtures("files")
def test_a_file_that_is_put_in_its_place_is_read(settings: Any, tmp_path: Path) -> None:
    assert Places().of("192.0.2.1").country == ""
    replaced = tmp_path / "new.mmdb"
    write(replaced, {"192.0.2.0/24": {"country": "SE"}})
    replaced.rename(tmp_path / "country.mmdb")
    assert Places().of("192.0.2.1").country == "SE"
