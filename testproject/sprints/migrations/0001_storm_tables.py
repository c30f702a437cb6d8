"""Makes Storm's tables, as `manage.py storm_schema apply main` does: the log of the next migration points at them."""

from __future__ import annotations

from django.apps.registry import Apps
from django.conf import settings
from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def apply_schema(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    call_command("storm_schema", "apply", "main", verbosity=0)


class Migration(migrations.Migration):
    initial = True
    # Each step of a schema is a transaction of its own.
    atomic = False

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [migrations.RunPython(apply_schema, migrations.RunPython.noop)]
