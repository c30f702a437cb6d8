"""What openid_adopt has brought; and `account_verified` is no longer made by Django, but by people.verified."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("openid_auth", "0003_provider_sessions")]

    operations = [
        migrations.CreateModel(
            name="AdoptedIdentity",
            fields=[("digest", models.CharField(max_length=64, primary_key=True, serialize=False))],
            options={"default_permissions": ()},
        ),
        migrations.AlterModelOptions(
            name="useropenid",
            options={"verbose_name": "OpenID identity", "verbose_name_plural": "OpenID identities"},
        ),
    ]
