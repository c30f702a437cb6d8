"""django-openid-auth's tables, as 0.17 makes them, with rows; and what openid_adopt and the doctor say of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any

import pytest
import sqlparse
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.signals import post_migrate

from djintegrate.openid_auth import examination
from djintegrate.openid_auth.people import verified
from djintegrate.openid_auth.upkeep import adoption

NOW = int(time.time())
PROVIDER = "https://login.launchpad.net/+openid"


class Old:
    """Writes to the old tables."""

    def __init__(self) -> None:
        self.models = adoption.old_models()

    def identity(self, user_id: int, claimed_id: str, key: int | None = None) -> None:
        self.models.identity(pk=key, owner=user_id, claimed_id=claimed_id, display_id=f"shown {claimed_id}").save()

    def nonce(self, salt: str, age: int = 0) -> None:
        self.models.nonce(server_url=PROVIDER, timestamp=NOW - age, salt=salt).save()

    def association(self, handle: str, secret: str = "c2VjcmV0", lifetime: int = 10**6) -> None:
        self.models.association(
            server_url=PROVIDER, handle=handle, secret=secret, issued=NOW - 10, lifetime=lifetime,
            assoc_type="HMAC-SHA1",
        ).save()  # fmt: skip

    def permission(self) -> Permission:
        """That of the old app, alone, as it is where the old app has been migrated first."""
        Permission.objects.filter(**verified.PERMISSION).delete()
        of = ContentType.objects.create(app_label="django_openid_auth", model="useropenid")
        return Permission.objects.create(codename="account_verified", name="verified", content_type=of)

    def admin_permissions(self, model: str) -> list[Permission]:
        of, _ = ContentType.objects.get_or_create(app_label="django_openid_auth", model=model)
        return [
            Permission.objects.create(codename=f"{verb}_{model}", name=verb, content_type=of)
            for verb in ("add", "change", "delete", "view")
        ]


_parse = cache(sqlparse.parse)


@pytest.fixture
def old(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Old]:
    # On SQLite, Django parses a table's SQL to tell its constraints: nine tenths of these tests would be spent on that.
    monkeypatch.setattr(sqlparse, "parse", _parse)
    tables = Old()
    every = [tables.models.identity, tables.models.nonce, tables.models.association]
    with connection.schema_editor() as editor:
        for model in every:
            editor.create_model(model)
    yield tables
    with connection.schema_editor() as editor:
        for model in every:
            editor.delete_model(model)
    ContentType.objects.filter(app_label="django_openid_auth").delete()
    after_migrate()


@pytest.fixture
def ada(transactional_db: None) -> User:
    return User.objects.create_user("ada")


def after_migrate() -> None:
    config = apps.get_app_config("openid_auth")
    post_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default", apps=apps)


def adopt(**options: Any) -> str:
    output = StringIO()
    call_command("openid_adopt", stdout=output, **options)
    return output.getvalue()


def refused(**options: Any) -> str:
    """As adopt(), where something is left to decide, for which a script is to stop."""
    output = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("openid_adopt", stdout=output, **options)
    return f"{output.getvalue()}{caught.value}\n"


def ill() -> list[tuple[str, str]]:
    return [(finding.said, finding.remedy) for finding in examination.examine() if not finding.is_well]
