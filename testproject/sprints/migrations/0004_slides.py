"""A session may have slides. The column itself is Storm's: patch_2 of the schema adds it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sprints", "0003_privileges_from_a_file"),
    ]

    operations = [
        migrations.AddField(
            model_name="sessionrow",
            name="slides",
            field=models.FileField(blank=True, max_length=200, null=True, upload_to="slides"),
        ),
    ]
