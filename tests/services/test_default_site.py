"""A site made by ``startproject`` and the README's lines: checked, served, attacked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .attack import Guess, storm
from .servers import free_port, wait_for_port

pytestmark = pytest.mark.race

README = (Path(__file__).parents[2] / "README.md").read_text()
N = 4
#: Without the settings of the tests.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
VIEW = """
import json
from django.contrib import admin
from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def login(request):
    user = authenticate(request, **json.loads(request.body))
    return HttpResponse("in" if user else "wrong", status=200 if user else 401)


urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", login),
    path("account/", include("lockout_admin.urls")),
]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    run(tmp_path, "-m", "django", "startproject", "site1", str(tmp_path))
    settings = tmp_path / "site1/settings.py"
    (install,) = re.findall(
        r"```python\n# settings\.py\n(.*?LockoutBackend.*?)```", README, re.DOTALL
    )
    settings.write_text(settings.read_text().replace("DEBUG = True", "DEBUG = False") + install)
    (tmp_path / "site1/urls.py").write_text(VIEW)
    run(tmp_path, "manage.py", "migrate", "-v0")
    return tmp_path


def run(folder: Path, *arguments: str, fails: bool = False) -> str:
    """Run Python in the project; return what it says."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0 or fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_check_finds_nothing_of_ours(project: Path) -> None:
    # Django has findings of its own about a site that is not finished, some of them errors.
    said = run(project, "manage.py", "check", "--deploy", fails=True)
    assert "(lockout_admin." not in said, said


def test_four_workers_hold_the_limit(project: Path) -> None:
    port = free_port()
    settings = project / "site1/settings.py"
    settings.write_text(settings.read_text() + 'ALLOWED_HOSTS = ["127.0.0.1"]\n')
    command = f"-m gunicorn site1.wsgi -w 4 --threads 16 -b 127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, *command.split()],
        cwd=project,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_port(port, server)
        guesses = [Guess(password=f"guess {number}") for number in range(1000)]
        statuses = storm(f"http://127.0.0.1:{port}/login/", guesses)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)
    assert statuses == {401: N, 429: 1000 - N}
