"""The address that an account was verified with; those that are verified by now, with the one that they have."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models, router

from djintegrate.openid_auth.people import verified_address


def remember_present(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    if router.allow_migrate_model(using, apps.get_model("openid_auth", "VerifiedAddress")):
        verified_address.remember_present(using, apps)


class Migration(migrations.Migration):
    dependencies = [
        ("openid_auth", "0004_adoption"),
        ("auth", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="VerifiedAddress",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("address", models.TextField(blank=True, default="")),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(remember_present, migrations.RunPython.noop),
    ]
