"""The tests' settings with django-axes beside the app: `peers` chooses who guards."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "axes"]
AXES_FAILURE_LIMIT = 10**9
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W001", "axes.W002", "axes.W003"]
