"""The test site with the pages on which owners help themselves."""

from __future__ import annotations

from django.urls import include, path

from tests.urls import urlpatterns as of_the_site

urlpatterns = [*of_the_site, path("account/", include("lockout_admin.urls"))]
