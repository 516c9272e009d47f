"""The house: each module has a room, imports go down only, and the README's map is the tree."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lockout_admin"

#: From the ground up. A module imports from its own floor and from those below.
FLOORS = [
    {"conf", "declarations", "exceptions", "figures", "signals"},
    {"identity"},
    {"models"},
    {"engine"},
    {"defences"},
    {"notifications"},
    {"lockout", "decorators", "testing"},
    {"policy"},
    {"backends", "middleware", "pytest_plugin", "checks"},
    {"integrations"},
    {"evidence"},
    {"incidents"},
    {"exports"},
    {"admin", "management", "templatetags", "apps", "urls"},
]
#: Loaded by Django from where they stand, and imported by nobody.
UNLOADED = {"migrations"}


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE / "migrations"]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def room_of(module: str) -> str:
    return module.partition(".")[0]


def floor_of(module: str) -> int:
    floors = [number for number, rooms in enumerate(FLOORS) if room_of(module) in rooms]
    assert floors, f"{module} has no room: put it into one, or tell its floor in FLOORS."
    return floors[0]


class Imports(ast.NodeVisitor):
    """Collects what a module of the package imports from the package when it is loaded."""

    def __init__(self, module: str) -> None:
        self.package = module.split(".")[:-1]
        self.found: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        pass

    def visit_If(self, node: ast.If) -> None:
        if getattr(node.test, "id", "") != "TYPE_CHECKING":
            self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not node.level:
            return
        base = self.package[: len(self.package) - node.level + 1]
        target = [*base, *(node.module or "").split(".")] if node.module else base
        self.found |= {resolved([*target, alias.name]) for alias in node.names}


def resolved(parts: list[str]) -> str:
    """Return the module that an imported name is, or comes from."""
    while parts and not (PACKAGE.joinpath(*parts).with_suffix(".py").exists()):
        if (PACKAGE.joinpath(*parts) / "__init__.py").exists():
            return ".".join([*parts, "__init__"])
        parts = parts[:-1]
    return ".".join(parts)


def imports_of(path: Path) -> set[str]:
    imports = Imports(name_of(path))
    imports.visit(ast.parse(path.read_text()))
    return imports.found - {"__init__", ""}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_down_only(path: Path) -> None:
    own = name_of(path)
    if own != "__init__":
        assert all(floor_of(imported) <= floor_of(own) for imported in imports_of(path))


def test_no_module_imports_itself_by_a_detour() -> None:
    TopologicalSorter({name_of(path): imports_of(path) for path in modules()}).prepare()


def test_a_module_without_a_room_is_found() -> None:
    with pytest.raises(AssertionError, match="stray has no room"):
        floor_of("stray")


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_module_stands_before_one_of_python(path: Path) -> None:
    """`python -m django makemessages`, run in the package's folder, imports from there first."""
    assert path.stem not in sys.stdlib_module_names - {"__init__"}


def test_every_folder_with_code_is_a_room() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders - UNLOADED <= set().union(*FLOORS)


def drawn() -> dict[str, set[str]]:
    """Return the README's map: the modules of each room."""
    text = (
        (ROOT / "README.md").read_text().partition("<!-- map -->")[2].partition("<!-- /map -->")[0]
    )
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    return {room.strip(" `/"): set(names.replace("`", "").split()) for room, names in rows}


def test_the_map_in_the_readme_is_the_tree() -> None:
    built: dict[str, set[str]] = {}
    for path in modules():
        room = path.parent.relative_to(PACKAGE).as_posix()
        if path.stem != "__init__":
            built.setdefault("lockout_admin" if room == "." else room, set()).add(path.stem)
    assert drawn() == built
