"""By which name a provider of OpenID Connect knows a session, so that it can end it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("openid_auth", "0002_sessions")]

    operations = [
        migrations.AddField(
            model_name="openidsession",
            name="at_provider",
            field=models.CharField(blank=True, db_index=True, default="", editable=False, max_length=64),
        ),
    ]
