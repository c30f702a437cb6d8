"""The tables of django-openid-auth 0.17, by the name of its own migration: where it has run, this one has."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def table(name: str, **columns: models.Field) -> migrations.CreateModel:
    key = models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
    return migrations.CreateModel(name, [("id", key), *columns.items()], options={"default_permissions": ()})


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        table(
            "Nonce",
            server_url=models.CharField(max_length=2047),
            timestamp=models.IntegerField(),
            salt=models.CharField(max_length=40),
        ),
        table(
            "Association",
            server_url=models.TextField(max_length=2047),
            handle=models.CharField(max_length=255),
            secret=models.TextField(max_length=255),
            issued=models.IntegerField(),
            lifetime=models.IntegerField(),
            assoc_type=models.TextField(max_length=64),
        ),
        table(
            "UserOpenID",
            user=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
            claimed_id=models.TextField(max_length=2047, unique=True),
            display_id=models.TextField(max_length=2047),
        ),
    ]
