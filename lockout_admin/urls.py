"""The pages on which owners help themselves.

``path("account/", include("lockout_admin.urls"))`` in the site's own urls.
"""

from __future__ import annotations

from django.urls import path

from .notifications import pages

app_name = "lockout_admin"

urlpatterns = [
    path("ask/", pages.ask, name="ask"),
    path("code/", pages.code, name="code"),
    path("fresh/<str:token>/", pages.fresh, name="fresh"),
    path("link/<str:token>/", pages.link, name="link"),
]
