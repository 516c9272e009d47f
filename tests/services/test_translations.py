"""Every text of the app is translated: the catalogs lack nothing and have nothing over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path

import pytest

import lockout_admin

from .servers import missing

SOURCE = Path(lockout_admin.__file__).parent


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("xgettext") is None:
        missing("xgettext", "apt-get install gettext")
    copy = tmp_path_factory.mktemp("texts") / "lockout_admin"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    languages = [f"--locale={path.name}" for path in (SOURCE / "locale").iterdir() if path.is_dir()]
    command = [sys.executable, "-m", "django", "makemessages", "--no-location", "-v0", *languages]
    subprocess.run(command, cwd=copy, check=True)
    return copy / "locale"


@pytest.mark.parametrize("language", ["de", "fr", "es", "fa"])
@pytest.mark.parametrize("wrong", ["--untranslated", "--only-fuzzy", "--only-obsolete"])
def test_a_catalog_is_as_the_source_wants_it(extracted: Path, language: str, wrong: str) -> None:
    catalog = extracted / language / "LC_MESSAGES" / "django.po"
    found = subprocess.run(
        ["msgattrib", wrong, "--no-wrap", str(catalog)], check=True, capture_output=True, text=True
    ).stdout
    assert [
        line
        for line in found.splitlines()
        if line.lstrip("#~ ").startswith("msgid ") and '""' not in line
    ] == []


@pytest.mark.parametrize("language", ["de", "fr", "es", "fa"])
def test_a_compiled_catalog_is_that_of_its_text(language: str, tmp_path: Path) -> None:
    text = SOURCE / "locale" / language / "LC_MESSAGES" / "django.po"
    subprocess.run(["msgfmt", "--check", "-o", str(tmp_path / "django.mo"), str(text)], check=True)
    assert texts(tmp_path / "django.mo") == texts(text.with_suffix(".mo"))


def texts(path: Path) -> dict[object, str]:
    with path.open("rb") as file:
        return GNUTranslations(file)._catalog  # type: ignore[attr-defined]
