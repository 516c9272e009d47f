"""The recipes of docs/integration.md, as a site of their own."""

from __future__ import annotations

import re
from pathlib import Path

from .servers import Site, environment_of

DOCS = (Path(__file__).parents[2] / "docs/integration.md").read_text()


def code_of(heading: str, file: str = "settings.py") -> str:
    """Return a file out of the section of that heading."""
    section = DOCS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(rf"```python\n# {re.escape(file)}\n(.*?)```", section, re.DOTALL)
    return str(code)


def recipe_site(folder: Path, settings: str, **environment: str) -> Site:
    """Return the site with more settings, at the end of its own; not migrated."""
    (folder / "recipe.py").write_text(f"from tests.services.site import *\n{settings}")
    root = Path(__file__).parents[2]
    return environment_of(
        folder,
        DJANGO_SETTINGS_MODULE="recipe",
        PYTHONPATH=f"{folder}:{root}",
        **environment,
    )
