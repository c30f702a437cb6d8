"""The log, which points at Storm's sessions, and models of Storm's tables, which make none."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import djintegrate.storm_backend.references
import testproject.sprints.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("sprints", "0001_storm_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RoomRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("seats", models.PositiveIntegerField()),
            ],
            options={
                "verbose_name": "room",
                "db_table": "sprints_room",
                "ordering": ["sprint", "name"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SessionRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=120)),
                (
                    "track",
                    models.CharField(
                        choices=[
                            ("engine", "Engine"),
                            ("sign-in", "Sign-in"),
                            ("pages", "Pages"),
                            ("words", "Documentation"),
                            ("people", "Community"),
                        ],
                        max_length=20,
                    ),
                ),
                ("description", models.TextField(blank=True)),
                ("minutes", models.PositiveIntegerField(default=60)),
                ("seats", models.PositiveIntegerField(default=20)),
                ("starts", models.DateTimeField(blank=True, null=True)),
                ("ends", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "session",
                "db_table": "sprints_session",
                "ordering": ["title"],
                "permissions": [
                    ("propose_session", "Can propose a session"),
                    ("schedule_session", "Can put a session on the schedule"),
                ],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SprintRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(help_text="How it is called in addresses.", unique=True)),
                ("name", models.CharField(max_length=80)),
                ("place", models.CharField(max_length=120)),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC", max_length=40, validators=[testproject.sprints.models.is_time_zone]
                    ),
                ),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("summary", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "sprint",
                "db_table": "sprints_sprint",
                "ordering": ["first_day"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("moment", models.DateTimeField(auto_now_add=True)),
                ("what", models.CharField(max_length=20)),
                (
                    "session",
                    djintegrate.storm_backend.references.StormForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="testproject.sprints.storm_models.Session",
                    ),
                ),
                ("title", models.CharField(max_length=120, verbose_name="title of the session")),
                ("detail", models.CharField(blank=True, max_length=120)),
                (
                    "person",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "activities",
                "ordering": ["-moment", "-id"],
            },
        ),
    ]
