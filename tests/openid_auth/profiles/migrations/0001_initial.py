"""As Django wrote it for the old site."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("django_openid_auth", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20)),
                (
                    "identity",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="django_openid_auth.useropenid"),
                ),
            ],
        ),
    ]
