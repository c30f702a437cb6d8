"""Both tables: Note from Django's model, Visit in each database's own SQL, since no Django model describes it."""

from __future__ import annotations

import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VISIT_COLUMNS = {
    "sqlite": "id INTEGER PRIMARY KEY, text TEXT NOT NULL, written DATETIME NOT NULL",
    "postgresql": "id BIGSERIAL PRIMARY KEY, text TEXT NOT NULL, written TIMESTAMP WITH TIME ZONE NOT NULL",
    "mysql": "id BIGINT AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL, written DATETIME(6) NOT NULL",
}


def create_visit(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute(f"CREATE TABLE guestbook_visit ({VISIT_COLUMNS[schema_editor.connection.vendor]})")


def drop_visit(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("DROP TABLE guestbook_visit")


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=200)),
                ("written", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={"ordering": ["-id"]},
        ),
        # MariaDB makes no table inside a transaction; elsewhere the whole migration is in one anyway.
        migrations.RunPython(create_visit, drop_visit, atomic=False),
    ]
