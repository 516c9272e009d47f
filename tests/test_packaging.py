"""The house: what ships, what imports what, and a README that tells the truth."""

from __future__ import annotations

import ast
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

from lockout_admin.conf import DEFAULTS, THRESHOLD_DEFAULTS, conf

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lockout_admin"

#: From the ground up; a module imports from its own layer and from those below.
LAYERS = [
    {"conf", "text", "exceptions"},
    {"client", "identity", "fields", "journal", "policies", "signals", "store"},
    {"accounts", "querysets"},
    {"models"},
    {"standing", "slots", "locks", "retention"},
    {"attempts"},
    {"lockout", "credentials", "logs", "testing"},
    {"decorators"},
    {"backends", "middleware", "pytest_plugin", "checks"},
    {"the rest: the console's filters, releases and exports"},
    {"admin", "management", "templatetags", "apps"},
]
CONSOLE = 9


def layer(module: str) -> int:
    return next((number for number, modules in enumerate(LAYERS) if module in modules), CONSOLE)


class Imports(ast.NodeVisitor):
    """Collects the modules of the package that a file imports when it runs."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.found: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if getattr(node.test, "id", "") != "TYPE_CHECKING":
            self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level == self.depth:
            self.found |= {node.module.partition(".")[0]} if node.module else {alias.name for alias in node.names}


def imports_of(path: Path) -> set[str]:
    imports = Imports(depth=len(path.relative_to(PACKAGE).parts))
    imports.visit(ast.parse(path.read_text()))
    return imports.found


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own != "__init__":
        assert all(layer(imported) <= layer(own) for imported in imports_of(path))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 250


def test_only_conf_reads_settings_by_name() -> None:
    readers = [path.name for path in modules() if "getattr(settings" in path.read_text()]
    assert set(readers) <= {"conf.py", "settings.py", "testing.py"}


@pytest.mark.parametrize(("key", "default"), DEFAULTS.items())
def test_every_key_is_read_when_it_is_used(key: str, default: Any, settings: Any) -> None:
    settings.LOCKOUT_ADMIN = {key: "seen"}
    assert getattr(conf, key.lower()) == "seen"
    settings.LOCKOUT_ADMIN = {}
    assert getattr(conf, key.lower()) == default


@pytest.mark.parametrize(("name", "default"), THRESHOLD_DEFAULTS.items())
def test_the_threshold_is_read_when_it_is_used(name: str, default: int, settings: Any) -> None:
    assert getattr(conf, name.lower()) == default
    setattr(settings, name, 7)
    assert getattr(conf, name.lower()) == 7


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
    for needed in ("py.typed", "migrations/0001_initial.py", "templates/lockout_admin/refused.html"):
        assert f"lockout_admin/{needed}" in names
    assert not [name for name in names if "__pycache__" in name or "/tests" in name]


README = (ROOT / "README.md").read_text()


def table(heading: str) -> dict[str, str]:
    """Return the first two columns of the README's table under a heading."""
    section = README.partition(f"## {heading}")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([A-Z_]+)` \| `(.+?)` \|", section, re.MULTILINE))


def test_the_readme_lists_every_setting_with_its_default() -> None:
    expected = {name: repr(value).replace("'", '"') for name, value in {**THRESHOLD_DEFAULTS, **DEFAULTS}.items()}
    assert table("Settings") == expected


def test_the_readme_names_the_commands_that_there_are() -> None:
    commands = {path.stem for path in (PACKAGE / "management/commands").glob("lockout_*.py")}
    assert set(re.findall(r"manage\.py (lockout_\w+)", README)) == commands


@pytest.fixture
def _registry_is_kept() -> Iterator[None]:
    registered = dict(admin.site._registry)
    yield
    admin.site._registry.clear()
    admin.site._registry.update(registered)


CODE = re.findall(r"```python\n# (?:backends|anywhere|admin)\.py\n(.*?)```", README, re.DOTALL)


@pytest.mark.django_db
@pytest.mark.usefixtures("_registry_is_kept")
@pytest.mark.parametrize("code", CODE)
def test_the_code_in_the_readme_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_the_install_section_is_how_the_test_site_is_set_up(settings: Any) -> None:
    install = README.partition("## Install")[2].partition("\n## ")[0]
    for name in ("lockout_admin.backends.LockoutBackend", "lockout_admin.middleware.LockoutMiddleware"):
        assert name in install
        assert name in str(settings.MIDDLEWARE) + str(settings.AUTHENTICATION_BACKENDS)
