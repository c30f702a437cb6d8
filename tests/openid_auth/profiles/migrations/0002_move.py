"""As makemigrations writes it once the model refers to the new app."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("openid_auth", "0004_adoption"), ("profiles", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="profile",
            name="identity",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="openid_auth.useropenid"),
        ),
    ]
