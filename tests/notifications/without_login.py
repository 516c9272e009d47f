"""A site that has neither a login page nor an admin."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("account/", include("lockout_admin.urls"))]
