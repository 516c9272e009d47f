"""User models: the username is a number, a UUID, a relation, or digits of what is typed."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class PersonManager(BaseUserManager[Any]):
    def create_user(self, name: Any, password: str | None = None, **fields: Any) -> Any:
        column = self.model._meta.get_field(self.model.USERNAME_FIELD).attname
        person = self.model(**{column: name}, **fields)
        person.set_password(password)
        person.save()
        return person


class Person(AbstractBaseUser):
    """Whoever is staff may do all."""

    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = PersonManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.get_username())

    @property
    def is_superuser(self) -> bool:
        return self.is_staff

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class Numbered(Person):
    number = models.IntegerField(unique=True)
    email = models.EmailField(blank=True)
    USERNAME_FIELD = "number"
    EMAIL_FIELD = "email"


class Identified(Person):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    USERNAME_FIELD = "id"


class Employee(models.Model):
    number = models.IntegerField(unique=True)
    name = models.CharField(max_length=50, blank=True)

    def __str__(self) -> str:
        return self.name


class Related(Person):
    employee = models.OneToOneField(Employee, models.CASCADE, to_field="number")
    USERNAME_FIELD = "employee"


class DigitsField(models.CharField):  # type: ignore[type-arg]
    """Text of which only the digits are kept."""

    def get_prep_value(self, value: Any) -> Any:
        return re.sub("[^0-9]", "", super().get_prep_value(value) or "")


class Dialled(Person):
    number = DigitsField(max_length=15, unique=True)
    USERNAME_FIELD = "number"


class VisibleManager(PersonManager):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(hidden=False)


class Hidden(Person):
    """The default manager leaves some out."""

    name = models.CharField(max_length=50, unique=True)
    hidden = models.BooleanField(default=False)
    USERNAME_FIELD = "name"

    objects = VisibleManager()  # type: ignore[misc]
