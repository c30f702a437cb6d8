"""A lease has the queues that its process works for. Processes of an earlier version, which may still run, say none."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.AddField("Lease", "queues", models.JSONField(null=True)),
    ]
