"""A site whose login page has the language in its path."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.views import LoginView
from django.urls import include, path

urlpatterns = [
    path("account/", include("lockout_admin.urls")),
    *i18n_patterns(path("accounts/login/", LoginView.as_view())),
]
