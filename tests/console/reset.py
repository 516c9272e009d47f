"""A site on which people who have forgotten their passwords choose new ones."""

from __future__ import annotations

from django.contrib.auth.views import PasswordResetView
from django.urls import path

from ..urls import urlpatterns as others

urlpatterns = [*others, path("reset/", PasswordResetView.as_view(), name="password_reset")]
