"""A site with a user model of its own, on the native engine of the tests' database. In autocommit mode, as usual.

python -m tests.openid_auth.other_users MODEL PROVIDER FOLDER HOSTILE
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings


def main(model: str, url: str, folder: str, hostile: str) -> None:
    settings.configure(
        SECRET_KEY="x",
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": database()},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "tests.openid_auth.users",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "djintegrate.openid_auth",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        AUTH_USER_MODEL=f"users.{model}",
        AUTH_USER_GROUP_MODEL="users.Membership" if model == "BareUser" else None,
        AUTHENTICATION_BACKENDS=["djintegrate.openid_auth.auth.OpenIDBackend"],
        ROOT_URLCONF="tests.openid_auth.urls",
        LOGIN_REDIRECT_URL="/",
        STATIC_URL="/static/",
        USE_TZ=True,
        OPENID_CREATE_USERS=True,
        OPENID_UPDATE_DETAILS_FROM_SREG=True,
        OPENID_FOLLOW_RENAMES=True,
        OPENID_FETCH_ALLOWED_HOSTS=[urlsplit(url).netloc, urlsplit(hostile).netloc],
        OPENID_TEAMS_TRUSTED_ENDPOINTS=[f"{url}+openid"],
        OPENID_LAUNCHPAD_TEAMS_MAPPING={"sprint-schedulers": "drivers"},
        OPENID_LAUNCHPAD_STAFF_TEAMS=["sprint-schedulers"],
        OPENID_VALID_VERIFICATION_SCHEMES={None: ["token_via_email"]},
    )
    django.setup()
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection

    from djintegrate.openid_auth.models import UserOpenID
    from tests.openid_auth.hostile import Hostile
    from tests.openid_auth.provider import Provider
    from tests.openid_auth.site import Visitor
    from tests.openid_auth.users.models import Membership
    from tests.openid_auth.villain import Villain

    call_command("check", fail_level="WARNING")
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    Group.objects.create(name="drivers")
    provider = Provider(url, Path(folder))
    users = get_user_model()._default_manager

    def sign_in(nickname: str) -> str:
        visitor = Visitor()
        visitor.sign_in(provider, nickname)
        return visitor.who

    if model == "EmailUser":
        assert sign_in("ada") == sign_in("ada") == "ada@people.example"
        user = users.get()
        assert user.is_staff
        assert [group.name for group in user.groups.all()] == ["drivers"]
        assert [permission.codename for permission in user.user_permissions.all()] == ["account_verified"]
        # Nobody gets an account by claiming its address.
        users.create_user(email="bruno@people.example")
        assert sign_in("bruno") == "nobody"
        if connection.vendor != "sqlite":  # In whose memory there are no two at once.
            outcomes = answers_at_once(provider, 8)
            # 400 is Django's, for a session that a sign-in beside it has ended.
            assert outcomes.count(302) == 1 and set(outcomes) <= {302, 400, 403}, outcomes
        UserOpenID.objects.all().delete()
        assert not user.user_permissions.exists()
    elif model == "UniqueUser":
        assert sign_in("ada") == "ada"
        # A newcomer is refused, with a page; somebody who is known comes in and stays as they are.
        users.create_user(username="somebody", email="bruno@people.example")
        assert sign_in("bruno") == "nobody"
        users.filter(username="ada").update(email="old@people.example")
        users.filter(username="somebody").update(email="ada@people.example")
        assert sign_in("ada") == "ada"
        assert users.get(username="ada").email == "old@people.example"
        assert sign_in("bruno") == "bruno"
    else:
        assert sign_in("ada") == sign_in("ada") == "ada"
        assert list(Membership.objects.values_list("user__handle", "group__name")) == [("ada", "drivers")]
        provider.put_into("ada")
        sign_in("ada")
        assert not Membership.objects.exists()
        users.create_user(handle="bruno")
        assert sign_in("bruno") == "bruno2"
        UserOpenID.objects.all().delete()
        assert users.count() == 3
    # By OpenID Connect they are users like the others.
    issuer = Villain(Hostile(hostile), "other-users")
    settings.OPENID_PROVIDERS = [issuer.entry()]
    issuer.says({"sub": "7", "preferred_username": "carla", "email": "carla@people.example"})
    for _ in range(2):
        visitor = Visitor()
        assert issuer.sign_in(visitor, sub="7", groups=["sprint-schedulers"]).status_code == 302
        assert visitor.who == ("carla@people.example" if model == "EmailUser" else "carla")
    if model == "EmailUser":
        assert [group.name for group in visitor.user.groups.all()] == ["drivers"]
    elif model == "BareUser":
        assert list(Membership.objects.values_list("user__handle", "group__name")) == [("carla", "drivers")]
    connection.close()
    connection.creation.destroy_test_db("unused", verbosity=0)


def database() -> dict[str, Any]:
    """The entry of DATABASES for the native engine."""
    uri = os.environ.get(f"TEST_{os.environ['DB'].upper()}_URI")
    if uri is None:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    parts = urlsplit(uri)
    return {
        "ENGINE": f"django.db.backends.{'mysql' if parts.scheme == 'mysql' else 'postgresql'}",
        "NAME": parts.path.strip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "TEST": {"NAME": f"test_native_{os.getpid()}"},
    }


def answers_at_once(provider: Any, count: int) -> list[int]:
    """What becomes of one answer that arrives so often."""
    from django.db import connections
    from django.test import Client

    from tests.openid_auth.hostile import sent_back
    from tests.openid_auth.site import Visitor, local

    visitor = Visitor()
    answer = provider.decide(visitor.begin(provider.url)["Location"], "ada")
    barrier = threading.Barrier(count)
    outcomes: list[int] = []

    def arrive() -> None:
        client = Client()
        client.cookies = visitor.client.cookies.copy()  # type: ignore[assignment]
        barrier.wait()
        try:
            outcomes.append(client.get(local(sent_back(answer.fields))).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=arrive) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    main(*sys.argv[1:])
