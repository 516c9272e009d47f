"""Django's test settings, with the app, its middleware first, and its backend for Django's own."""

from __future__ import annotations

import sys
from typing import Any

import environ
from test_sqlite import *  # type: ignore[import-not-found]  # noqa: F403 - Django's own

env = environ.Env()

# Django's runtests.py replaces these two settings with lists of its own, so it is those that grow.
runtests: Any = sys.modules["__main__"]
runtests.ALWAYS_INSTALLED_APPS += ["lockout_admin", "django_filters", "import_export"]
runtests.ALWAYS_MIDDLEWARE.insert(0, "lockout_admin.middleware.LockoutMiddleware")

AUTHENTICATION_BACKENDS = ["lockout_admin.backends.LockoutBackend"]
TEST_RUNNER = "tests.upstream.runner.Runner"
DATABASES = {
    alias: env.db("DATABASE_URL", "sqlite://:memory:") | {"NAME": f"upstream_{alias}"}
    for alias in ("default", "other")
}
