"""Tenants in schemas of their own, with django-tenants on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from .recipes import code_of, recipe_site
from .servers import CacheServer, Site

MODELS = """
from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Client(TenantMixin):
    name = models.CharField(max_length=100)
    auto_create_schema = True


class Domain(DomainMixin):
    pass
"""
SETTINGS = """
ROOT_URLCONF = "tests.services.urls"
DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_MODEL, TENANT_DOMAIN_MODEL = "customers.Client", "customers.Domain"
SHARED_APPS = ["django_tenants", "customers", "django.contrib.contenttypes", *{shared}]
TENANT_APPS = ["django.contrib.contenttypes", "django.contrib.auth", *{own}]
INSTALLED_APPS = list(dict.fromkeys([*SHARED_APPS, *TENANT_APPS]))
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MIDDLEWARE.insert(1, "django_tenants.middleware.main.TenantMainMiddleware")
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
MAKE = """
from django.contrib.auth.models import User
from django_tenants.utils import schema_context
from customers.models import Client, Domain
for name in ("red", "blue"):
    tenant = Client.objects.create(schema_name=name, name=name)
    Domain.objects.create(domain=f"{name}.example", tenant=tenant, is_primary=True)
    with schema_context(name):
        User.objects.create_user("alice", password="right")
"""
#: Statuses of wrong passwords at one tenant, then of the right one at each.
ATTACK = """
import json
from django.test import Client
from django_tenants.utils import schema_context
from lockout_admin import lockout
from lockout_admin.models import AccountLock, FailedLogin

def log_in(tenant, password):
    body = json.dumps({"username": "alice", "password": password})
    host = {"host": f"{tenant}.example"}
    answer = Client().post("/login/", body, content_type="application/json", headers=host)
    return int(answer.status_code)

wrong = [log_in("red", f"guess {number}") for number in range(6)]
right = [log_in(tenant, "right") for tenant in ("red", "blue")]
rows = []
for tenant in ("red", "blue"):
    with schema_context(tenant):
        rows.append(FailedLogin.objects.count())
        rows.append(lockout.is_account_locked("alice"))
with schema_context("blue"):
    assert not lockout.unlock_account("alice")
still = log_in("red", "right")
with schema_context("red"):
    assert lockout.unlock_account("alice")
print(wrong, right, rows, still, log_in("red", "right"))
"""
APP = ["lockout_admin"]
NONE: list[str] = []


def tenants(folder: Path, shared: list[str], own: list[str], **environment: str) -> Site:
    app = folder / "customers"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "models.py").write_text(MODELS)
    cache = 'LOCKOUT_ADMIN["CACHE"] = "default" if env.str("STORE") == "cache" else None\n'
    settings = code_of("Tenants") + SETTINGS.format(shared=shared, own=own) + cache
    site = recipe_site(folder, settings, **environment)
    site.run("-m", "django", "makemigrations", "customers", "-v0")
    site.run("-m", "django", "migrate_schemas", "--shared", "-v0")
    site.python(MAKE)
    return site


@pytest.mark.parametrize("atomic", ["0", "1"])
@pytest.mark.parametrize("store", ["table", "cache"])
@pytest.mark.parametrize(("shared", "own"), [(NONE, APP), (APP, NONE)], ids=["own", "shared"])
def test_a_lock_at_one_tenant_refuses_nobody_at_another(
    shared: list[str],
    own: list[str],
    store: str,
    atomic: str,
    postgres: str,
    redis: CacheServer,
    tmp_path: Path,
) -> None:
    site = tenants(
        tmp_path,
        shared,
        own,
        DATABASE_URL=postgres,
        CACHE_URL=redis.url,
        STORE=store,
        ATOMIC_REQUESTS=atomic,
    )
    mine = [4, True, 0, False] if own else [4, True, 4, False]
    refused = 429
    assert site.python(ATTACK) == " ".join(
        map(str, [[401] * 4 + [refused] * 2, [refused, 200], mine, refused, 200])
    )
