"""Decisions by number: what a transaction commits with its files is shorter, and in fewer indexes."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from djintegrate.files.models import NumberField


def number_of(name: str) -> int:
    """As `core.decisions` has it."""
    return int(name[:15], 16)


def copy(apps: Any, schema_editor: Any) -> None:
    """Journals of processes that have died may still ask for these."""
    alias = schema_editor.connection.alias
    old, new = apps.get_model("files", "Decision"), apps.get_model("files", "NumberedDecision")
    rows = old._base_manager.using(alias).all()
    new._base_manager.using(alias).bulk_create(new(number=number_of(row.id), journal=row.journal) for row in rows)


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="NumberedDecision",
            fields=[
                ("number", NumberField(primary_key=True, serialize=False, verbose_name="transaction")),
                ("journal", models.CharField(max_length=32, verbose_name="folder of journals")),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "default_permissions": (),
            },
        ),
        migrations.RunPython(copy, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel(name="Decision"),
        migrations.RenameModel(old_name="NumberedDecision", new_name="Decision"),
    ]
