"""The user model that needs a package."""

from __future__ import annotations

from phonenumber_field.modelfields import PhoneNumberField

from tests.people.models import Person


class Phoned(Person):
    number = PhoneNumberField(unique=True, region="DE")
    USERNAME_FIELD = "number"
