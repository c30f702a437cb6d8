"""The sessions that identities have opened."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("openid_auth", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="OpenIDSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("browser", models.CharField(blank=True, max_length=200, verbose_name="browser")),
                ("began", models.DateTimeField(default=django.utils.timezone.now, verbose_name="began")),
                (
                    "seen",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="last seen"),
                ),
                (
                    "identity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to="openid_auth.useropenid",
                        verbose_name="OpenID identity",
                    ),
                ),
            ],
            options={"verbose_name": "OpenID session", "verbose_name_plural": "OpenID sessions"},
        ),
    ]
