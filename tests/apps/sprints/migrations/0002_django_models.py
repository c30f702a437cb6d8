"""The models that point at Storm objects."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import djintegrate.storm_backend.references
import tests.apps.sprints.models


class Migration(migrations.Migration):
    dependencies = [("sprints", "0001_storm_tables")]

    operations = [
        migrations.CreateModel(
            name="Award",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="tests.apps.sprints.storm_models.Session"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        on_delete=models.SET(tests.apps.sprints.models.any_other_session),
                        to="tests.apps.sprints.storm_models.Session",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Memo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="tests.apps.sprints.storm_models.Session",
                        unique=True,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_number", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Stay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "room",
                    djintegrate.storm_backend.references.StormForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="tests.apps.sprints.storm_models.Room",
                    ),
                ),
                (
                    "badge",
                    djintegrate.storm_backend.references.StormForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="tests.apps.sprints.storm_models.Badge",
                    ),
                ),
                (
                    "number",
                    djintegrate.storm_backend.references.StormForeignKey(
                        db_column="nr",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="tests.apps.sprints.storm_models.Badge",
                        to_field="number",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Trace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tests.apps.sprints.storm_models.Session",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        db_index=False,
                        default=None,
                        null=True,
                        on_delete=django.db.models.deletion.SET_DEFAULT,
                        to="tests.apps.sprints.storm_models.Session",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="tests.apps.sprints.storm_models.Session"
                    ),
                ),
                ("text", models.CharField(default="", max_length=100)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Booking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, to="tests.apps.sprints.storm_models.Session"
                    ),
                ),
                (
                    "comment",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="sprints.comment"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="tests.apps.sprints.storm_models.Session",
                    ),
                ),
                ("note", models.CharField(max_length=10)),
            ],
        ),
        migrations.CreateModel(
            name="Page",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "profile",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="sprints.profile"),
                ),
            ],
        ),
    ]
