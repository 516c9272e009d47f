"""Which of Django's tests fail on a site with this app, and why each of them may."""

from __future__ import annotations

HASHED_BY_BOTH = (
    "It appends ModelBackend, and each of two password backends hashes once for a name that nobody "
    "has; with LockoutBackend alone (--alone) it passes."
)
ONLY_FOR_MODEL_BACKEND = (
    "Django reports a USERNAME_FIELD that is not unique as the error auth.E003 where ModelBackend "
    "is the only backend, and as the warning auth.W004 beside any other."
)
ZONES_ARE_OFF = (
    "It expects no message but its own, and Django's tests run with USE_TZ = False, which the app "
    "warns of (lockout_admin.W017)."
)

_BACKENDS = "auth_tests.test_auth_backends"
_CHECKS = "auth_tests.test_checks.UserModelChecksTests"
_ADMIN_CHECKS = "admin_checks.tests.SystemChecksTestCase"

#: What fails once ModelBackend stands behind the app's own.
BESIDE_MODEL_BACKEND = {
    f"{_BACKENDS}.{case}.{test}": HASHED_BY_BOTH
    for case in (
        "CustomPermissionsUserModelBackendTest",
        "ExtensionUserModelBackendTest",
        "ModelBackendTest",
    )
    for test in (
        "test_authentication_timing",
        "test_aauthentication_timing",
        "test_aauthentication_timing_async_bridge",  # from Django 6.1 on
    )
}

#: What fails with the app's own backend alone, too.
EXPECTED = {
    f"{_CHECKS}.test_username_non_unique": ONLY_FOR_MODEL_BACKEND,
    f"{_CHECKS}.test_username_partially_unique": ONLY_FOR_MODEL_BACKEND,
    f"{_ADMIN_CHECKS}.test_checks_are_performed": ZONES_ARE_OFF,
    f"{_ADMIN_CHECKS}.test_custom_adminsite": ZONES_ARE_OFF,
}
