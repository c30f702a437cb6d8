"""A site in a process of its own, which moves from django-openid-auth, and back. Its argument is a Storm URI.

Its profiles have a foreign key to the old identities. Prints as JSON what it found at each step.
"""

from __future__ import annotations

import json
import sys
from io import StringIO
from typing import Any

URL = "https://op.example/{}"
PEOPLE = ("gone", "ada", "bruno", "chiara")


def main(uri: str) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="x",
        STORM_STORES={"main": uri},
        DATABASES={"default": {"ENGINE": "djintegrate.storm_backend", "NAME": "main"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "djintegrate.storm_backend",
            "djintegrate.openid_auth",  # before Django's own, whose receivers then come later
            "djintegrate.openid_auth.old_tables",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "tests.openid_auth.profiles",
        ],
        USE_TZ=True,
    )
    django.setup()
    told: dict[str, Any] = {}
    for app in ("contenttypes", "auth", "django_openid_auth"):
        migrate(app)
    migrate("profiles", "0001")
    old_rows()
    told["too early"] = failure("openid_adopt")
    migrate("openid_auth")
    told["permissions once migrated"] = permissions()
    told["said"] = command("openid_adopt")
    told["permissions once adopted"] = permissions()
    told["may view once adopted"] = may_view()
    migrate()
    told["missing migrations"] = command("makemigrations", "--dry-run")
    told["profiles"] = profiles()
    told["a newcomer's key is new"] = newcomer()
    migrate("profiles", "0001")
    migrate("openid_auth", "zero")
    told["permissions once back"] = permissions()
    told["may view once back"] = may_view()
    told["old profiles"] = old_profiles()
    migrate("openid_auth")
    command("openid_adopt")
    migrate()
    told["profiles again"] = profiles()
    drop_old_tables()
    told["left"] = left()
    json.dump(told, sys.stdout)


def old_rows() -> None:
    """What the old app has left: the first identity is deleted, so that counting anew would give other keys."""
    from django.contrib.auth.models import Permission, User
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection

    from djintegrate.openid_auth.old_tables.models import UserOpenID

    for name in PEOPLE:
        user = User.objects.create_user(name)
        UserOpenID.objects.create(user=user, claimed_id=URL.format(name), display_id=name)
    UserOpenID.objects.get(display_id="gone").delete()
    with connection.cursor() as cursor:
        for key, name in UserOpenID.objects.values_list("pk", "display_id"):
            cursor.execute("INSERT INTO profiles_profile (name, identity_id) VALUES (%s, %s)", [name, key])
    of, _ = ContentType.objects.get_or_create(app_label="django_openid_auth", model="useropenid")
    permission = Permission.objects.create(codename="account_verified", name="verified", content_type=of)
    User.objects.get(username="ada").user_permissions.add(permission)
    view = Permission.objects.create(codename="view_useropenid", name="view", content_type=of)
    User.objects.get(username="bruno").user_permissions.add(view)


def permissions(codename: str = "account_verified") -> list[Any]:
    """Each of that name: whose, and who has it."""
    from django.contrib.auth.models import Permission

    return [
        [each.content_type.app_label, [user.username for user in each.user_set.all()]]
        for each in Permission.objects.filter(codename=codename)
    ]


def may_view() -> list[Any]:
    return permissions("view_useropenid")


def profiles() -> list[list[str]]:
    from tests.openid_auth.profiles.models import Profile

    return [[each.name, each.identity.user.username] for each in Profile.objects.order_by("name")]


def old_profiles() -> list[list[str]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, display_id FROM profiles_profile "
            "JOIN django_openid_auth_useropenid old ON old.id = identity_id ORDER BY name"
        )
        return [list(row) for row in cursor.fetchall()]


def newcomer() -> bool:
    from django.contrib.auth.models import User

    from djintegrate.openid_auth.models import UserOpenID

    newest = max(UserOpenID.objects.values_list("pk", flat=True))
    dmitri = User.objects.create_user("dmitri")
    return UserOpenID.objects.create(user=dmitri, claimed_id=URL.format("dmitri"), display_id="").pk > newest


def drop_old_tables() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for name in ("association", "nonce", "useropenid"):
            cursor.execute(f"DROP TABLE django_openid_auth_{name}")


def left() -> list[str]:
    from django.db import connection

    return [name for name in connection.introspection.table_names() if "django_openid_auth" in name]


def migrate(*arguments: str) -> None:
    command("migrate", *arguments)


def command(*arguments: str) -> str:
    from django.core.management import call_command

    out = StringIO()
    call_command(*arguments, stdout=out, no_color=True)
    return out.getvalue()


def failure(name: str) -> str:
    from django.core.management import CommandError

    try:
        return command(name)
    except CommandError as error:
        return f"refused: {error}"


if __name__ == "__main__":
    main(sys.argv[1])
