"""The site that is attacked: settings, backends and views, served by real servers.

The environment says which database, cache and backend; see `servers`.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import environ
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils import timezone

env = environ.Env()

SECRET_KEY = "only-the-tests-know-this-key-which-is-long-enough"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.services.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "lockout_admin",
]
MIDDLEWARE = [
    "lockout_admin.middleware.LockoutMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": env.db("DATABASE_URL", "sqlite:///:memory:")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = {"timeout": 30, "transaction_mode": "IMMEDIATE"}
DATABASES["default"]["ATOMIC_REQUESTS"] = env.bool("ATOMIC_REQUESTS", False)
CACHES = {"default": env.cache("CACHE_URL", "locmemcache://?max_entries=100000")}
if "redis" in CACHES["default"]["BACKEND"]:
    CACHES["default"]["OPTIONS"] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
#: ``STORE=table``: the database alone holds slots and locks.
LOCKOUT_ADMIN: dict[str, Any] = {
    "CACHE": None if env.str("STORE", "cache") == "table" else "default",
    "TRUSTED_PROXIES": 0,
}
AUTHENTICATION_BACKENDS = [env.str("BACKEND", "lockout_admin.backends.LockoutBackend")]
PASSWORD_HASHERS = ["tests.services.site.CountingHasher"]
if env.bool("FAST_HASHER", False):
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
#: ``RULES=first``: the first rule alone.
if env.str("RULES", "all") == "first":
    LOCKOUT_ADMIN["RULES"] = dict.fromkeys(
        ["account-daily", "account-total", "network", "spraying", "network-wide", "spraying-wide"]
    )
#: ``RULES=delay``: ten minutes between the tries, from the third failure on.
if env.str("RULES", "all") == "delay":
    LOCKOUT_ADMIN["RULES"] = {"account": None, "delay": {"lock": 600, "growth": 1}}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
}
#: Whatever a site may write there.
LOCKOUT_ADMIN |= env.json("KEYS", {})
FAILED_LOGIN_INTERVAL_SECS = env.int("FAILED_LOGIN_INTERVAL_SECS", 600)
ACCOUNT_LOCKED_TIMEOUT_SECS = env.int("ACCOUNT_LOCKED_TIMEOUT_SECS", 600)
globals().update(env.json("SETTINGS", {}))

if fast := env.float("CLOCK_FAST_SECS", 0):
    _now = timezone.now
    timezone.now = lambda: _now() + timedelta(seconds=fast)


class CountingHasher(PBKDF2PasswordHasher):
    """Django's default hasher; each hash leaves a byte in a file.

    Its cost is Django's default, unless the environment asks for less.
    """

    iterations = env.int("HASH_ITERATIONS", PBKDF2PasswordHasher.iterations)

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Hash, and count."""
        descriptor = os.open(os.environ["HASH_COUNT_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, b".")  # O_APPEND: no byte is lost among processes
        os.close(descriptor)
        return super().encode(password, salt, iterations)
