"""The demo's settings with a hasher that takes little time, where the cost is not the subject."""

from __future__ import annotations

from demo.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
