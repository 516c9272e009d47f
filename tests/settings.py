"""A site with nothing but the app. DATABASE_URL and CACHE_URL put it on other services."""

from __future__ import annotations

import environ

env = environ.Env()

SECRET_KEY = "only-the-tests-know-this-key-which-is-long-enough"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_filters",
    "import_export",
    "lockout_admin",
    "tests.people",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "lockout_admin.middleware.LockoutMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
DATABASES = {"default": env.db("DATABASE_URL", "sqlite:///:memory:")}
CACHES = {"default": env.cache("CACHE_URL", "locmemcache://?max_entries=100000")}
LOCKOUT_ADMIN = {"CACHE": "default"}
# Django 6.1 and later ask for it; tests get a backend of their own.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
AUTHENTICATION_BACKENDS = ["lockout_admin.backends.LockoutBackend"]
# The default hasher is slow on purpose; tests that count its calls use their own.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
