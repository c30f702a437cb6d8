"""A site of its own, in a process of its own, that used python-social-auth and django-allauth.

Their own migrations make the tables, their own models the rows. Prints as JSON what openid_adopt said and did.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

URL = "https://login.launchpad.net/+id/{}"


def main() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        SECRET_KEY="x",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.sites",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid",
            "social_django",
            "djintegrate.openid_auth",
        ],
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
        SITE_ID=1,
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    rows()
    said = [adopt(dry_run=True), adopt(), adopt()]
    from djintegrate.openid_auth.models import UserOpenID

    found = sorted(UserOpenID.objects.values_list("user__username", "claimed_id"))
    json.dump({"said": said, "found": found}, sys.stdout)


def rows() -> None:
    from allauth.socialaccount.models import SocialAccount
    from django.contrib.auth.models import User
    from social_django.models import UserSocialAuth

    ada, bruno = User.objects.create_user("ada"), User.objects.create_user("bruno")
    UserSocialAuth.objects.create(user=ada, provider="launchpad", uid=URL.format("ada"))
    UserSocialAuth.objects.create(user=ada, provider="openid", uid="https://me.example/")
    UserSocialAuth.objects.create(user=bruno, provider="ubuntu", uid="bruno")
    UserSocialAuth.objects.create(user=bruno, provider="mastodon", uid="https://social.example/ada")
    SocialAccount.objects.create(user=bruno, provider="openid", uid=URL.format("bruno"))
    SocialAccount.objects.create(user=bruno, provider="openid", uid="https://me.example/")
    SocialAccount.objects.create(user=bruno, provider="github", uid="https://github.example/ada")


def adopt(**options: Any) -> str:
    from django.core.management import CommandError, call_command

    output = io.StringIO()
    try:
        call_command("openid_adopt", stdout=output, **options)
    except CommandError as error:
        output.write(f"refused: {error}\n")
    return output.getvalue()


if __name__ == "__main__":
    main()
