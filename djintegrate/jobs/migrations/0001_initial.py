"""The tables as they begin."""

from __future__ import annotations

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=255)),
                ("pid", models.PositiveIntegerField()),
                ("backend_name", models.CharField(max_length=32)),
                ("until", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("backend_name", models.CharField(max_length=32, verbose_name="backend")),
                ("inner_id", models.CharField(blank=True, max_length=64, verbose_name="id in the queue")),
                ("task_path", models.TextField(verbose_name="task")),
                ("arguments", models.JSONField(verbose_name="arguments")),
                ("priority", models.IntegerField(verbose_name="priority")),
                ("queue_name", models.CharField(max_length=32, verbose_name="queue")),
                ("run_after", models.DateTimeField(blank=True, null=True, verbose_name="not before")),
                ("enqueued_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="enqueued at")),
                ("taken_at", models.DateTimeField(blank=True, null=True, verbose_name="taken for sending at")),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "ordering": ["-enqueued_at"],
                "indexes": [models.Index(fields=["inner_id", "enqueued_at"], name="jobs_job_unsent")],
            },
        ),
    ]
