"""The site: ``USER_MODEL`` in the environment says who has accounts."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS, env

INSTALLED_APPS = [*INSTALLED_APPS, "tests.services.people"]
AUTH_USER_MODEL = env.str("USER_MODEL")
ROOT_URLCONF = "tests.services.people.urls"
LOCKOUT_ADMIN = {}
#: ``RECORDS=records``: our tables have a database of their own. ``RECORDS=replica``: they are read
#: from a replica that never catches up.
RECORDS = env.str("RECORDS", "default")
if RECORDS != "default":
    DATABASES[RECORDS] = env.db("RECORDS_URL")
    DATABASE_ROUTERS = [f"tests.services.people.routers.{RECORDS.title()}"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
#: Not that of the column: what str() returns is no spelling to rely on.
PHONENUMBER_DEFAULT_FORMAT = "NATIONAL"
