"""The demo site's settings. The environment may name other services: see what `env` reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import django
import environ
from django.utils.translation import gettext_lazy as _

from demo import rules

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DEMO_DATA_DIR", str(BASE_DIR / "demo" / "data")))
DATA_DIR.mkdir(parents=True, exist_ok=True)


def kept_secret(path: Path) -> str:
    """Return the secret in `path`, made up on first use and readable by its owner alone."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


DEBUG = env.bool("DEBUG", True)
SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
ROOT_URLCONF = "demo.urls"
WSGI_APPLICATION = "demo.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    *(["unfold"] if env.bool("DEMO_UNFOLD", False) else []),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "import_export",
    "lockout_admin",
    "demo",
]

HAS_CSP = django.VERSION >= (6, 0)
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware"
    if HAS_CSP
    else "demo.middleware.content_security_policy",
    "lockout_admin.middleware.LockoutMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
#: No inline script or style anywhere: the policy would be worth little with an exception.
SECURE_CSP: dict[str, list[str]] = {
    "default-src": ["'self'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "object-src": ["'none'"],
}
if env.bool("DEMO_UNFOLD", False):
    # Unfold's Alpine.js evaluates expressions and styles elements.
    SECURE_CSP |= {
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
    }

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    # Empty is as good as not there.
    "default": env.db_url_config(
        env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR / 'demo.sqlite3'}"
    )
}
DATABASES["default"]["ATOMIC_REQUESTS"] = env.bool("DEMO_ATOMIC_REQUESTS", False)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Readers don't wait for a writer, and writers wait in line instead of failing half way.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        transaction_mode="IMMEDIATE",
        timeout=20,
    )
CACHE_URL = env.str("CACHE_URL", "")
CACHES: dict[str, dict[str, Any]] = {"default": env.cache_url_config(CACHE_URL or "locmemcache://")}
#: Client -> what it calls the times that it waits to be connected, and for an answer.
WAITS = {
    "django_redis.cache.RedisCache": ("SOCKET_CONNECT_TIMEOUT", "SOCKET_TIMEOUT"),
    "django.core.cache.backends.redis.RedisCache": ("socket_connect_timeout", "socket_timeout"),
    "django.core.cache.backends.memcached.PyMemcacheCache": ("connect_timeout", "timeout"),
}
for wait in WAITS.get(CACHES["default"]["BACKEND"], ()):
    # A login waits no longer for a server that hangs.
    CACHES["default"].setdefault("OPTIONS", {}).setdefault(wait, 0.5)

AUTHENTICATION_BACKENDS = ["lockout_admin.backends.LockoutBackend"]
PROXY_HOPS = env.str("TRUSTED_PROXIES", "1")
#: TRUSTED_PROXIES in the environment: a number of proxies, or their networks, with commas.
LOCKOUT_ADMIN = {
    "CACHE": "default" if CACHE_URL else None,
    "TRUSTED_PROXIES": int(PROXY_HOPS) if PROXY_HOPS.isdigit() else env.list("TRUSTED_PROXIES"),
    "BASE_URL": env.str("BASE_URL", "http://127.0.0.1:8000"),
    "CONTACT": "support@example.com",
}

#: RULES=account in the environment: the rule of old alone.
LOCKOUT_ADMIN |= rules.of(env.str("RULES", ""))

if env.bool("DEMO_CHALLENGE", False):
    LOCKOUT_ADMIN["CHALLENGE"] = "lockout_admin.defences.work.ProofOfWork"

#: Mails stay on this machine: a page of the demo shows them.
POSTBOX = "demo.postbox.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": POSTBOX}}
else:
    EMAIL_BACKEND = POSTBOX

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
# The directory is there after collectstatic only, which the demo does without.
WHITENOISE_AUTOREFRESH = True

TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
    ("es", _("Spanish")),
    ("fa", _("Persian")),
]
SECURE_REFERRER_POLICY = "same-origin"
