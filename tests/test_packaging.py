"""The house: what ships, what imports what, and a README that tells the truth."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import override_settings

from lockout_admin.conf import SETTINGS, faults
from lockout_admin.declarations.setting import Setting

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lockout_admin"


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_settings_are_read_by_name_in_one_place() -> None:
    reads = re.compile(r"getattr\(settings|settings\._wrapped")
    readers = [path.name for path in modules() if reads.search(path.read_text())]
    assert readers == ["setting.py"]


@pytest.mark.django_db
def test_the_migration_is_complete() -> None:
    call_command("makemigrations", "lockout_admin", check=True, dry_run=True, verbosity=0)


def test_the_wheel_holds_the_app_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    metadata = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    assert {name.partition("/")[0] for name in names} == {"lockout_admin", metadata}
    for needed in (
        "py.typed",
        "migrations/0001_initial.py",
        "templates/lockout_admin/refused.html",
    ):
        assert f"lockout_admin/{needed}" in names
    assert not [name for name in names if "__pycache__" in name or "/tests" in name]


README = (ROOT / "README.md").read_text()


def row(setting: Setting[Any]) -> str:
    """Return the setting as a row of the README's table."""
    default = repr(setting.default).replace("'", '"')
    return f"| `{setting.name}` | `{default}` | {setting.help} |"


@pytest.mark.parametrize("plain", [True, False])
def test_the_settings_in_the_readme_are_those_declared(plain: bool) -> None:
    section = README.partition("## Settings")[2].partition("\n## ")[0]
    tables = section.partition("`LOCKOUT_ADMIN`")
    rows = re.findall(r"^\| `.*", tables[0 if plain else 2], re.MULTILINE)
    assert rows == [row(setting) for setting in SETTINGS if setting.plain == plain]


def test_the_readme_names_the_commands_that_there_are() -> None:
    commands = {path.stem for path in (PACKAGE / "management/commands").glob("lockout_*.py")}
    assert set(re.findall(r"manage\.py (lockout_\w+)", README)) == commands


@pytest.fixture
def _registry_is_kept() -> Iterator[None]:
    registered = dict(admin.site._registry)
    yield
    admin.site._registry.clear()
    admin.site._registry.update(registered)


PAGES = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
CODE = re.findall(r"```python\n# (?:backends|anywhere|admin|rules)\.py\n(.*?)```", PAGES, re.DOTALL)
SETTINGS_CODE = re.findall(r"```python\n# settings\.py\n(.*?)```", PAGES, re.DOTALL)


@pytest.mark.parametrize("code", SETTINGS_CODE)
def test_the_settings_in_the_readme_are_right(code: str) -> None:
    module: dict[str, Any] = {"INSTALLED_APPS": [], "MIDDLEWARE": []}
    exec(compile(code, "README.md", "exec"), module)
    with override_settings(LOCKOUT_ADMIN=module["LOCKOUT_ADMIN"]):
        assert not faults()


@pytest.mark.django_db
@pytest.mark.usefixtures("_registry_is_kept")
@pytest.mark.parametrize("code", CODE)
def test_the_code_in_the_readme_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize("page", [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists()


def test_the_install_section_is_how_the_test_site_is_set_up(settings: Any) -> None:
    install = README.partition("## Install")[2].partition("\n## ")[0]
    for name in (
        "lockout_admin.backends.LockoutBackend",
        "lockout_admin.middleware.LockoutMiddleware",
    ):
        assert name in install
        assert name in str(settings.MIDDLEWARE) + str(settings.AUTHENTICATION_BACKENDS)
