"""The demo site's addresses."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path

from . import views

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("login/", views.DemoLoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    # With or without a slash: a POST cannot be redirected.
    re_path(r"^api/login/?$", views.api_login, name="api_login"),
    re_path(r"^api/alogin/?$", views.api_alogin, name="api_alogin"),
    path("mail/", views.MailView.as_view(), name="mail"),
    path("account/", include("lockout_admin.urls")),
    # Where browsers look on pages that name no icon, as those of the admin.
    path("favicon.ico", views.icon),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
