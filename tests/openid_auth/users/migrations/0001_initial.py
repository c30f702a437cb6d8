"""The tables of all of them; a migration, because on PostgreSQL and MariaDB groups have to be there first."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models

KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
BASE = [
    KEY,
    ("password", models.CharField(max_length=128, verbose_name="password")),
    ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
]


class Migration(migrations.Migration):
    initial = True
    dependencies = (("auth", "0012_alter_user_first_name_max_length"),)
    operations = (
        migrations.CreateModel("BareUser", [*BASE, ("handle", models.CharField(max_length=12, unique=True))]),
        migrations.CreateModel(
            "UniqueUser",
            [
                *BASE,
                ("username", models.CharField(max_length=30, unique=True)),
                ("email", models.EmailField(max_length=30, unique=True)),
            ],
        ),
        migrations.CreateModel(
            "EmailUser",
            [
                *BASE,
                ("is_superuser", models.BooleanField(default=False)),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("full_name", models.CharField(blank=True, max_length=100)),
                ("is_staff", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("groups", models.ManyToManyField("auth.Group", blank=True, related_name="user_set")),
                ("user_permissions", models.ManyToManyField("auth.Permission", blank=True, related_name="user_set")),
            ],
        ),
        migrations.CreateModel(
            "Membership",
            [
                KEY,
                ("group", models.ForeignKey("auth.Group", on_delete=models.CASCADE)),
                ("user", models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)),
            ],
        ),
    )
