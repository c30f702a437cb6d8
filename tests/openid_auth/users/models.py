"""User models: an e-mail address to sign in with, an address that nobody else may have, nothing but a handle."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class Manager(BaseUserManager):
    def create_user(self, password: str | None = None, **values: Any) -> Any:
        user = self.model(**values)
        user.set_password(password)
        user.save()
        return user


class EmailUser(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=100, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    objects = Manager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"


class UniqueUser(AbstractBaseUser):
    username = models.CharField(max_length=30, unique=True)
    email = models.EmailField(unique=True, max_length=30)
    objects = Manager()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"


class Membership(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE)


class BareUser(AbstractBaseUser):
    handle = models.CharField(max_length=12, unique=True)
    objects = Manager()
    USERNAME_FIELD = "handle"
