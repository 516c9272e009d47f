"""The site with its own pages for forgotten passwords."""

from __future__ import annotations

from django.contrib.auth.views import PasswordResetCompleteView, PasswordResetConfirmView
from django.urls import path

from .urls import urlpatterns as of_the_site

urlpatterns = [
    *of_the_site,
    path(
        "reset/<uidb64>/<token>/",
        PasswordResetConfirmView.as_view(success_url="/done/"),
        name="password_reset_confirm",
    ),
    path("done/", PasswordResetCompleteView.as_view(), name="password_reset_complete"),
]
