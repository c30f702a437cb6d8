"""The tables as they begin."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from djintegrate.openid_auth.fields import DigestField


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Nonce",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("server_url", models.CharField(max_length=2047, verbose_name="provider")),
                ("timestamp", models.BigIntegerField(db_index=True, verbose_name="timestamp")),
                ("salt", models.CharField(max_length=255, verbose_name="salt")),
                (
                    "digest",
                    DigestField(editable=False, max_length=64, of=("server_url", "timestamp", "salt"), unique=True),
                ),
            ],
            options={
                "verbose_name": "nonce",
                "verbose_name_plural": "nonces",
            },
        ),
        migrations.CreateModel(
            name="Association",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("server_url", models.TextField(max_length=2047, verbose_name="provider")),
                ("handle", models.CharField(max_length=255, verbose_name="handle")),
                ("secret", models.TextField(max_length=255, verbose_name="secret")),
                ("issued", models.BigIntegerField(verbose_name="issued")),
                ("lifetime", models.IntegerField(verbose_name="lifetime")),
                ("assoc_type", models.TextField(max_length=64, verbose_name="type")),
                (
                    "server_digest",
                    DigestField(editable=False, max_length=64, of=("server_url",)),
                ),
            ],
            options={
                "verbose_name": "association",
                "verbose_name_plural": "associations",
                "constraints": [
                    models.UniqueConstraint(fields=("server_digest", "handle"), name="openid_auth_association_handle")
                ],
            },
        ),
        migrations.CreateModel(
            name="UserOpenID",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("claimed_id", models.TextField(max_length=2047, verbose_name="claimed identifier")),
                ("display_id", models.TextField(max_length=2047, verbose_name="displayed identifier")),
                (
                    "digest",
                    DigestField(editable=False, max_length=64, of=("claimed_id",), unique=True),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name="user"
                    ),
                ),
            ],
            options={
                "verbose_name": "OpenID identity",
                "verbose_name_plural": "OpenID identities",
                "permissions": (("account_verified", "The OpenID has been verified"),),
            },
        ),
    ]
