"""The table of decisions."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False, verbose_name="transaction")),
                ("journal", models.CharField(max_length=32, verbose_name="folder of journals")),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "default_permissions": (),
            },
        ),
    ]
