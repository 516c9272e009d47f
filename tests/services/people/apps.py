"""The app's label: another app has its name."""

from django.apps import AppConfig


class PhonesConfig(AppConfig):
    name = "tests.services.people"
    label = "phones"
