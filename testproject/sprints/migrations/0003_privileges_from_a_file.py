"""Who may propose and schedule stands in roles.xml, and no longer among Django's permissions."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sprints", "0002_django_models")]

    operations = [
        migrations.AlterModelOptions(
            name="sessionrow", options={"managed": False, "ordering": ["title"], "verbose_name": "session"}
        )
    ]
